#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whoever can write a text that a pass reads (a node, a kubelet, the API server, the CLI) puts control
# characters, marks that turn the direction of writing, and a line's end into it: none of them comes
# through to the log, a table, the report or the state.
# shellcheck disable=SC2119 # functions are called by name
# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "${srcdir:-.}/tests/e2e/cluster.sh"
E2E_CLUSTER=sandbox
start_cluster

# As JSON: colours and the title of a terminal, C1's CSI, right-to-left override, a line of one's own.
evil='\u001b[31mred\u001b]0;title\u0007 \u009b2J \u202edrow \u2066x\u2069 \r\n2026-01-01 error forged\t'
hidden='[\x00-\x09\x0b-\x1f\x7f\x{80}-\x{9f}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}]'

# shows NAME PATTERN FILE: the text came through to there, which shows that it was looked for.
shows() { is "$1" grep -q "$2" "$3"; }
# clean NAME FILE...: there is nothing hidden there, and no line begins as it should not.
clean() {
    local name=$1
    shift
    ! LC_ALL=C.UTF-8 grep -nP "$hidden" "$@" >"$work/hits" &&
        ! grep -n '^2026-01-01 error forged' "$@" >>"$work/hits"
    ok $? "$name"
    sed 's/^/# /' "$work/hits"
}
# texts FILE: prints each text in a file of JSON, its line's ends as \n
texts() { jq -r '.. | strings | gsub("\n"; "\u0001")' "$1"; }

for node in node-3 node-4; do add_node $node; done
annotate node-1 sandbox/pull-error "\"pull: $evil\""
api PATCH /api/v1/nodes/node-2 "{\"spec\": {\"taints\": [{\"key\": \"taint: $evil\", \"effect\": \"NoSchedule\"}]}}" >/dev/null
api PATCH /api/v1/nodes/node-3/status "{\"status\": {\"nodeInfo\": {\"bootID\": \"boot: $evil\"}}}" >/dev/null
jq -jn "\"Error: cli: $evil\"" >"$work/evil"
printf '%s\n' '#!/bin/sh' "cat $work/evil >&2" 'exit 1' >"$work/evil-scone"
chmod +x "$work/evil-scone"
program_cli=$work/evil-scone write_settings
faults "[{\"match\": \"DELETE */pods/*\", \"status\": 403, \"reason\": \"Forbidden\", \"times\": 1,
    \"message\": \"api: $evil\"}]"

pass 4 'a pass that registers nothing' run -v --report "$work/report"
shows 'a kubelet has its text in the log' 'pull: .*red' "$work/err"
shows 'the CLI too' 'cli: .*red' "$work/err"
shows 'and the API server' 'api: .*red' "$work/err"
shows 'a taint has its text in the table' 'taint: .*red' "$work/out"
clean 'what is printed and logged has nothing hidden' "$work/out" "$work/err"
texts "$work/report" >"$work/texts"
shows 'the report has them too' 'red' "$work/texts"
clean 'with nothing hidden' "$work/texts" "$work/report"
records . >"$work/records"
texts "$work/records" >"$work/texts"
shows 'the state has them too' 'red' "$work/texts"
clean 'with nothing hidden' "$work/texts"
for output in table json; do
    pass 0 "status, as $output" status -o $output
    shows 'has them' 'red' "$work/out"
    clean 'with nothing hidden' "$work/out"
done
pass 0 'plan' plan -v
clean 'has nothing hidden' "$work/out" "$work/err"

# Somebody else writes the state itself. The node of the one record is absent, that of the other there.
faults '[]'
echo 'metrics: {per_node: true}' >>"$settings"
there=$(api GET /api/v1/nodes/node-4 | jq -r .metadata.uid)
record=$(jq -nc --argjson evil "\"$evil\"" '"2026-01-01T00:00:00Z" as $long_ago |
    (["name", "source", "primary", "release", "las_source", "reason", "error", "las_qe_id", "boot_id"] |
        map({(.): "\(.): \($evil)"}) | add) +
    {status: "registered", registered: $long_ago, unprotected: $long_ago}')
api PATCH "/api/v1/namespaces/$namespace/configmaps/$instance-state" "$(jq -nc --arg there "$there" \
    --arg record "$record" '{data: {($there): $record, "of-another": $record}}')" >/dev/null
while read -r status shown command; do
    # shellcheck disable=SC2086 # several words
    pass "$status" "$command" $command
    shows 'has what the state holds' "$shown" <(cat "$work/out" "$work/err")
    clean 'with nothing hidden' "$work/out" "$work/err"
done <<EOF
0 source:.red status
0 boot_id:.red status -o wide
0 source:.*red status -o json
0 name:.red status -o name
0 source:.red status -o prometheus
4 name:.red coverage of-another
4 release:.*red coverage -o json of-another
0 source.*:.red.*UID explain of-another
0 release:.red explain node-4
0 source:.*red explain -o json of-another
0 . plan -v
0 . plan -o json
4 node-4 run -v
0 1.nodes.forgotten forget of-another
EOF
finish
