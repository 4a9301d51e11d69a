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

write_settings 'ready_timeout: 6s' \
    'pod: {metadata: {annotations: {sandbox/log: "begins\nhttps://me:secret@host failed\u001b[31m\n"}}}'
pass 1 "a pass over all kinds of nodes" run -o json -v
has err "node 'node-6': its backup CAS said: https://***@host failed" "the last words of a failed one are shown"
is "of no other" test "$(grep -c 'node-8.*its backup CAS said' "$work/err")" = 0
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

# explained NODE TEXT NAME: what explain says of a node, for which it needs no owner's key.
explained() {
    run 0 "explain $1" explain "$1" --plugin-dir "$builddir/.libs" --file "$settings"
    has out "$2" "$3"
}
explained node-1 'reason:       control-plane: ' "it takes no part"
explained node-2 'reason:       untolerated-taint (gpu): ' "explain knows the taint"
has out 'behind that:  new: it was never registered' "what there would be to do"
has out 'run next:     kubectl describe node node-2, and take the taint off' "and how to come to it"
explained node-6 'reason:       retry: the last attempt failed' "a failed one is tried again"

write_settings 'pod: {spec: {tolerations: [{key: gpu, operator: Exists}]}}'
pass 0 "a pass that tolerates the taint" run -o json --only node-2
is "registers its node" outcome_is node-2 "registered new"

# What is copied from a manifest is what kubectl would have made of it. The API server is asked
# while the pod is there, and what it says is looked at as text: jq has numbers of its own.
cat >"$work/asking-scone" <<EOF
#!/bin/sh
curl -sS --cacert $work/ca.crt -H 'Authorization: Bearer sandbox' \\
    $server/api/v1/namespaces/$namespace/pods >$work/pods.json
exec $sandbox/scone "\$@"
EOF
chmod +x "$work/asking-scone"
pod_has() { grep -qF -- "$1" "$work/pods.json"; }
program_cli=$work/asking-scone write_settings \
    'pod: {spec: {volumes: [{name: a, secret: {secretName: a, defaultMode: 0400, optional: yes}}]}}' \
    'container: {resources: {limits: {cpu: 0.1}, requests: {cpu: 0.7, memory: 1_000}}}'
pass 0 "a pass with volumes and resources" run --only node-8 --force node-8
is "an octal mode is one" pod_has '"defaultMode":256'
is "yes is true" pod_has '"optional":true'
is "0.1 stays 0.1" pod_has '"cpu":0.1'
is "0.7 stays 0.7" pod_has '"cpu":0.7,"memory":1000'

patch node-6 '{"metadata": {"labels": {"os": "windows"}}}'
patch node-7 '{"metadata": {"labels": {"os": "windows", "arch": "arm64"}}}'
patch node-8 '{"metadata": {"labels": {"os": "linux", "arch": "arm64"}}}'
required='requiredDuringSchedulingIgnoredDuringExecution'
write_settings 'pod:' '  spec:' '    nodeSelector: {os: linux}' '    affinity:' '      nodeAffinity:' \
    "        $required:" '          nodeSelectorTerms:' \
    '            - matchExpressions: [{key: arch, operator: In, values: [amd64, arm64]}]'
pass 0 "a pass whose pods go to some nodes only" run -o json --only node-6 --only node-7 \
    --only node-8 --force node-8
is "skips those of another kind" outcome_is node-6 "skipped pod-node-selector"
is "also where one of two demands is met" outcome_is node-7 "skipped pod-node-selector"
is "and registers the one that is meant" outcome_is node-8 "registered forced"
has out '"selected": 1' 'which alone is selected'

# A node that becomes another one after the scan: its pod is long in coming.
late_pod() { # NODE COMMAND...: happens between the scan and the pod; the pass is over that node alone
    faults '[{"match": "POST */pods", "delay_ms": 4000}]'
    : >"$work/err"
    start_pass run -o json --only "$1" --force "$1"
    until_true 60 grep -q provisioning "$work/err"
    shift
    "$@"
    faults '[]'
}
uid_of() { api GET "/api/v1/nodes/$1" | jq -r .metadata.uid; }
replace() {
    api DELETE "/api/v1/nodes/$1" >/dev/null
    add_node "$1"
}
write_settings
add_node node-9
old=$(uid_of node-9)
late_pod node-9 replace node-9
end_pass 1 "a node that is replaced after the scan is not registered"
is "and its attempt says so" message_has node-9 "node was replaced"
pass 4 "coverage counts on neither of the two" coverage "$old" "$(uid_of node-9)"
late_pod node-9 set_boot_id node-9 booted-again
end_pass 0 "a node that is rebooted after the scan is registered"
is "with its new boot ID" \
    test "$(records 'map(select(.status == "registered" and .name == "node-9"))[0].boot_id')" = booted-again

# A name means the node that is there now: what is known of the one before it stays.
old=$(uid_of node-9)
replace node-9
pass 2 "a name of a node without a record is refused" forget node-9
has err "no record of a node 'node-9'" "also where another one had it"
pass 0 "the new one is registered" run -o json --only node-9
pass 0 "and forgotten by its name" forget node-9
is "the old one's record stays" \
    test "$(records 'map(select(.name == "node-9")) | length')" = 2
api DELETE /api/v1/nodes/node-9 >/dev/null
pass 2 "where none is there its name is refused" forget node-9
has err "no node 'node-9' is there now; one that is absent goes by its UID: '" "and the UID named"
pass 0 "by which it is forgotten" forget "$old"
add_node node-9
pass 0 "and the next one of the name registered" run -o json --only node-9

# Odd data of one node costs that one, and nothing else.
add_node node-10
patch node-10 "{\"status\": {\"nodeInfo\": {\"bootID\": \"$(printf 'b%.0s' {1..100000})\"}}}" /status
pass 0 "a node with an endless boot ID" run -o json --only node-10 --only node-9
is "is registered" outcome_is node-10 "registered new"
has err "node 'node-10': its boot ID is none" "with a warning"
is "and the other one is kept" outcome_is node-9 "kept "
finish
