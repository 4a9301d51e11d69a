#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What becomes of nodes shows on them: Events, and the label of protected nodes.
# shellcheck disable=SC2119,SC2317 # functions are called by name
# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "${srcdir:-.}/tests/e2e/cluster.sh"
start_cluster
write_settings 'events: true' 'label: true'

# events JQ: of the instance's Events, as an array in their order.
events() {
    api GET /apis/events.k8s.io/v1/namespaces/default/events |
        jq -r "[.items[] | select(.metadata.name | startswith(\"$instance-\"))] |
            sort_by(.metadata.creationTimestamp, .metadata.name) | $1"
}
# events_are NODE REASON...
events_are() {
    local node=$1
    shift
    [ "$(events "map(select(.regarding.name == \"$node\") | .reason) | join(\" \")")" = "$*" ]
}
labels_are() { # NODE...: these have the label and no other
    [ "$(api GET "/api/v1/nodes?labelSelector=cas-backup/$instance" |
        jq -r '[.items[].metadata.name] | join(" ")')" = "$*" ]
}
writes() { api GET /sandbox/counts | jq -c '[.["create events"] // 0, .["patch nodes"] // 0]'; }
# select_node NODE true|null: whether the settings' selector has it.
select_node() { api PATCH "/api/v1/nodes/$1" "{\"metadata\": {\"labels\": {\"e2e\": $2}}}" >/dev/null; }

pass 0 "check asks for what both need" check
has out "patch nodes" "the right to set labels"
has out "create events in namespace 'default'" "and that to make Events"

cordon node-2
pass 0 "the first pass ends well" run
is "the registered node is told so" events_are node-1 Registered
is "the one that is skipped that it is not protected" events_are node-2 NotProtected
is "with its reason" test "$(events 'map(select(.reason == "NotProtected").note | test(": unschedulable$")) | all')" = true
is "the Event has the node's own uid" test "$(events 'map(select(.regarding.name == "node-1").regarding.uid) | first')" = \
    "$(api GET /api/v1/nodes/node-1 | jq -r .metadata.uid)"
is "only the registered one has the label" labels_are node-1
uncordon node-2
pass 0 "a pass registers the other one" run
is "which has the label then" labels_are node-1 node-2

before=$(writes)
pass 0 "an idle pass ends well" run
is "and makes no Event and sets no label" test "$(writes)" = "$before"

set_boot_id node-1 "another-boot"
cordon node-1
pass 0 "a pass after a hardware change ends well" run
is "the changed node has lost the label" labels_are node-2
is "and is told why" events_are node-1 Registered HardwareChanged
uncordon node-1
break_images node-1
pass 1 "a node that cannot be registered fails" run
is "it is told so" events_are node-1 Registered HardwareChanged RegistrationFailed
is "and has no label" labels_are node-2
pass 1 "it fails again" run
is "and is not told again so soon" events_are node-1 Registered HardwareChanged RegistrationFailed
mend_images node-1
pass 0 "it is registered" run
is "is told so" events_are node-1 Registered HardwareChanged RegistrationFailed Registered
is "and has the label again" labels_are node-1 node-2

# The label goes before the node is registered anew, which may take a while.
hold_cli
program_cli=$work/held-scone write_settings 'events: true' 'label: true'
set_boot_id node-1 "a-third-boot"
start_pass run
until_true 60 held 1
is "while a changed node is registered it has no label" labels_are node-2
kill -INT "$pass_pid"
end_pass 130 "the pass is ended"
end_held
write_settings 'events: true' 'label: true'
pass 0 "the next one registers it" run
is "and it has the label" labels_are node-1 node-2

select_node node-2 null
pass 0 "a pass without a node that left the selection ends well" run
is "the node has lost the label" labels_are node-1
select_node node-2 '"true"'
pass 0 "it comes back" run
is "and has it again, without a registration" labels_are node-1 node-2
pass 0 "forget ends well" forget node-2
is "a node that is forgotten has none" labels_are node-1
pass 0 "it is registered again" run
is "and has it again" labels_are node-1 node-2

faults '[{"match": "POST */events", "status": 500}, {"match": "PATCH /api/v1/nodes/*", "status": 403}]'
pass 0 "Events and labels that cannot be written fail no pass" run --force all
has err "no further ones are made in this pass" "the log says that no Event could be made"
faults '[]'

pass 0 "cleanup ends well" cleanup
is "and leaves the label" labels_are node-1 node-2
write_settings
pass 0 "cleanup --label ends well, whatever the settings say" cleanup --label
is "and takes it from all" labels_are ""
is "nothing is left over" until_true 30 nothing_left
stop_cluster
finish
