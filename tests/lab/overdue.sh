#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TAP. A node that cannot be registered, in a real cluster with the nodes node-1 and node-2: the Job is
# green until the node is overdue, and wherever an operator looks there is the same reason.
# shellcheck disable=SC2317 # functions are called by until_true
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$(dirname "$0")/lab.sh"
ns=overdue reason='untolerated-taint (lab/out)'
clean() {
    kubectl taint node node-2 lab/out- >/dev/null 2>&1
    kubectl delete --ignore-not-found "namespace/$ns" clusterrole/cas-backup \
        clusterrolebinding/cas-backup "$@" >/dev/null 2>&1
    kubectl kustomize "$srcdir/cronjob/events" | kubectl delete --ignore-not-found -f - >/dev/null 2>&1
}
trap 'kill $primary_pid 2>/dev/null; clean --wait=false; rm -rf "$work"' EXIT

KUBECONFIG=$("$lab" kubeconfig)
clean --wait=true
load_images >"$work/out" 2>&1 && give_sgx node-1 node-2
ok $? "images are loaded and nodes have SGX"
start_primary "10.77.$lab_id.254"
PATH=$work/installed/usr/bin:$PATH # kubectl finds cas-backup there
kubectl taint node node-2 lab/out=yes:NoSchedule >/dev/null
ok $? "a node that takes no backup CAS"

cat >"$work/settings.yaml" <<SETTINGS
instance: overdue
fail_on: [too-few, overdue]
overdue_after: 40s
discovery:
  - plugin: kubernetes
    image: docker.io/sandbox/cas:1
    selector: kubernetes.io/hostname in (node-1,node-2)
    events: true
    pod: {spec: {terminationGracePeriodSeconds: 1}}
registration:
  plugin: scone-cli
SETTINGS
apply() {
    instance $ns "" "$work/settings.yaml" namespace |
        sed "s#^  schedule: .*#  schedule: '0 0 30 2 *'#" | kubectl apply -f - &&
        kubectl kustomize "$srcdir/cronjob/events" | sed "s#namespace: cas-backup\$#namespace: $ns#" | kubectl apply -f - &&
        kubectl create secret generic cas-backup-owner -n $ns --from-file=config.json="$work/owner/config.json"
}
apply >"$work/out" 2>&1
ok $? "cronjob/base is applied with cronjob/events"

passes=0
# pass STATUS: one, which ends with that; what it left to the kubelet is in $work/out.
pass() {
    passes=$((passes + 1))
    pass_of $ns cas-backup "pass-$passes"
    kubectl get pods -n $ns -l "job-name=pass-$passes" \
        -o jsonpath='{.items[0].status.containerStatuses[0].state.terminated.message}' >"$work/out"
    grep -q "^exit status $1: " "$work/out"
}
has() { grep -qF -- "$1" "$work/out"; }

pass 0 && has '1 registered' && has '1 skipped'
ok $? "is no failure of the Job while it is young"
kubectl describe node node-2 >"$work/out" && has NotProtected && has "$reason"
ok $? "describe node has its reason"
kubectl cas-backup -n $ns explain node-2 >"$work/out" 2>&1 && has "$reason"
ok $? "explain has it"
kubectl cas-backup -n $ns status >"$work/out" 2>&1 && has "$reason"
ok $? "status has it"
kubectl cas-backup -n $ns status -o prometheus >"$work/out" 2>&1 && has "reason=\"$reason\""
ok $? "the metrics have it"
until_true 120 pass 6
ok $? "is one once the node is overdue"
has "node-2" && has "$reason"
ok $? "and the pod's status has its reason"
[ -n "$(kubectl get job -n $ns "pass-$passes" -o jsonpath='{.status.failed}')" ]
ok $? "the Job has failed"
kubectl taint node node-2 lab/out- >/dev/null
pass 0 && has '2 registered'
ok $? "and none after the node was registered"
finish
