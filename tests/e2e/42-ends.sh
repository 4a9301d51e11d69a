#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How passes end before they are done: killed, asked to end, too late, locked out.
# shellcheck disable=SC2119,SC2317 # functions are called by name
# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "${srcdir:-.}/tests/e2e/cluster.sh"
start_cluster

hold_cli
start_pass run
is "registrations are under way" until_true 60 held 2
is "with their pods" test "$(pods | wc -l)" = 2

write_settings
first_pid=$pass_pid
pass 5 "a second pass is locked out" run
has err "$(hostname)" "and says by whom"
pass_pid=$first_pid

begin=$SECONDS
kill -TERM "$pass_pid"
end_pass 143 "a pass that is asked to end says so"
is "within 20 s" test $((SECONDS - begin)) -le 20
is "and leaves nothing" until_true 30 nothing_left
is "and has registered nothing" test "$(registrations)" = 0

hold_cli
start_pass run
until_true 60 held 2
kill -KILL "$pass_pid"
end_pass 137 "a pass is killed"
is "which leaves pods" test "$(pods | wc -l)" = 2
write_settings
pass 0 "the next pass ends well" run -o json
is "it registers all" test "$(jq .counts.new "$work/out")" = 2
is "it cleans up" until_true 30 nothing_left
is "each is registered once" test "$(registrations)" = 2
end_held

hold_cli
begin=$SECONDS
pass 1 "a pass that reaches its deadline fails" run --deadline 10s --force all
is "in time" test $((SECONDS - begin)) -le 30
is "and cleans up, too" until_true 30 nothing_left
write_settings

# a log that nobody reads: the pipe is full, and has somebody at both ends who does nothing
mkfifo "$work/fifo"
exec {pipe}<>"$work/fifo"
timeout 0.5 cat /dev/zero >"$work/fifo"
hold_cli
err=$work/fifo start_pass run --force all -v
is "a pass whose log nobody reads goes on" until_true 60 held 2
begin=$SECONDS
kill -TERM "$pass_pid"
end_pass 143 "and ends when it is asked to"
is "within 20 s" test $((SECONDS - begin)) -le 20
is "with nothing left, the lease included" until_true 30 nothing_left
exec {pipe}>&-

hold_cli
start_pass run --force all
until_true 60 held 2
for pod in $(pods); do
    api DELETE "/api/v1/namespaces/$namespace/pods/$pod" >/dev/null
done
kill -INT "$pass_pid"
end_pass 130 "a pass whose pods others deleted ends as well"
is "and leaves nothing either" until_true 30 nothing_left
finish
