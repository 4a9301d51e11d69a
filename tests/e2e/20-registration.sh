#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Both registration plugins against the sandbox's CAS: the same cases, then those of one alone.
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"

driver=$builddir/tests/e2e/registration-driver
cas=$builddir/tests/sandbox/cas
scone=$builddir/tests/sandbox/scone
plugins=$builddir/.libs
export TMPDIR=$work/tmp XDG_RUNTIME_DIR=$work/tmp HOME=$work
mkdir -m 0700 "$TMPDIR"
owner=$work/owner
pids=()
stop_all() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    pids=()
}
trap 'stop_all; rm -rf "$work"' EXIT

# Starts a CAS and waits until it listens; its port is in $port, its process in $pid.
start_cas() {
    exec {out}< <(exec "$cas" --listen 127.0.0.1:0 "$@" 2>>"$work/cas.err")
    pid=$!
    pids+=("$pid")
    read -r _ _ _ port <&"$out"
    exec {out}<&-
}

# A fresh pair: primary_args and backup_args tell how each behaves.
start_pair() {
    start_cas --primary "$owner" --registered "$work/registered" "${primary_args[@]}"
    primary_port=$port primary_pid=$pid
    start_cas --backup "${backup_args[@]}"
    backup=127.0.0.1:$port
}

# Registers $backup by $kind: "config" and "session" are the two modes of the CLI, "api" no CLI.
# Of two values of a setting the first counts.
register() { # SECONDS SETTING...
    local seconds=$1
    shift
    case $kind in
    config)
        "$driver" "$plugins" scone-cli "$backup" "$seconds" "$@" program="$scone" \
            config="$owner/$config" retries=1
        ;;
    session)
        SCONE_SANDBOX_OWNER_CONFIG=$owner/$config "$driver" "$plugins" scone-cli "$backup" \
            "$seconds" "$@" program="$scone" session=policy/register \
            cas=127.0.0.1:"$primary_port" retries=1
        ;;
    api) "$driver" "$plugins" cas-api "$backup" "$seconds" "$@" config="$owner/$config" ;;
    esac >"$work/out" 2>>"$work/log"
}

# One case: starts the pair, does what `between` says, registers, and compares.
check() { # NAME SECONDS PATTERN [SETTING...]
    local name=$1 seconds=$2 pattern=$3 begin=$SECONDS
    shift 3
    start_pair
    ${between:-true}
    register "$seconds" "$@"
    echo "after $((SECONDS - begin)) s" >>"$work/out"
    # The CLI gets 2 s to end after its SIGTERM.
    grep -Eq "$pattern" "$work/out" && [ $((SECONDS - begin)) -le $((seconds + 4)) ]
    ok $? "$kind: $name"
    cat "$work/out" >>"$work/log"
    stop_all
    primary_args=() backup_args=() between='' config=config.json
}

# What the plugin logged meanwhile.
check_log() { # NAME PATTERN
    grep -Eq "$2" "$work/log"
    ok $? "$kind: $1"
}

# shellcheck disable=SC2317 # called by check
kill_primary() {
    kill "$primary_pid"
    tail --pid="$primary_pid" -f /dev/null
}

primary_args=() backup_args=() between='' config=config.json
for kind in config session api; do
    : >"$work/registered"
    check "registers" 10 '^registered$'
    [ "$(wc -l <"$work/registered")" = 1 ]
    ok $? "$kind: the primary knows the backup"
    backup_args=(--tcb group-out-of-date)
    check "a refused TCB says which" 10 'Verification.*TCB status of the platform: group-out-of-date'
    backup_args=(--isvsvn 4)
    check "an older CAS is refused" 10 'ISVSVN 4 is lower than 5'
    between=kill_primary
    check "a primary that is down" 3 '[Cc]onnect|refused'
    primary_args=(--slow 20)
    check "a primary that is slow" 2 '^timeout: '
    backup_args=(--silent)
    check "a backup that is silent" 2 '^timeout: '
    primary_args=(--show wrong-chain)
    check "a primary under another chain" 10 'certificate.*(not trusted|signature failure)'
    primary_args=(--show wrong-name)
    check "a primary with another name" 10 'name|subject|localhost'
    primary_args=(--show expired) config=expired.json
    check "a chain that has expired" 10 'expired'
    config=stranger.json
    check "somebody who is not the owner" 10 'Access denied: only the owner'
    backup_args=(--provisioned)
    check "a backup that is provisioned" 10 'provisioned already'
    primary_args=(--refuse 'the database is read-only')
    check "a primary that refuses" 10 'the database is read-only'
    for fault in garbage endless truncate cut; do
        backup_args=("--$fault")
        check "a backup that answers wrong: $fault" 10 '^(invalid|unreachable|failed|timeout): .*backup CAS'
        primary_args=("--$fault")
        check "a primary that answers wrong: $fault" 10 '^(invalid|unreachable|failed|timeout): .*primary CAS'
    done
    primary_args=(--fail 1)
    check "a primary that is busy for a moment" 10 '^registered$'
done

for kind in config api; do
    backup_args=(--tcb group-out-of-date)
    check "a tolerated TCB is accepted" 10 '^registered$' tolerate='[group-out-of-date]'
done
kind=config
check "upgrades" 10 '^registered$' command=register-upgrade
config=ending.json primary_args=(--show ending)
check "a chain that soon expires is still good" 10 '^registered$'
kind=session
expected=5e753b24ae9c62c5d86f0fc6e1acb663f0debdcee99f6c327de66cbf3ce3ef66
SCONE_SANDBOX_MRENCLAVE=$expected check "a policy that is older than the CLI says so first" 10 \
    "^failed: Unexpected enclave measurement \\(MRENCLAVE, [0-9a-f]+\\) - Expected $expected"
check_log "and the log has all of it" 'Unexpected enclave signer: .*Attestation failed: .*not trustworthy'
check "a session fixes its tolerances" 10 '^invalid: tolerate' tolerate='[group-out-of-date]'
kind=api
check "another path can be given" 10 '404: No such resource: /v1/other' register_path=/v1/other
check "another body can be given" 10 '400: The DB certificate is damaged' \
    register_body='{cert: "{certificate}"}'

for yes in '200:{"msg":["the database is locked"]}' '202:{}' '200:[]' '200:"registered"'; do
    primary_args=(--yes "$yes")
    check "an answer that is no yes: $yes" 10 '^(invalid|failed): .*primary CAS'
done
for yes in '200:{"id":"x"}' 204; do
    primary_args=(--yes "$yes")
    check "another answer that is a yes: $yes" 10 '^registered$'
done
primary_args=(--form v2) backup_args=(--form v2)
check "a certificate of another form is no certificate" 10 "^invalid: .*no text at 'certificate'"
primary_args=(--form v2) backup_args=(--form v2)
check "unless the settings say that any form may be" 10 '^registered$' certificate_form=any
check "a version without a number is a wrong setting" 10 '^invalid: verified_with: .new' \
    verified_with=new

# What a CLI can do wrong.
program() { # NAME BODY
    printf '#!/bin/sh\n%s\n' "$2" >"$work/$1"
    chmod +x "$work/$1"
}
kind=config
check "a CLI that is missing" 10 '^not found: .*no-such-scone' program="$work/no-such-scone"
: >"$work/plain"
check "a CLI that is no program" 10 '^denied: .*plain' program="$work/plain"
program hangs 'echo "waiting for the backup" >&2; exec sleep 60'
check "a CLI that hangs" 5 '^timeout: .*waiting for the backup' program="$work/hangs"
# shellcheck disable=SC2016
program dies 'kill -SEGV $$'
check "a CLI that dies" 10 '^failed: .*signal 11' program="$work/dies"
program floods 'exec yes'
check "a CLI that prints without end" 10 '^failed: ' program="$work/floods"
program mute 'exit 7'
check "a CLI without a message" 10 'exit status 7' program="$work/mute"

kind=session
# shellcheck disable=SC2016
program tells 'echo "Error: LAS is at $SCONE_LAS_ADDR" >&2; exit 1'
POD_HOST_IP=192.0.2.9 check "LAS may be that of our own node" 10 'LAS is at 192\.0\.2\.9$' \
    program="$work/tells" las_address=node

# What check() finds, and who the primary is.
finds() { # NAME PATTERN PLUGIN WHAT SETTING...
    local name=$1 pattern=$2
    shift 2
    "$driver" "$plugins" "$1" "$2" 5 "${@:3}" >"$work/out" 2>>"$work/log"
    grep -Eq "$pattern" "$work/out"
    ok $? "$name"
}
finds "check finds the CLI in PATH" '^SCONE CLI sh: good$' \
    scone-cli check program=sh config="$owner/config.json"
finds "check tells the CLI's version" '^version of the SCONE CLI: good: scone 6\.0\.3$' \
    scone-cli check program="$scone" config="$owner/config.json"
finds "check tells why there is none" "^version of the SCONE CLI: good: 'false --version': exit " \
    scone-cli check program=false config="$owner/config.json"
options='^options of the SCONE CLI: '
finds "check knows the options of a CLI" "${options}good\$" \
    scone-cli check program="$scone" config="$owner/config.json" tolerate='[group-out-of-date]'
export SCONE_SANDBOX_VERSION=5.8.0
finds "check names the option that an old CLI does not know" \
    "${options}bad: tolerate: '.* cas register-backup --help' does not list -S:" scone-cli check \
    program="$scone" config="$owner/config.json" tolerate='[sw-hardening-needed]'
finds "check names the retries that an old CLI does not know" \
    "${options}bad: retries: '.* cas register-upgrade --help' does not list --retries:" scone-cli \
    check program="$scone" config="$owner/config.json" retries=2 command=register-upgrade
kind=config
check "an old CLI with a newer configuration" 10 \
    '^failed: Could not read the configuration: unknown field .session_signing_[^ ]*: \*{64}$'
unset SCONE_SANDBOX_VERSION
finds "check has doubts where a CLI has no help" \
    "${options}good: 'false cas register-backup --help': exit status 1" scone-cli check \
    program=false config="$owner/config.json" retries=2
finds "check says when a chain ends" '^pinned chain of CAS localhost: good: .*expires at .*in 9 days' \
    scone-cli check config="$owner/ending.json"
finds "check says when a chain ends, without the CLI" \
    '^pinned chain of CAS localhost: good: .*expires at .*in 9 days' \
    cas-api check config="$owner/ending.json"
finds "check misses a CLI" '^SCONE CLI no-such-scone: bad: .*is not found$' \
    scone-cli check program=no-such-scone config="$owner/config.json"
finds "check finds an expired chain" '^pinned chain of CAS localhost: bad: .*expired at' \
    scone-cli check config="$owner/expired.json"
finds "check says that the primary is down" '^primary CAS localhost:[0-9]+: bad: ' \
    cas-api check config="$owner/config.json"
start_pair
finds "check says that the primary answers" '^primary CAS localhost:[0-9]+: good$' \
    cas-api check config="$owner/config.json"
finds "check tells the primary's version" '^version of the primary CAS: good: 5\.8\.0-sandbox$' \
    cas-api check config="$owner/config.json"
calls='^calls of cas-api: good: .*'
finds "check names the page where nobody checked the calls" "$calls docs/cas-api.md" \
    cas-api check config="$owner/config.json"
finds "check names the versions where they were checked with another" \
    "$calls is of version 5.8.0-sandbox, and .* checked with 6.0.3" \
    cas-api check config="$owner/config.json" verified_with=6.0.3
"$driver" "$plugins" cas-api check 5 config="$owner/config.json" verified_with=5.9.1 >"$work/out"
! grep -q "^calls of" "$work/out"
ok $? "check has no doubts where they were checked with this one"
stop_all
id=$("$driver" "$plugins" cas-api primary 5 config="$owner/config.json" cas=192.0.2.7)
finds "both plugins know the primary by its chain" "^localhost:[0-9]+ ${id#* }\$" \
    scone-cli primary config="$owner/config.json"
finds "a session is known by its name and the primary" '^mycas [0-9a-f]{64}$' \
    scone-cli primary cas=mycas session=policy/register
finds "a session without a primary is a wrong setting" '^invalid: a session needs .*set cas' \
    scone-cli primary session=policy/register
finds "a session of another form is a wrong setting" "^invalid: session: 'policy' is not" \
    scone-cli primary cas=mycas session=policy
finds "our own node must be known" '^invalid: las_address: .*POD_HOST_IP' \
    scone-cli primary cas=mycas session=policy/register las_address=node
finds "a configuration that is missing is a wrong setting" '^invalid: .*/nowhere.json' \
    cas-api primary config=/nowhere.json

# What the CLI cannot read it may quote.
kind=config
# shellcheck disable=SC2016
program quotes 'echo "Error: cannot read $(tr -d "\n" <"$SCONE_CLI_CONFIG" | cut -c1-4000)" >&2; exit 1'
check "a CLI that quotes its configuration" 10 '^failed: cannot read .*default_cas' \
    program="$work/quotes"
# shellcheck disable=SC2016
program tells_seed 'seed=$(sed -n "s/.*_seed\": \"\([0-9a-f]*\).*/\1/p" "$SCONE_CLI_CONFIG")
echo "Caused by: seed ${seed#????}." >&2; exit 1'
check "a CLI that quotes a part of the second secret" 10 '^failed: seed \*{60}\.$' \
    program="$work/tells_seed"

# The owner's secrets: in no file but the owner's own, whatever happened.
key=$(sed -n 's/.*BEGIN PRIVATE KEY-----\\n\([A-Za-z0-9+/]*\).*/\1/p' "$owner/config.json")
seed=$(sed -n 's/.*_seed": "\([0-9a-f]*\).*/\1/p' "$owner/config.json")
key_is_in() { grep -rqsF -e "${key:8:40}" -e "${seed:4:12}" "$@"; }
[ ${#key} -ge 60 ] && [ ${#seed} = 64 ] && key_is_in "$owner/config.json" &&
    ! key_is_in "$TMPDIR" "$work/log"
ok $? "no secret is left behind by success, failure and timeout"

# shellcheck disable=SC2016
program waits 'echo $$ >"$HOME/started"; exec sleep 60'
mkfifo "$work/started"
start_pair
# left_and_removed FOLDER: a killed pass leaves a key there, and the next pass removes it
left_and_removed() {
    local driver_pid child left
    "$driver" "$plugins" scone-cli "$backup" 60 program="$work/waits" config="$owner/config.json" &
    driver_pid=$!
    read -r child <"$work/started"
    pids+=("$child")
    kill -9 "$driver_pid"
    wait "$driver_pid" 2>/dev/null
    key_is_in "$1" && left=yes || left=no
    "$driver" "$plugins" scone-cli primary 5 config="$owner/config.json" >"$work/out" 2>>"$work/log"
    [ "$left" = yes ] && ! key_is_in "$1" "$work/log" && [ -z "$(ls -A "$TMPDIR")" ]
}
for place in "$TMPDIR" /dev/shm; do
    [ "$place" = "$TMPDIR" ] || unset XDG_RUNTIME_DIR
    # in a folder that others use, the pass of another test may come first
    for _ in 1 2 3 4 5; do left_and_removed "$place" && break; done
    ok $? "a killed pass leaves a key in ${place/"$TMPDIR"/XDG_RUNTIME_DIR} that the next one removes"
done
finish
