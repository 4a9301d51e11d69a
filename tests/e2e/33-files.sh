#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Files as people and file systems have them.
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

# is WORD... NAME: a test command's outcome.
is() {
    "${@:1:$#-1}"
    ok $? "${*: -1}"
}

start_primary
write_settings 2 "$cli"

# ---- a byte order mark, as some editors put it before a text

# mark FILE: puts one before it.
mark() {
    { printf '\357\273\277'; cat "$1"; } >"$work/marked"
    cat "$work/marked" >"$1"
}

printf '%s\n' 'server-1 127.0.0.2' 'server-2 127.0.0.3' >"$work/hosts.txt"
sed -i -e "s#^    hosts:\$#    hosts_file: $work/hosts.txt#" -e '/^      - {name:/d' "$settings"
for file in "$settings" "$work/hosts.txt" "$owner/config.json"; do
    mark "$file"
done
pass 0 'a byte order mark before settings, hosts and configuration' run
has out '2 registered (2 new, 0 kept)' 'is passed over'
mark "$state"
pass 0 'and before the state' run
has out '2 registered (0 new, 2 kept)' 'that is read'
printf '\357\273\277server-1\n' >"$work/names"
pass 0 'and before names on standard input' coverage - <"$work/names"
has out 'the database opens on 1 of 1' 'of which the first is known'

# ---- a path of the state that leads to something else

# refused STATUS PATH TEXT NAME: the path is wrong as the state's, and the pass says why.
refused() {
    sed -i "s#^state:.*#state: {plugin: file, path: $2}#" "$settings"
    pass "$1" "$4" run
    has err "$3" 'is refused'
}
for file in "$owner/config.json" "$settings" "$work/hosts.txt"; do
    cp "$file" "$work/before"
    refused 3 "$file" "another's file" "${file##*/} as the state"
    [ "$file" = "$settings" ] || is cmp -s "$file" "$work/before" 'and untouched'
    is [ ! -e "$file.lock" ] 'with no lock beside it'
done
mkfifo "$work/fifo"
refused 2 "$work/fifo" 'is no regular file' 'a pipe as the state'
refused 2 /dev/null 'is no regular file' 'a device as the state'
is [ ! -e /dev/null.lock ] 'with no lock beside it'
sed -i "s#^state:.*#state: {plugin: file, path: $state}#" "$settings"
cp "$owner/config.json" "$state.lock"
pass 2 'another file where the lock should be' run
is cmp -s "$owner/config.json" "$state.lock" 'is untouched'
rm "$state.lock"

# ---- a report over something else

for file in "$owner/config.json" "$settings" "$state" "$work/hosts.txt"; do
    cp "$file" "$work/before"
    pass 2 "a report over ${file##*/}" run --report "$file"
    is cmp -s "$file" "$work/before" 'leaves it untouched'
done
pass 0 'a report where none was' run --report "$work/report.json"
pass 0 'and over that one' run --report "$work/report.json"
rm "$state"
pass 3 'a report where the state comes first' run --report "$state"
has err "report '$state': '$state' is another's file" 'is refused'
pass 0 'and the records' run
has out '2 registered (0 new, 2 kept)' 'are there'

# ---- pipes that nobody writes or reads

# held STATUS SIGNAL NAME COMMAND [OPTION...]: a pass that waits for nobody ends by the signal, or
# where that is 0 by its deadline, with that status. What is missing of the options is added.
held() {
    local begin=$SECONDS
    "$program" "${@:4}" --plugin-dir "$builddir/.libs" >"$stdout" 2>"$stderr" <"$stdin" &
    pid=$!
    if [ "$2" != 0 ]; then
        sleep 0.5 # it comes too early only for what is tested here, not for its outcome
        kill -"$2" "$pid"
    fi
    wait "$pid"
    is [ $? -eq "$1" ] "$3"
    is [ $((SECONDS - begin)) -lt 20 ] 'soon'
}
stdin=/dev/null stdout=$work/out stderr=$work/err
cp "$settings" "$work/fifo-hosts.yaml"
sed -i "s#hosts_file:.*#hosts_file: $work/fifo#" "$work/fifo-hosts.yaml"
config=(--config "$owner/config.json")
rm "$work/fifo"
mkfifo "$work/fifo"
held 3 0 'settings from a pipe: the deadline' run --deadline 1s -f "$work/fifo" "${config[@]}"
has err 'the time is over' 'is named'
held 143 TERM 'settings from a pipe: a signal' run -f "$work/fifo" "${config[@]}"
held 3 0 'hosts from a pipe: the deadline' run --deadline 1s -f "$work/fifo-hosts.yaml" "${config[@]}"
held 130 INT 'hosts from a pipe: a signal' status -f "$work/fifo-hosts.yaml" "${config[@]}"
held 3 0 'a configuration from a pipe: the deadline' \
    run --deadline 1s -f "$settings" --config "$work/fifo"
held 143 TERM 'a configuration from a pipe: a signal' check -f "$settings" --config "$work/fifo"
held 3 0 'a kubeconfig from a pipe: the deadline' \
    run --deadline 1s --kubeconfig "$work/fifo" "${config[@]}"
held 129 HUP 'a kubeconfig from a pipe: a signal' plan --kubeconfig "$work/fifo" "${config[@]}"
held 3 0 'a report into a pipe: the deadline' \
    run --deadline 1s -f "$settings" --report "$work/fifo" "${config[@]}"
held 143 TERM 'a report into a pipe: a signal' \
    run -f "$settings" --report "$work/fifo" "${config[@]}"

ln -s fifo "$work/fifo.prom"
{ cat "$settings"; echo "metrics: {file: $work/fifo.prom}"; } >"$work/fifo-metrics.yaml"
held 0 0 'metrics into a pipe hold no pass up' run -f "$work/fifo-metrics.yaml" "${config[@]}"
has err "metrics are not written: '$work/fifo.prom' is no regular file" 'and are a warning'

exec {pipe}<>"$work/fifo" # the kernel has a pipe with somebody at both ends, who does nothing
stdin=$work/fifo
held 3 0 'names that never come: the deadline' \
    coverage - --deadline 1s -f "$settings" "${config[@]}"
held 143 TERM 'names that never come: a signal' coverage - -f "$settings" "${config[@]}"
stdin=/dev/null
timeout 0.5 cat /dev/zero >"$work/fifo"
stdout=$work/fifo
held 3 0 'output that nobody reads: the deadline' run --deadline 1s -f "$settings" "${config[@]}"
held 143 TERM 'output that nobody reads: a signal' status -o json -f "$settings" "${config[@]}"
stdout=$work/out stderr=$work/fifo
held 0 0 'a log that nobody reads does not hold a pass up' \
    run -v --force all -f "$settings" "${config[@]}"
has out '2 registered (2 new, 0 kept)' 'which does all it should'
exec {pipe}>&-

# ---- pipes that somebody writes and reads

pass_from() { run 0 "$1" run "${@:2}" --plugin-dir "$builddir/.libs"; }
pass_from 'settings by process substitution' -f <(cat "$settings") "${config[@]}"
pass_from 'configuration by process substitution' -f "$settings" --config <(cat "$owner/config.json")
exec {list}< <(cat "$work/hosts.txt")
sed -i "s#hosts_file:.*#hosts_file: /dev/fd/$list#" "$work/fifo-hosts.yaml"
pass_from 'hosts by process substitution' -f "$work/fifo-hosts.yaml" "${config[@]}"
exec {list}<&-
cat "$work/fifo" >"$work/piped.json" &
reader=$!
pass_from 'a report into a pipe' -f "$settings" --report "$work/fifo" "${config[@]}"
wait "$reader"
is grep -q '"registered": 2' "$work/piped.json" 'comes out there'

# ---- streams that are closed: no file that is opened may take their place

for closed in '<&-' '>&-' '2>&-' '<&- >&-' '<&- 2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
    eval '"$program" run --force all -v --plugin-dir "$builddir/.libs" -f "$settings" "${config[@]}"' \
        '>"$work/out" 2>"$work/err"' "$closed"
    is [ $? -eq 0 ] "a pass with $closed"
    is [ "$(head -c 12 "$state")" = '{"version":1' ] 'keeps its state whole'
done
finish
