#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TAP. What becomes of nodes shows on them in a real cluster with the nodes node-1 and node-2: Events
# in kubectl describe node, and the label, to which the primary's own pod is held. A node that is
# rebooted has other hardware here, loses its label and gets it back.
# shellcheck disable=SC2317 # functions are called by until_true
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$(dirname "$0")/lab.sh"
ns=outcome
user=system:serviceaccount:$ns:cas-backup
clean() {
    kubectl delete --ignore-not-found "namespace/$ns" clusterrole/cas-backup{,-label} \
        clusterrolebinding/cas-backup{,-label} "$@" >/dev/null 2>&1
    kubectl kustomize "$srcdir/cronjob/events" | kubectl delete --ignore-not-found -f - >/dev/null 2>&1
    kubectl label node node-1 node-2 cas-backup/outcome- >/dev/null 2>&1
}
trap 'kill $primary_pid 2>/dev/null; clean --wait=false; rm -rf "$work"' EXIT

KUBECONFIG=$("$lab" kubeconfig)
clean --wait=true
load_images >"$work/out" 2>&1 && give_sgx node-1 node-2
ok $? "images are loaded and nodes have SGX"
start_primary "10.77.$lab_id.254"

has_policies() {
    kubectl api-resources --api-group=admissionregistration.k8s.io | grep -q '^validatingadmissionpolicies .* admissionregistration.k8s.io/v1 '
}
# without_policies: of manifests; a cluster before 1.30 does not know the kinds.
without_policies() {
    if has_policies; then cat; else
        awk 'BEGIN { RS = "---\n"; ORS = "" } !/kind: ValidatingAdmissionPolicy/ { print sep $0; sep = RS }'
    fi
}
components() { # what cronjob/label and cronjob/events grant, as manifests
    cat "$srcdir/cronjob/label/rbac.yaml"
    echo ---
    cat "$srcdir/cronjob/events/rbac.yaml"
}
apply() {
    cat >"$work/settings.yaml" <<SETTINGS
instance: outcome
discovery:
  - plugin: kubernetes
    image: docker.io/sandbox/cas:1
    selector: kubernetes.io/hostname in (node-1,node-2)
    events: true
    label: true
    pod: {spec: {terminationGracePeriodSeconds: 1}}
registration:
  plugin: scone-cli
SETTINGS
    instance $ns "" "$work/settings.yaml" namespace label |
        sed "s#^  schedule: .*#  schedule: '0 0 30 2 *'#" | without_policies | kubectl apply -f - &&
        kubectl annotate -n $ns serviceaccount cas-backup cas-backup/instance=outcome &&
        kubectl kustomize "$srcdir/cronjob/events" | sed "s#namespace: cas-backup\$#namespace: $ns#" | kubectl apply -f - &&
        kubectl create secret generic cas-backup-owner -n $ns --from-file=config.json="$work/owner/config.json"
}
apply >"$work/out" 2>&1
ok $? "cronjob/base is applied with cronjob/label and cronjob/events"

passes=0
pass() { # WORDS of its log
    passes=$((passes + 1))
    pass_of $ns cas-backup "pass-$passes"
    grep -qE -- "$1" "$work/out"
}
labelled() { # NODE...: these have the label and no other
    [ "$(kubectl get nodes -l cas-backup/outcome=true -o 'jsonpath={.items[*].metadata.name}')" = "$*" ]
}
described() { # NODE REASON WORDS
    kubectl describe node "$1" >"$work/out" && grep -qE -- "^ *(Normal|Warning) +$2 .*$3" "$work/out"
}
writes() { # how often it wrote to nodes or Events
    grep "\"username\":\"$user\"" "$lab_dir/log/audit.log" |
        grep -cE '"verb":"(create|patch)".*"resource":"(events|nodes)"'
}
# stand_in NAME SELECTOR: a pod with the affinity of docs/operations.md
stand_in() {
    sed -n '/^spec:/,/values: \["true"\]/p' "$srcdir/docs/operations.md" |
        sed -n '/^      affinity:/,$s/^    //p' | sed 's#cas-backup/prod#cas-backup/outcome#' >"$work/affinity"
    kubectl apply -n $ns -f - >/dev/null <<POD
apiVersion: v1
kind: Pod
metadata: {name: $1}
spec:
  terminationGracePeriodSeconds: 1
  nodeSelector: $2
$(cat "$work/affinity")
  containers: [{name: primary, image: docker.io/sandbox/cas:1, imagePullPolicy: IfNotPresent}]
POD
}
node_of() { kubectl get pod -n $ns "$1" -o 'jsonpath={.spec.nodeName}'; }
scheduled() { [ -n "$(node_of "$1")" ]; }
unschedulable() {
    kubectl get pod -n "$ns" "$1" -o json |
        jq -e '.status.conditions[]? | select(.type == "PodScheduled") | .reason == "Unschedulable"' >/dev/null
}

pass '2 registered \(2 new' && labelled node-1 node-2
ok $? "registered nodes get the label"
described node-1 Registered "backup 'outcome': registered: new" && described node-2 Registered "backup 'outcome': registered: new"
ok $? "kubectl describe node says so"
before=$(writes)
pass '2 kept' && [ "$(writes)" = "$before" ]
ok $? "a pass that keeps all writes neither"

"$lab" reboot node-1 >"$work/out" 2>&1 && until_true 120 ready_since "$(date -u +%FT%TZ)" node-1
ok $? "node-1 is rebooted"
kubectl patch node node-1 --subresource=status --type=merge -p '{"status":{"capacity":{"sgx.intel.com/enclave":"0"}}}' >/dev/null
no_sgx() { [ "$(kubectl get node node-1 -o json | jq -r '.status.allocatable["sgx.intel.com/enclave"] // "0"')" = 0 ]; }
until_true 60 no_sgx
pass 'node-1 .*skipped .*no-sgx-resource' && labelled node-2
ok $? "its hardware is another one: it has lost the label after one pass"
described node-1 HardwareChanged 'it is not the machine that was registered: no-sgx-resource'
ok $? "kubectl describe node says so, and why it is not registered"
for i in 1 2 3; do stand_in "primary-$i" '{}'; done
stand_in primary-4 '{kubernetes.io/hostname: node-1}'
until_true 60 scheduled primary-1 && until_true 60 scheduled primary-2 && until_true 60 scheduled primary-3 &&
    [ "$(node_of primary-1) $(node_of primary-2) $(node_of primary-3)" = "node-2 node-2 node-2" ]
ok $? "a stand-in of the primary only comes to the protected node"
until_true 60 unschedulable primary-4 && ! scheduled primary-4
ok $? "and one that can only go to the other is not scheduled"

give_sgx node-1 && pass '2 registered \(1 new, 1 kept' && labelled node-1 node-2
ok $? "registered again it has the label again"
until_true 60 scheduled primary-4 && [ "$(node_of primary-4)" = node-1 ]
ok $? "and the stand-in is scheduled there"

if has_policies; then
    ! kubectl label node node-1 other=x --as="$user" >"$work/out" 2>&1 && grep -q 'no other label' "$work/out" &&
        ! kubectl cordon node-1 --as="$user" >"$work/out" 2>&1
    ok $? "the policy lets it change nothing else of a node"
fi

PATH=$work/installed/usr/bin:$PATH kubectl cas-backup -n $ns cleanup --label >"$work/out" 2>&1 && labelled
ok $? "cleanup --label takes it from all"

forbidden=$(grep "\"username\":\"$user\"" "$lab_dir/log/audit.log" |
    jq -r 'select(.responseStatus.code == 403) | .requestURI' | sort -u)
[ -z "$forbidden" ]
ok $? "with the components no request was forbidden"
unused=$(components | "$srcdir/tests/lab/granted" | while read -r verb resource; do
    grep "\"username\":\"$user\"" "$lab_dir/log/audit.log" |
        grep -q "\"verb\":\"$verb\".*\"resource\":\"$resource\"" || echo "$verb $resource"
done)
echo "$unused" >"$work/out"
[ -z "$unused" ]
ok $? "with the components every right that is granted is used"
finish
