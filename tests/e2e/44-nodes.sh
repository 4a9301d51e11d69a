#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Nodes and pods in all the states that keep a node from being registered.
# shellcheck disable=SC2119,SC2317 # functions are called by name
# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "${srcdir:-.}/tests/e2e/cluster.sh"
E2E_CLUSTER=sandbox
start_cluster
for i in 3 4 5 6 7 8; do
    add_node "node-$i"
done
patch() { api PATCH "/api/v1/nodes/$1${3-}" "$2" >/dev/null; }
outcome_is() {
    [ "$(jq -r ".nodes[] | select(.name == \"$1\") | .outcome + \" \" + .reason" "$work/out")" = "$2" ]
}
message_has() {
    jq -r ".nodes[] | select(.name == \"$1\") | .message" "$work/out" | grep -qF -- "$2"
}

patch node-1 '{"metadata": {"labels": {"node-role.kubernetes.io/control-plane": ""}}}'
patch node-2 '{"spec": {"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]}}'
patch node-3 '{"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}' /status
patch node-4 '{"status": {"allocatable": {"sgx.intel.com/enclave": "0"}}}' /status
patch node-5 '{"metadata": {"labels": {"e2e": "false"}}}'
annotate node-6 sandbox/never-ready '"true"'
annotate node-7 sandbox/refuse '"UnexpectedAdmissionError"'

write_settings 'ready_timeout: 6s'
pass 1 "a pass over all kinds of nodes" run -o json
is "a control plane is skipped" outcome_is node-1 "skipped control-plane"
is "a taint is not tolerated" outcome_is node-2 "skipped untolerated-taint (gpu)"
is "a node is not ready" outcome_is node-3 "skipped not-ready"
is "a node has no SGX" outcome_is node-4 "skipped no-sgx-resource"
is "a node is not selected" test -z "$(jq '.nodes[] | select(.name == "node-5")' "$work/out")"
is "a pod is never ready" outcome_is node-6 "failed new"
is "and its node says so" message_has node-6 "not ready after"
is "a pod is refused by the kubelet" outcome_is node-7 "failed new"
is "and its node says why" message_has node-7 "UnexpectedAdmissionError"
is "the rest is registered" outcome_is node-8 "registered new"
is "nothing is left over" until_true 30 nothing_left

write_settings 'pod: {spec: {tolerations: [{key: gpu, operator: Exists}]}}'
pass 0 "a pass that tolerates the taint" run -o json --only node-2
is "registers its node" outcome_is node-2 "registered new"
finish
