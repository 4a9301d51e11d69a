#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What those who operate it see, without Kubernetes: the termination log of a container, and explain.
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh" || exit 1
# shellcheck source-path=SCRIPTDIR source=../sandbox/up.sh
. "$srcdir/tests/sandbox/up.sh" || exit 1
trap 'stop_sandbox; rm -rf "$work"' EXIT

export TMPDIR=$work/tmp XDG_RUNTIME_DIR=$work/tmp HOME=$work
unset CAS_BACKUP_FILE SCONE_CAS_ADDR SCONE_CLI_CONFIG BACKUP_CAS_NAME STATE_DIRECTORY KUBERNETES_SERVICE_HOST
mkdir -m 0700 "$TMPDIR"
builddir=$(cd "$builddir" && pwd)
given=(--plugin-dir "$builddir/.libs" -f "$settings" --config "$owner/config.json")

# pass STATUS NAME COMMAND [OPTION...]: runs the program with the sandbox's settings.
pass() {
    run "$1" "$2" "${@:3}" "${given[@]}"
}

start_primary
write_settings 2 "{plugin: cas-api}"

# ---- the termination log

# container STATUS NAME COMMAND [OPTION...]: the same with a termination log of its own, as in one.
container() {
    mkdir -p "$work/dev"
    touch "$work/dev/null" "$work/dev/urandom" "$work/dev/termination-log"
    program=contained pass "$@"
}
# shellcheck disable=SC2016,SC2317 # for the inner shell; called by run, as the program
contained() {
    unshare --mount sh -c 'for d in null urandom; do mount --bind "/dev/$d" "$0/$d"; done
        mount --rbind "$0" /dev && exec "$@"' "$work/dev" "$builddir/cas-backup" "$@"
}
if unshare --mount true 2>/dev/null; then
    container 0 'a pass in no pod' run
    [ ! -s "$work/dev/termination-log" ]
    ok $? 'leaves a file of that name alone'
    export KUBERNETES_SERVICE_HOST=192.0.2.1
    container 0 'a pass in a pod' run
    grep -qx 'exit status 0: every selected node that can be registered now is registered; 2 nodes, .*' \
        "$work/dev/termination-log"
    ok $? 'leaves its summary to the kubelet'
    sed -i 's#spawn: .*#spawn: [sh, -c, "echo it is broken >\&2; exit 3"]#' "$settings"
    container 1 'a pass that fails on a node' run --force server-2
    grep -q "^exit status 1: .* 1 failed, .*; node 'server-2' failed: .*it is broken\$" "$work/dev/termination-log"
    ok $? 'leaves the node and its reason'
    sed -i "s#path: .*#path: $work}#" "$settings"
    container 2 'a pass that cannot be made' run
    grep -q '^exit status 2: wrong usage or settings: lock: state file: ' "$work/dev/termination-log"
    ok $? 'leaves why'
    unset KUBERNETES_SERVICE_HOST
    write_settings 2 "{plugin: cas-api}"
else
    tests=$((tests + 1))
    echo "ok $tests # SKIP needs root: the termination log"
fi

# ---- explain

# explains NODE TEXT NAME: it needs no owner's key for it.
explains() {
    run 0 "explain $1" explain "$1" --plugin-dir "$builddir/.libs" -f "$settings"
    grep -Eq -- "$2" "$work/out"
    ok $? "$3"
}
pass 0 'both are registered' run
echo 'instance: mycas-backup' >>"$settings"
explains server-1 '^decision: +keep$' 'it is kept'
has out 'protected:    yes' 'and protected'
rm "$hosts/server-2.boot"
explains server-2 '^boot_id +[0-9a-f-]+ +[0-9a-f-]+ +yes$' 'the boot ID of before stands beside the new one'
has out 'reason:       boot-id-changed: it was booted since' 'the reason is said'
has out 'next attempt: in the next pass' 'and when it is tried'
has out 'run next:     cas-backup run --verbose --only server-2' 'and what to do'
explains static.server-2 "^node 'server-2' of source 'static', UID static.server-2$" 'a UID will do'
sed -i '/server-2/d' "$settings"
explains server-2 '^reason: +absent: ' 'one that is not in the list any more'
has out 'run next:     cas-backup forget static.server-2' 'goes by its UID'
run 0 'explain all' explain all -o json --plugin-dir "$builddir/.libs" -f "$settings"
[ "$(jq -c 'map(.name)' "$work/out")" = '["server-1"]' ]
ok $? 'means those that are there, and no node of that name'
explains server-3 "is 'server-[12]' meant" 'one that was never seen is compared with those that were'
run 0 'explain prints JSON' explain server-1 server-2 nobody -o json --plugin-dir "$builddir/.libs" -f "$settings"
[ "$(jq -c '[.[] | [.name, .present, .decision, .protected, .record.name, .now.name]]' "$work/out")" = \
    '[["server-1",true,"keep",true,"server-1","server-1"],["server-2",false,"none",true,"server-2",null],["nobody",false,"none",false,null,null]]' ]
ok $? 'for each node that was asked for'
# ---- coverage, while nobody can be asked

pass 0 'a pass misses a machine' run
run 0 'what status says can be kept' status -o json --plugin-dir "$builddir/.libs" -f "$settings"
cp "$work/out" "$work/saved.json"
stop_sandbox
primary_pid=
mv "$work/state.json" "$work/gone.json"
run 0 'coverage answers from it without settings and plugins' coverage --records "$work/saved.json" \
    --plugin-dir "$work/none" server-1 server-2
has out 'the database opens on 2 of 2 (at least 1 wanted)' 'for the nodes that are named'
run 0 'and for those that were there' coverage --records - <"$work/saved.json"
has out 'the database opens on 1 of 1' 'which does not count the absent'
run 4 'an unknown one does not count' coverage --records "$work/saved.json" server-9
jq '.pass.min_registered = 3' "$work/saved.json" >"$work/three.json"
run 4 'nor do fewer than were wanted' coverage --records "$work/three.json" server-1 server-2
jq '.nodes += [{uid: "another", name: "server-2", status: "failed"}]' "$work/saved.json" \
    >"$work/replaced.json"
run 4 'nor one in whose place another machine is' coverage --records "$work/replaced.json" server-2
run 0 'unless it is meant by its UID' coverage --records "$work/replaced.json" static.server-2
run 2 'what is something else is refused' coverage --records "$settings"
run 2 'and so is --wait beside it' coverage --records "$work/saved.json" --wait 1s
mv "$work/gone.json" "$work/state.json"
run 2 'explain wants to know whom' explain --plugin-dir "$builddir/.libs" -f "$settings"
finish
