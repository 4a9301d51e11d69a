#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A pass that is killed at a random moment costs nothing but a second of records: the next one
# registers every host, removes what was started, and nobody finds the owner's key afterwards.
# $KILLS says how many are killed (20).
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh" || exit 1

kills=${KILLS:-20}
lanes=5 # sandboxes in which this goes on side by side: a pass mostly waits
hosts_each=4
main_work=$work
seed=${SEED:-$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')}
echo "# SEED=$seed"
unset CAS_BACKUP_FILE SCONE_CAS_ADDR SCONE_CLI_CONFIG BACKUP_CAS_NAME STATE_DIRECTORY
ulimit -c unlimited

# cas_backup COMMAND...: its process replaces the shell that calls it
cas_backup() {
    cd "$work/cwd" && exec "$program" "$@" --plugin-dir "$builddir/.libs" -f "$settings" \
        --config "$owner/config.json" >>"$work/log/out" 2>>"$work/log/err"
}

# key_is_in FOLDER...: a line from the middle of the owner's key
key_is_in() {
    local key
    key=$(sed -n 's/.*BEGIN PRIVATE KEY-----\\n\([A-Za-z0-9+/]*\).*/\1/p' "$owner/config.json")
    [ ${#key} -ge 60 ] || return 0
    grep -rqF "${key:8:40}" "$@"
}

# left_behind: what a finished pass must not leave
left_behind() {
    find "$hosts" -name '*.pid'
    ! grep '"spawned"' "$work/state/state.json" || echo "a note of a spawn"
    ! key_is_in "$work/state" "$work/log" "$work/cwd" "$TMPDIR" || echo "the owner's key"
    find "$TMPDIR" "$work/cwd" -mindepth 1
    find "$work/state" -name '*damaged*' -o -name '*.tmp-*'
}

# A command of a killed pass goes on: what it begins may come after the next pass looked.
spawn_goes_on() {
    local file words
    for file in /proc/[0-9]*/cmdline; do
        { mapfile -d '' -t words <"$file"; } 2>/dev/null || continue
        [ "${words[2]-}" = spawn ] && [ "${words[3]-}" = "$hosts" ] && return
    done
    return 1
}

# killed MICROSECONDS COMMAND...: a pass that gets so much time
killed() {
    (cas_backup "${@:2}") &
    sleep "$(printf '%d.%06d' $(($1 / 1000000)) $(($1 % 1000000)))"
    kill -9 $! && hit=1 || hit=0
    wait $! 2>/dev/null
    while spawn_goes_on; do sleep 0.02; done
}

# All that one kill has to show, within the time that a whole pass took; prints what is wrong.
one_kill() { # NUMBER
    local force=() after=$((RANDOM * 32768 + RANDOM))
    # every other time there are records of all hosts
    if [ $(($1 % 2)) = 0 ]; then
        force=(--force all)
    else
        rm -f "$work/state/state.json"
    fi
    killed $((after % pass_us)) run "${force[@]}"
    echo "$hit" >>"$main_work/hits"
    [ ! -e "$work/state/state.json" ] || (cas_backup status) || echo "the state cannot be read"
    (cas_backup run --report "$work/report.json") || echo "the next pass ended with $?"
    grep -q "\"registered\": $hosts_each," "$work/report.json" || cat "$work/report.json"
    left_behind
}

# lane NUMBER: its share of the kills, in a sandbox of its own
lane() {
    work=$main_work/$1
    RANDOM=$((seed + $1))
    mkdir -p "$work/tmp" "$work/log" "$work/state" "$work/cwd"
    chmod 0700 "$work/tmp"
    export TMPDIR=$work/tmp XDG_RUNTIME_DIR=$work/tmp HOME=$work
    # shellcheck source-path=SCRIPTDIR source=../sandbox/up.sh
    . "$srcdir/tests/sandbox/up.sh"
    trap stop_sandbox EXIT
    start_primary
    case $1 in
    2) write_settings $hosts_each '{plugin: cas-api}' ;;
    *) write_settings $hosts_each "{plugin: scone-cli, program: $builddir/tests/sandbox/scone}" ;;
    esac
    sed -i "s#^state:.*#state: {plugin: file, path: $work/state/state.json}#" "$settings"
    pass_us=$(date +%s%6N)
    (cas_backup run) || echo "the first pass ended with $?"
    pass_us=$(($(date +%s%6N) - pass_us))
    for ((i = $1; i <= kills; i += lanes)); do
        one_kill "$i" >"$work/wrong" 2>>"$work/log/err"
        [ ! -s "$work/wrong" ] || {
            sed "s/^/kill $i: /" "$work/wrong"
            tail -n 20 "$work/log/err"
            break
        }
    done
    [ "$1" != 1 ] || after_the_kills
    key_is_in "$owner" || echo "the search for the key finds nothing at all"
}

# In the last sandbox: a pass that fails, and the signals that write a core.
after_the_kills() {
    echo 'out of enclave memory' >"$hosts/server-1.broken"
    (cas_backup run --force all)
    [ $? -eq 1 ] || echo "a broken host: no exit status 1"
    left_behind
    rm "$hosts/server-1.broken"
    for signal in ABRT QUIT SEGV; do
        echo 60 >"$hosts/slow"
        (cas_backup run --force all) &
        for _ in $(seq 200); do
            [ "$(count_running)" = $hosts_each ] && break
            sleep 0.05
        done
        kill -$signal $!
        wait $!
        rm "$hosts/slow"
        (cas_backup run) || echo "after SIG$signal the next pass ended with $?"
        left_behind
    done 2>>"$work/log/err"
    touch "$work/cores-checked"
}

for ((l = 1; l <= lanes; l++)); do
    (lane $l) >"$main_work/lane-$l" 2>&1 &
done
wait
cat "$main_work"/lane-* >"$main_work/out"
[ ! -s "$main_work/out" ]
ok $? "after each of $kills kills the next pass makes good for it"
[ "$(wc -l <"$main_work/hits")" = "$kills" ]
ok $? "each was tried"
echo "# $(grep -c 1 "$main_work/hits") of $kills hit a pass that was not over"
[ "$(grep -c 1 "$main_work/hits")" -ge $((kills / 4)) ]
ok $? "many hit a pass"
[ -e "$main_work/1/cores-checked" ]
ok $? "no core is written"
finish
