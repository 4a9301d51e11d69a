#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whole passes without Kubernetes: static hosts, both registration plugins, the state in a file.
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh" || exit 1
# shellcheck source-path=SCRIPTDIR source=../sandbox/up.sh
. "$srcdir/tests/sandbox/up.sh" || exit 1
trap 'stop_sandbox; rm -rf "$work"' EXIT

export TMPDIR=$work/tmp XDG_RUNTIME_DIR=$work/tmp HOME=$work
unset CAS_BACKUP_FILE SCONE_CAS_ADDR SCONE_CLI_CONFIG BACKUP_CAS_NAME STATE_DIRECTORY
mkdir -m 0700 "$TMPDIR"
cli="{plugin: scone-cli, program: $builddir/tests/sandbox/scone}"
state=$work/state.json

# pass STATUS NAME [COMMAND] [OPTION...]: runs the program with the sandbox's settings.
pass() {
    run "$1" "$2" "${@:3}" --plugin-dir "$builddir/.libs" -f "$settings" --config "$owner/config.json"
}

# The same in the background: its log is read from descriptor 3, its process is in $pid.
mkfifo "$work/log"
start() {
    "$program" run --plugin-dir "$builddir/.libs" -f "$settings" --config "$owner/config.json" \
        >"$work/out" 2>"$work/log" &
    pid=$!
    exec 3<"$work/log"
}

# is WORD... NAME: a test command's outcome.
is() {
    "${@:1:$#-1}"
    ok $? "${*: -1}"
}

# wait_for COMMAND...: until it is true, 10 s at most
# shellcheck disable=SC2317 # called by is
wait_for() {
    for _ in $(seq 200); do
        "$@" && return
        sleep 0.05
    done
    return 1
}
# shellcheck disable=SC2317 # called by is
same_records() { # as they were in before.json; what is said of the pass changes each time
    [ "$(jq -S .records "$state")" = "$(jq -S .records "$work/before.json")" ]
}
# shellcheck disable=SC2317
nothing_runs() { [ "$(count_running)" = 0 ] && ! grep -q '"spawned"' "$state"; }
registrations() { wc -l <"$work/registered"; }
change_hardware() { rm "$hosts/$1.boot"; }

# ---- one pass after the other

start_primary
write_settings 3 "$cli"
pass 0 'the first pass registers every host' run
has out '3 nodes, 3 selected: 3 registered (3 new, 0 kept), 0 failed' 'and counts them'
is [ "$(registrations)" = 3 ] 'the primary knows them'
is nothing_runs 'and no backup CAS is left'

cp -p "$state" "$work/before.json"
pass 0 'the second pass finds nothing to do'
has out '3 registered (0 new, 3 kept)' 'keeps them'
is [ "$(registrations)" = 3 ] 'registers none'
is same_records 'and leaves the records alone'
cp -p "$state" "$work/before.json"

change_hardware server-2
pass 0 'plan tells of another boot ID' plan
grep -Eq '^server-2 .*boot-id-changed' "$work/out" && ! grep -Eq '^server-[13] .*changed' "$work/out"
ok $? 'of that host alone'
is cmp -s "$state" "$work/before.json" 'and changes nothing'
pass 0 'a changed host is registered again'
has out '3 registered (1 new, 2 kept)' 'and no other'

# ---- a host that fails

change_hardware server-1
change_hardware server-3
printf '%s\n' 'connecting' 'no enclave memory left' >"$hosts/server-3.broken"
pass 1 'a host that fails is exit status 1' run -o json --report "$work/report.json"
has err "node 'server-3': not registered: spawn: spawn command: exit status 1: no enclave memory left" \
    'with the last line that its command printed'
has out '"failed": 1' 'the report counts it'
is cmp -s "$work/out" "$work/report.json" 'the same report goes to a file'
# field KEY NODE: of the report, whose keys are one a line, the name before those that are asked for
field() { sed -n "/\"name\": \"$2\"/,/}/s/^ *\"$1\": \"\(.*\)\",*\$/\1/p" "$work/out"; }
is [ "$(field outcome server-1)$(field reason server-1)" = registeredboot-id-changed ] \
    'the others are registered all the same'
is [ "$(field outcome server-2)$(field outcome server-3)" = keptfailed ] 'or kept'
is [ "$(grep -c '"exit": 1' "$work/out")" = 1 ] 'and the report tells the exit status'
is nothing_runs 'what was begun on it is removed'
pass 0 'status shows it' status
grep -Eq '^server-3 +static +failed +no +20[^ ]+ +- +20[^ ]+ +1 +register-backup +boot-id-changed: spawn: .*no enclave memory left$' "$work/out"
ok $? 'as one that may be another machine: unprotected since when, and why'
grep -Eq '^server-1 +static +registered +yes +20[^ ]+ +- +- +- +register-backup +-$' "$work/out"
ok $? 'beside one that is well'
pass 0 'status has more' status -o wide
grep -Eq '^server-3 +static +static.server-3 +failed .* - +[0-9a-f-]+ +boot-id-changed' "$work/out"
ok $? 'where it is wanted'
pass 0 'status has names alone' status -o name
is [ "$(tr '\n' ' ' <"$work/out")" = 'server-1 server-2 server-3 ' ] 'for scripts'
pass 0 'status has all that is known' status -o json
has out '"unprotected": "20' 'of each node'
has out '"exit": 1' 'and of the last pass'
pass 4 'coverage does not count on it: it may be another machine' coverage server-3
has out 'its hardware changed since' 'and says why'
pass 0 'one of the others is enough' coverage server-3 server-1
printf '%s\n' server-3 '' '  server-9   Ready' >"$work/names"
pass 4 'names can come from standard input' coverage - <"$work/names"
has out 'the database opens on 0 of 2' 'one a line'
grep -Eq '^server-9 +no +- +unknown$' "$work/out"
ok $? 'of which the first word counts'
pass 2 'no name at all there is wrong usage' coverage - </dev/null
has err 'no name on standard input' 'and no answer for other machines'
printf 'server-1\0server-9\n' >"$work/names"
pass 2 'so is a NUL between names' coverage - <"$work/names"
has err 'standard input is no text: it has a NUL' 'and none is passed over'
printf '%0600d\n' 0 >"$work/names"
pass 4 'a line may be long' coverage - <"$work/names"
has out 'the database opens on 0 of 1' 'and is one name'
mkfifo "$work/fifo"
sleep 60 >"$work/fifo" &
holder=$!
timeout --foreground --preserve-status 1 "$program" coverage - --plugin-dir "$builddir/.libs" -f "$settings" \
    --config "$owner/config.json" <"$work/fifo" >"$work/out" 2>"$work/err"
is [ $? -eq 143 ] 'a signal ends the wait for names'
kill "$holder"
{ cat "$settings" && echo 'fail_on: [too-few, overdue]'; } >"$work/lenient.yaml"
settings=$work/lenient.yaml
pass 0 'a host that fails need not be a failure' run
has err '1 nodes could not be registered: fail_on leaves that out, so the exit status is 0' 'and is said'
sed -i 's/"unprotected":"20[^"]*"/"unprotected":"2026-01-01T00:00:00Z"/' "$state"
pass 6 'unless it fails for too long' run -o json
has err "node 'server-3' has been unprotected since 2026-01-01T00:00:00Z, the longest of 1 that are overdue" 'which is told'
has out '"longest": "server-3"' 'and in the report'
echo 'min_registered: 3' >>"$settings"
pass 4 'too few hosts are graver'
sed -i '/min_registered/d; s/fail_on:.*/fail_on: []/' "$settings"
pass 0 'nothing is a failure where nobody wants it' run
has err '1 nodes are unprotected for longer than overdue_after: fail_on leaves that out' 'which is said'
echo 'overdue_after: 0s' >>"$settings"
sed -i '/fail_on/d' "$settings"
pass 1 'or where nothing is overdue' run
echo 'retry_backoff: 1h' >>"$settings"
pass 0 'a host that fails again and again can be left alone for a while' run -o json
is [ "$(field outcome server-3)$(field reason server-3)" = skippedbacking-off ] 'as it says'
pass 1 'unless somebody wants it' run --force server-3
settings=$work/settings.yaml
rm "$hosts/server-3.broken"
pass 0 'the next pass tries it again'
has out '3 registered (1 new, 2 kept)' 'and no other'

# ---- a host that cannot say who it is

mv "$hosts/server-2.boot" "$work/boot"
mkdir "$hosts/server-2.boot"
pass 0 'a registered host that cannot be identified is kept'
grep -Eq "warn +node 'server-2': it could not be identified, .*: identify command: exit status" "$work/err"
ok $? 'with a warning'
rmdir "$hosts/server-2.boot"
mv "$work/boot" "$hosts/server-2.boot"
pass 0 'and kept when it says so again'
has out '3 registered (0 new, 3 kept)' 'as the same'

# ---- what one asks for

pass 0 'a forced host is registered again' run --force server-1 --only server-1 -o json
is [ "$(field reason server-1)" = forced ] 'as forced'
has out '"selected": 1' 'and --only leaves the others out'
pass 2 'a name that no host has is wrong usage' run --only server-7
has err "--only: no source has a node 'server-7'" 'and named'
pass 0 'a host can be forgotten' forget server-2
pass 0 'the next pass registers it' run -o json
is [ "$(field reason server-2)" = new ] 'as a new one'
cp "$hosts/server-2.boot" "$hosts/server-3.boot"
echo 'min_registered: 3' >>"$settings"
pass 4 'one machine under two names is one' run
has err "nodes 'server-2' and 'server-3' are one machine, with one boot ID: they count once" \
    'of which there is a warning'
has out '2 registered (1 new, 2 kept)' 'and it counts once'
pass 4 'it is one where another pass has the other name' run --shard 0/5
has err "nodes 'server-3' and 'server-2' are one machine" 'and this one warns of it'
pass 4 'as that one does' run --shard 4/5
has err "nodes 'server-2' and 'server-3' are one machine" 'of its own'
pass 4 'coverage counts it once, too' coverage server-3 server-2
has out 'the database opens on 1 of 2' 'of the two that are named'
has out "it is the same machine as 'server-3'" 'and says why'
change_hardware server-3
pass 0 'until it is another machine again' run

# ---- a mistake that all share

printf 'parallel: 1\ngive_up_after: 2\n' >>"$settings"
for name in server-1 server-2 server-3; do echo 'no such image' >"$hosts/$name.broken"; done
pass 1 'what fails on all nodes is given up' run --force all -o json
grep -q '"skipped": 1' "$work/out" && grep -q '"reason": "given-up"' "$work/out" && grep -q '"failed": 2' "$work/out"
ok $? 'after as many failures as the settings say'
has err "given up after 2 failures without a success; the first, of node 'server-" 'which are told'
has out '"cause": {' 'and in the report'
rm "$hosts"/*.broken
write_settings 3 "$cli"
pass 0 'the next pass begins anew' run
is nothing_runs 'and nothing is left'

# ---- another release

pass 0 'all are registered for the present release' coverage --wait 1s
echo 'release: six' >>"$settings"
pass 0 'plan tells of another release' plan
grep -Eq "^server-2 .*register +release-changed +it is registered for 'register-backup'$" "$work/out"
ok $? 'and of the one before'
has out '3 registered (0 new, 0 kept)' 'which holds still'
pass 0 'so coverage counts on all' coverage
has out "it is registered for 'register-backup'" 'and says for what'
pass 4 'but nobody is ready' coverage --wait 1s server-2 server-3
has err '2 nodes are not registered for the present release yet' 'as it says'
"$program" coverage --wait 5m --plugin-dir "$builddir/.libs" -f "$settings" \
    --config "$owner/config.json" >"$work/waited" 2>"$work/waiting" &
waiter=$!
# shellcheck disable=SC2317
it_waits() { grep -q 'not registered for the present release yet' "$work/waiting"; }
is wait_for it_waits 'somebody waits'
pass 0 'a pass registers all again' run -o json
is [ "$(field reason server-2)" = release-changed ] 'for that reason'
wait "$waiter"
ok $? 'and the wait is over'
grep -q 'the database opens on 3 of 3' "$work/waited"
ok $? 'with the answer'
pass 0 'the next pass has nothing to do' run
has out '(0 new, 3 kept)' 'as for every release'
"$program" coverage --wait 5m stranger --plugin-dir "$builddir/.libs" -f "$settings" \
    --config "$owner/config.json" >"$work/waited" 2>"$work/waiting" &
waiter=$!
is wait_for it_waits 'who waits for a stranger'
kill -TERM "$waiter"
wait "$waiter"
is [ $? = 143 ] 'is ended by a signal'
pass 2 'only coverage waits' run --wait 1s
write_settings 3 "$cli"
pass 0 'back to the release that follows from the command' run
write_settings 3 '{plugin: cas-api}'
cp -p "$state" "$work/before.json"
pass 0 'without the CLI the primary is the same'
is same_records 'so nothing is to be done'
before=$(registrations)
pass 0 'but can be' run --force all
is [ "$(registrations)" = $((before + 3)) ] 'and the primary sees it'

echo 'min_registered: 4' >>"$settings"
pass 4 'too few registered hosts are exit status 4' run --quiet
has err 'too few nodes are registered: 3, and min_registered is 4' 'and a message, even if quiet'
write_settings 3 "$cli"
pass 3 'a report that cannot be written is an error' run -o json --report "$work/none/report"
has out '"kept": 3' 'and what is printed comes all the same'

# ---- ends before the end

# shellcheck disable=SC2317 # called by wait_for
all_run() { [ "$(count_running)" = 3 ]; }
for name in server-1 server-2 server-3; do change_hardware $name; done
echo 60 >"$hosts/slow"
start
is wait_for all_run 'a pass that takes long'
pass 5 'keeps another one out'
grep -Eq "another pass holds the lock .*state.json.lock': .*pid $pid, since 20" "$work/err"
ok $? 'which names the holder'
echo 'fail_on: [failed]' >>"$settings"
pass 0 'which need not be a failure'
has err 'fail_on leaves that out' 'and is said'
sed -i '/^fail_on/d' "$settings"
"$program" run --lock-wait 5m --only server-1 --deadline 1m --plugin-dir "$builddir/.libs" -f "$settings" \
    --config "$owner/config.json" >"$work/waited" 2>"$work/waiting" &
waiter=$!
# shellcheck disable=SC2317
it_waits() { grep -q 'waiting for the lock: another pass holds' "$work/waiting"; }
is wait_for it_waits 'one may wait for it'
kill -TERM "$waiter"
wait "$waiter"
is [ $? = 143 ] 'until a signal comes'
pass 3 'or its deadline' run --lock-wait 5m --deadline 1s
has err "the pass's deadline passed while it waited for the lock: another pass holds" 'as it says'
"$program" run --lock-wait 5m --only server-1 --plugin-dir "$builddir/.libs" -f "$settings" \
    --config "$owner/config.json" >"$work/waited" 2>"$work/waiting" &
waiter=$!
is wait_for it_waits 'or it gets the lock'
begin=$SECONDS
kill -TERM "$pid"
cat <&3 >"$work/err"
wait "$pid"
is [ $? -eq 143 ] 'SIGTERM ends it with 143'
is [ $((SECONDS - begin)) -lt 20 ] 'within 20 s'
# shellcheck disable=SC2317
it_begins() { grep -q "node 'server-1': provisioning" "$work/waiting"; }
is wait_for it_begins 'and the other one begins'
kill -TERM "$waiter"
wait "$waiter"
is nothing_runs 'with everything removed'
pass 4 'the deadline ends a pass too' run --deadline 3s
has err "the pass's deadline passed before" 'and says so'
is nothing_runs 'with everything removed'
rm "$hosts/slow"
pass 0 'the next pass makes good for it'
has out '3 registered (3 new, 0 kept)' 'for every host'

# ---- the state file

printf '{"version":1,"records":{\n"static.ser' >"$state"
cp "$state" "$work/damaged.json"
pass 0 'a damaged state file only costs work'
grep -Eq 'warn .*was damaged' "$work/err"
ok $? 'and a warning'
is cmp -s "$work/damaged.json" "$state".damaged-* 'it is kept'
pass 0 'and the new one is whole'
has out '3 registered (0 new, 3 kept)' 'for the next pass'
# a file that cannot grow stands for a full disk
cp "$state" "$work/before.json"
(trap '' XFSZ
ulimit -f 0
exec "$program" forget server-1 --plugin-dir "$builddir/.libs" -f "$settings" \
    --config "$owner/config.json" 2>&1) | cat >"$work/err"
is [ "${PIPESTATUS[0]}" -eq 3 ] 'a full disk is exit status 3'
is cmp -s "$state" "$work/before.json" 'and loses nothing'
is [ -z "$(find "$work" -maxdepth 1 -name 'state.json?*' ! -name '*.lock' ! -name '*.damaged-*')" ] \
    'nor leaves anything'
sed -i "s#^state:.*#state: {plugin: file, path: $settings/state.json}#" "$settings"
pass 3 'a folder that cannot be written is exit status 3'
has err "$settings" 'which is named'

# ---- several sources, and a hosts file

mkdir "$work/hosts-b"
cat >"$work/two.yaml" <<END
discovery:
  - plugin: static
    name: rack-a
    hosts_file: $work/hosts.txt
    spawn: [$host, spawn, $hosts, "{name}", "{address}"]
    remove: [$host, remove, $hosts, "{name}"]
  - plugin: static
    name: rack-b
    hosts: [{name: server-1, address: 127.0.1.1}]
    spawn: [$host, spawn, $work/hosts-b, "{name}", "{address}"]
    remove: [$host, remove, $work/hosts-b, "{name}"]
registration: $cli
state: {plugin: file, path: $work/two/state.json}
END
settings=$work/two.yaml
printf '# rack a\nserver-1 127.0.0.1\n\nserver-2\t127.0.0.2:8081 # %s\n' 'the other' >"$work/hosts.txt"
pass 0 'two sources in one pass' run -o json
grep -q '"uid": "rack-a.server-1"' "$work/out" && grep -q '"uid": "rack-b.server-1"' "$work/out"
ok $? 'keep hosts of the same name apart'
has out '"registered": 3' 'and are one pass'
# A LINE, PLACE and TEXT of the fault
fault() {
    printf '# rack a\n%s\n' "$1" >"$work/hosts.txt"
    pass 2 "a hosts file with: $1"
    has err "hosts.txt:$2: $3" 'names file, line and column'
}
fault 'server-1' 2:9 'an address is missing'
fault 'server-1 127.0.0.1:99999' 2:10 'an address is HOST or HOST:PORT'
fault '-x 127.0.0.1' 2:1 'a name is'
fault 'server-1 127.0.0.1  spwan=["x"]' 2:21 'expected spawn=LIST'
fault 'server-1 127.0.0.1 spawn=[x]' 2:26 'expected a JSON list'
fault "server-1 127.0.0.1
server-1 127.0.0.2" 3:1 "'server-1' is given twice"
# wrong YAML PLACE TEXT: one source with settings that only its plugin can judge
wrong() {
    printf '%s\n' "$1" 'state: {plugin: file}' >"$work/wrong.yaml"
    run 2 "settings with: ${1##*$'\n'}" plan -f "$work/wrong.yaml" --plugin-dir "$builddir/.libs" \
        --config "$owner/config.json"
    has err "wrong.yaml:$2: $3" 'names file, line and column, too'
}
wrong 'discovery:
  - plugin: static
    hosts:
      - {name: a, adress: b}' 4:27 "discovery[0].hosts[0].adress: unknown key"
wrong 'discovery:
  - plugin: static
    hosts:
      - {name: a, address: "b c"}' 4:28 "discovery[0].hosts[0].address: an address is HOST or"
printf '%s\n' 'discovery: [{plugin: static, hosts: [{name: a, address: b}]}]' \
    'registration: {session: policy/session}' 'state: {plugin: file}' >"$work/wrong.yaml"
run 2 'an option that only its plugin can judge' plan -f "$work/wrong.yaml" --session policy \
    --cas a --plugin-dir "$builddir/.libs"
has err "error --session: 'policy' is not of the form" 'is named itself'
SCONE_LAS_ADDR=node run 2 'a variable that only its plugin can judge' plan -f "$work/wrong.yaml" \
    --cas a --plugin-dir "$builddir/.libs"
has err "error environment variable SCONE_LAS_ADDR: 'node' needs" 'is named itself, too'

# ---- what a killed pass left, where the notes of it are lost

write_settings 3 "$cli"
echo 60 >"$hosts/slow"
for name in server-1 server-2 server-3; do change_hardware $name; done
start
is wait_for all_run 'a pass is under way'
kill -KILL "$pid"
cat <&3 >"$work/err"
wait "$pid" 2>/dev/null
rm "$hosts/slow"
pass 0 'a host can be forgotten all the same' forget server-1
has err "node 'server-1': a pass that was killed may have left a backup CAS there" 'with a warning'
pass 2 'cleanup is for all nodes' cleanup --only server-2
has err 'cleanup: it is for all nodes' 'and says so'
rm "$state"
pass 0 'cleanup without any note' cleanup
is nothing_runs 'removes what runs on each host'

# ---- without the owner's key, and with the primary down

pass 0 'all hosts are registered' run
kill "$primary_pid"
primary_pid=
# known STATUS COMMAND...: with what was remembered
known() {
    run "$1" "'${*:2}' needs no key" "${@:2}" --plugin-dir "$builddir/.libs" -f "$work/known.yaml"
}
run 2 'status without the settings that it takes' status --plugin-dir "$builddir/.libs" -f "$settings"
has err "neither instance nor cas is set: registration plugin 'scone-cli': " 'names them'
has err '.cas/config.json' 'and the file that would do, too'
for given in 'instance: racks' 'cas: mycas'; do
    { cat "$settings" && echo "$given"; } >"$work/known.yaml"
    known 0 status
    grep -Eq '^server-3 .*registered +yes' "$work/out"
    ok $? "with $given it knows which primary is meant"
    known 0 coverage server-1 server-3
    has out 'the database opens on 2 of 2' 'and where its database opens'
    has out 'at least 1 wanted' 'for the present settings'
done
sed -i '/name: server-3/d' "$work/known.yaml"
start_primary
write_settings 2 "$cli"
pass 0 'a pass without one of the hosts' run
kill "$primary_pid"
primary_pid=
known 0 status
grep -Eq '^server-3 .*registered +yes +20[^ ]+ +20' "$work/out"
ok $? 'it says since when the host is absent'
known 0 status -o name
is [ "$(tr '\n' ' ' <"$work/out")" = 'server-1 server-2 ' ] 'which is no name of one that is there'
run 2 'an absent host is not forgotten by its name' forget server-3 --plugin-dir "$builddir/.libs" \
    -f "$work/known.yaml"
has err "one that is absent goes by its UID: 'static.server-3'" 'but by its UID'
known 0 forget static.server-3
known 0 cleanup
known 0 forget server-1
known 4 coverage server-1
rm "$state"
known 0 status
has err 'the state does not say which primary is meant' 'warns where there is no pass to remember'

start_primary

# ---- by hand: one more server, with nothing but the CLI's configuration

mkfifo "$work/port"
"$CAS" --backup --listen 127.0.0.9:0 >"$work/port" 2>/dev/null &
extra=$!
read -r _ _ _ port <"$work/port"
PATH=$builddir/tests/sandbox:$PATH STATE_DIRECTORY=$work/by-hand \
    run 0 'one more server by hand' run --config "$owner/config.json" \
    --host server-b=127.0.0.9:"$port" --plugin-dir "$builddir/.libs"
has out '1 registered (1 new' 'is registered'
is grep -q '"status":"registered"' "$work"/by-hand/localhost-*-backup.json 'and recorded'
kill "$extra"
finish
