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

# shellcheck disable=SC2317 # called by is
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
is [ -z "$(find "$state" -newer "$work/before.json")" ] 'and leaves the state file alone'

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
grep -Eq '^server-3 .*failed +no .*no enclave memory left' "$work/out"
ok $? 'as one that may be another machine'
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
write_settings 3 '{plugin: cas-api}'
cp -p "$state" "$work/before.json"
pass 0 'without the CLI the primary is the same'
is [ -z "$(find "$state" -newer "$work/before.json")" ] 'so nothing is to be done'
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

# wait_for COMMAND...: until it is true, 10 s at most
# shellcheck disable=SC2317 # called by is
wait_for() {
    for _ in $(seq 200); do
        "$@" && return
        sleep 0.05
    done
    return 1
}
# shellcheck disable=SC2317 # called by wait_for
all_run() { [ "$(count_running)" = 3 ]; }
for name in server-1 server-2 server-3; do change_hardware $name; done
echo 60 >"$hosts/slow"
start
is wait_for all_run 'a pass that takes long'
pass 5 'keeps another one out'
grep -Eq "another pass holds the lock .*state.json.lock': .*pid $pid, since 20" "$work/err"
ok $? 'which names the holder'
begin=$SECONDS
kill -TERM "$pid"
cat <&3 >"$work/err"
wait "$pid"
is [ $? -eq 143 ] 'SIGTERM ends it with 143'
is [ $((SECONDS - begin)) -lt 20 ] 'within 20 s'
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
