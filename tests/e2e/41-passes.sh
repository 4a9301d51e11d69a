#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Passes over a cluster, one after the other: what each registers, keeps, skips and reports.
# shellcheck disable=SC2119,SC2317 # functions are called by name
# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "${srcdir:-.}/tests/e2e/cluster.sh"
start_cluster

# outcome NODE: from the JSON report that was printed.
outcome() { jq -r ".nodes[] | select(.name == \"$1\") | .outcome + \" \" + .reason" "$work/out"; }
outcome_is() { [ "$(outcome "$1")" = "$2" ]; }
message_has() {
    jq -r ".nodes[] | select(.name == \"$1\") | .message" "$work/out" | grep -qF -- "$2"
}
# counts_are [NODES,SELECTED,REGISTERED,NEW,KEPT,FAILED,SKIPPED,ABSENT]
counts_are() { [ "$(jq -c '[.counts[]]' "$work/out")" = "$1" ]; }

pass 0 "plan ends well" plan
has out "register" "and says what would be done"
is "plan changes nothing" test "$(pods_created)$(records length)$(leases)" = 00
is "plan registers nothing" test "$(registrations)" = 0

pass 0 "the first pass ends well" run -o json
is "node-1 is new" outcome_is node-1 "registered new"
is "node-2 is new" outcome_is node-2 "registered new"
is "the counts add up" counts_are '[2,2,2,2,0,0,0,0]'
is "the primary knows both" test "$(registrations)" = 2
is "the records say so" test "$(records 'map(select(.status == "registered")) | length')" = 2
is "nothing is left over" until_true 30 nothing_left

# writes: how many requests so far changed something, but for those of the lock (in the sandbox)
writes() {
    api GET /sandbox/counts | jq '[to_entries[] | select(.key | test("^(create|update|patch|delete)")) |
        select(.key | test("leases") | not) | .value] | add // 0'
}
before=$(pods_created)
on_lab || written=$(writes)
wrote() { on_lab || [ "$(writes)" = $((written + $1)) ]; }
pass 0 "the second pass ends well" run -o json
is "it writes that it began and how it ended, and nothing else" wrote 2
is "it keeps both" counts_are '[2,2,2,0,2,0,0,0]'
is "it creates no pod" test "$(pods_created)" = "$before"
is "it registers nothing" test "$(registrations)" = 2

pass 0 "status ends well" status
has out node-1 "status shows the nodes"
pass 0 "coverage ends well" coverage
pass 4 "coverage of a stranger is none" coverage stranger
# known STATUS COMMAND...: without the owner's key
known() { run "$1" "'${*:2}' needs no key" "${@:2}" --plugin-dir "$builddir/.libs" --file "$settings"; }
known 0 status
grep -Eq '^node-2 .*registered +yes' "$work/out"
ok $? "it knows which primary is meant"
known 0 coverage node-1 node-2
has out 'the database opens on 2 of 2' "and where its database opens"
known 0 cleanup
known 0 forget node-2
known 4 coverage node-2
pass 0 "what is forgotten is registered again" run -o json
is "and nothing else" counts_are '[2,2,2,1,1,0,0,0]'

set_boot_id node-1 "another-boot"
start_pass run -o json
# The scan is over when the pod is there.
some_pods() { [ -n "$(pods)" ]; }
until_true 20 some_pods
thaw node-1
end_pass 0 "a pass after a hardware change ends well"
is "the changed node is registered again" outcome_is node-1 "registered boot-id-changed"
is "the other one is kept" outcome_is node-2 "kept "

pass 0 "forget ends well" forget node-2
cordon node-2
pass 0 "a pass with a cordoned node ends well" run -o json
is "it is skipped" outcome_is node-2 "skipped unschedulable"
uncordon node-2
pass 0 "a pass after uncordon ends well" run -o json
is "it is registered" outcome_is node-2 "registered new"

break_images node-1
before=$(registrations)
pass 1 "a pass with a node that cannot pull fails" run -o json --force all
is "it fails alone" counts_are '[2,2,2,1,0,1,0,0]'
is "the other one is registered" test "$(registrations)" = $((before + 1))
is "it says why" message_has node-1 "image cannot be pulled"
is "its record says why" test -n "$(records 'map(select(.name == "node-1").error) | join("")')"
mend_images node-1
pass 0 "the next pass ends well" run --report "$work/report" -q
cp "$work/report" "$work/out"
is "and tries it again" outcome_is node-1 "registered retry"
report_is() { jq -e "$1" "$work/out" >/dev/null; }
is "the report has all keys" report_is '.version == 1 and .exit == 0 and (.instance | length > 0) and
    (.primary | length > 0) and (.started | test("^[0-9-]{10}T[0-9:.]*Z$")) and
    (.finished >= .started) and (.seconds >= 0) and (.nodes | all(.uid and .source))'

top='min_registered: 3' write_settings
pass 4 "too few registered nodes are status 4" run
write_settings
pass 3 "a plugin that cannot be loaded is status 3" run --plugin-dir /nowhere
pass 3 "an API that is not there is status 3" run --kubeconfig /nowhere
pass 0 "cleanup ends well" cleanup
pass 0 "check ends well" check
api POST /api/v1/namespaces/scone/pods '{"metadata": {"name": "mycas-bc", "labels":
    {"app.kubernetes.io/name": "backup-controller"}}, "spec": {"containers": [{"name": "bc", "image": "bc"}]}}' >/dev/null
pass 0 "check beside another controller" check
has out "backup controller 'scone/mycas-bc'" "names its pod"
image=registry.scontain.com:5050/sconecuratedimages/services:cas-scone5 write_settings
pass 0 "check with the default image" check
has out "set \`image\` to the primary's own" "says what is wrong with it"
image=registry.scontain.com/scone.cloud/cas-preprovisioned:6.0.3 write_settings
pass 3 "check with a preprovisioned image fails" check
has out "never unprovisioned" "and says why"
write_settings
is "nothing is left over at the end" until_true 30 nothing_left
finish
