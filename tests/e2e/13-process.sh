#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How the process behaves: signals, limits, closed streams.
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"

mkfifo "$work/log"

# start PLUGIN [COMMAND...]: runs `check` with a mock in the background, by COMMAND, until all
# plugins are open. Its log is read from descriptor 3, its process is in $pid.
start() {
    printf '%s\n' "discovery: [{plugin: $1}]" 'registration: {plugin: good}' \
        'state: {plugin: good}' >"$work/s.yaml"
    shift
    "$@" "$program" check --plugin-dir "$mocks" -f "$work/s.yaml" >"$work/out" 2>"$work/log" &
    pid=$!
    exec 3<"$work/log"
    await "instance 'mycas-backup'"
}

# await TEXT: reads the log up to a line with this text.
await() {
    while read -r line <&3; do
        case $line in
        *"$1"*) return 0 ;;
        esac
    done
    return 1
}

# ended STATUS NAME: waits for the end of the program and tests its exit status.
ended() {
    cat <&3 >"$work/err"
    wait "$pid"
    [ $? -eq "$1" ]
    ok $? "$2"
}

start check-waits
kill -TERM "$pid"
await 'SIGTERM: cleaning up'
ok $? 'a signal is logged'
ended 143 'the program ends in order with 128 + SIGTERM'
has out 'cancelled' 'and prints what it has'

start check-waits
kill -HUP "$pid"
ended 129 'SIGHUP ends it in order too'

start check-hangs
kill -TERM "$pid"
await 'SIGTERM: cleaning up'
kill -INT "$pid" # one request may come as two signals
sleep 1.1
kill -0 "$pid"
ok $? 'a second signal that comes with the first is the same request'
kill -HUP "$pid"
ended 129 'a later one ends it at once'

start check-waits env --ignore-signal=HUP
kill -HUP "$pid"
kill -TERM "$pid"
ended 143 'SIGHUP is ignored under nohup'

start check-hangs env --ignore-signal=CHLD
[ "$(awk '/core file/ { print $5, $6 }' "/proc/$pid/limits")" = '0 0' ]
ok $? 'it leaves no core dump'
awk '/^Umask/ { exit $2 != "0077" }' "/proc/$pid/status"
ok $? 'its files are private'
awk '/^SigIgn/ { exit substr($2, length($2) - 3, 1) !~ /[13579bdf]/ }' "/proc/$pid/status"
ok $? 'it ignores SIGPIPE'
awk '/^SigIgn/ { exit substr($2, length($2) - 4, 1) ~ /[13579bdf]/ }' "/proc/$pid/status"
ok $? 'it sees the end of its children, whatever its parent ignores'
kill -KILL "$pid"
ended 137 'and SIGKILL is the end'

# One's own processes are open to oneself; root must give its rights up to be held to that.
plain=
[ "$(id -u)" != 0 ] || plain='setpriv --bounding-set=-all --inh-caps=-all'
$plain sleep 60 &
other=$!
# shellcheck disable=SC2086 # words of a command
start check-hangs $plain
while grep -qsx setpriv "/proc/$other/comm"; do sleep 0.02; done
if $plain cat "/proc/$other/environ" >"$work/out" 2>"$work/err"; then
    ! $plain cat "/proc/$pid/environ" >"$work/out" 2>"$work/err"
    ok $? 'nobody looks into its memory'
fi
kill "$other"
kill -KILL "$pid"
ended 137 'and it is gone'

"$program" --version <&- >"$work/out" 2>&-
ok $? 'closed streams do no harm'
has out 'plugin ABI' 'to the open one'

SELECTOR_LABLE=a CONTROLLER_LOOP_INTERVAL_SECONDS=60 "$program" --plugin-dir "$mocks" -f "$work/s.yaml" --session x \
    >"$work/out" 2>"$work/err"
has err 'SELECTOR_LABLE is not known and not used; is SELECTOR_LABEL meant?' 'a misspelt variable is told'
has err 'CONTROLLER_LOOP_INTERVAL_SECONDS is not used' 'the old interval is said to have no effect'
finish
