#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An API server that misbehaves: what heals costs time only, what does not is said.
# shellcheck disable=SC2119,SC2317 # functions are called by name
# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "${srcdir:-.}/tests/e2e/cluster.sh"
E2E_CLUSTER=sandbox
start_cluster

pods_path='/api/v1/namespaces/default/pods'
state_path='/api/v1/namespaces/default/configmaps'
lease_path='/apis/coordination.k8s.io/v1/namespaces/default/leases'
counts() { api DELETE /sandbox/counts >/dev/null; }
counted() { api GET /sandbox/counts | jq ".[\"$1\"] // 0"; }

# heals NAME FAULTS: a pass that registers both nodes in spite of them.
heals() {
    local before
    before=$(registrations)
    counts
    faults "$2"
    pass 0 "$1" run --force all
    faults '[]'
    is "$1: each node is registered once" test "$(registrations)" = $((before + 2))
    is "$1: nothing is left over" until_true 30 nothing_left
}

# ends STATUS TEXT NAME FAULTS: a pass that ends with this status and this text in its log.
ends() {
    faults "$4"
    pass "$1" "$3" run --force all --deadline 15s
    faults '[]'
    has err "$2" "$3: the reason is given"
    is "$3: nothing is left over" until_true 30 nothing_left
}

heals "429 when a pod is created" \
    "[{\"match\": \"POST $pods_path\", \"status\": 429, \"retry_after\": 1, \"times\": 3}]"
heals "503 when nodes are listed" \
    '[{"match": "GET /api/v1/nodes?*", "status": 503, "retry_after": 1, "times": 2}]'
heals "500 when pods are deleted" \
    "[{\"match\": \"DELETE $pods_path/*\", \"status\": 500, \"times\": 2}]"
heals "connections cut while nodes are listed" \
    '[{"match": "GET /api/v1/nodes?*", "cut": 200, "times": 2}]'
heals "lost answers when pods are created" \
    "[{\"match\": \"POST $pods_path\", \"cut\": 0, \"done\": true, \"times\": 2}]"
is "no pod is created twice" test "$(counted 'create pods')" = 2
heals "500 after a pod was created" \
    "[{\"match\": \"POST $pods_path\", \"status\": 500, \"done\": true, \"times\": 1}]"
heals "lost answers when pods are deleted" \
    "[{\"match\": \"DELETE $pods_path/*\", \"cut\": 0, \"done\": true, \"times\": 2}]"
heals "watches that are cut in the middle of a line" \
    "[{\"match\": \"GET $pods_path?*watch=*\", \"cut\": 700, \"times\": 3}]"
heals "a watch that begins with 410" \
    "[{\"match\": \"GET $pods_path?*watch=*\", \"status\": 410, \"times\": 1}]"
heals "a watch that gives 410" \
    "[{\"match\": \"GET $pods_path?*watch=*\", \"status\": 410, \"event\": true, \"times\": 1}]"
heals "a watch that gives garbage" \
    "[{\"match\": \"GET $pods_path?*watch=*\", \"garbage\": true, \"times\": 1}]"
heals "records that are not written at once" \
    "[{\"match\": \"PATCH $state_path/*\", \"status\": 503, \"times\": 2}]"
heals "an API server that is slow" '[{"match": "*", "delay_ms": 200}]'

ends 3 "HTTP 500" "an API server that only fails" '[{"match": "*", "status": 500}]'
ends 3 "nodes" "a list of nodes that is garbage" \
    '[{"match": "GET /api/v1/nodes?*", "garbage": true}]'
ends 3 "lease" "a lock that cannot be had" "[{\"match\": \"* $lease_path*\", \"status\": 403}]"
ends 1 "pod" "pods that cannot be created" "[{\"match\": \"POST $pods_path\", \"status\": 403}]"

for i in $(seq 3 130); do
    add_node "node-$i"
done
faults '[{"match": "GET /api/v1/nodes?*continue=*", "compact": true, "times": 1}]'
pass 0 "a list whose next page is too old goes on" plan -o json
is "and misses no node" test "$(jq '.nodes | map(.name) | unique | length' "$work/out")" = 130
faults '[{"match": "GET /api/v1/nodes?*continue=*", "status": 500, "times": 2}]'
pass 0 "a list whose next page fails goes on" plan -o json
is "and has each node once" test "$(jq '.nodes | length' "$work/out")" = 130
stop_cluster

start_cluster --deny 'create pods' --deny 'get leases'
pass 3 "check finds missing rights" check
has out "pods" "and names them"
finish
