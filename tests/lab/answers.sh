#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TAP. What a real API server answers to pods that it does not make, or does not let go: a quota, a
# webhook that fails, a finalizer, a namespace that ends, nodes that a pod does not fit to.
# shellcheck disable=SC2317 # functions are called by until_true
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$(dirname "$0")/lab.sh"
ns=answers
trap 'kill $primary_pid 2>/dev/null; delete_all >/dev/null 2>&1; rm -rf "$work"' EXIT
delete_all() {
    kubectl delete validatingwebhookconfiguration "$ns"
    kubectl label node node-1 node-2 answers-kind-
    let_go
    kubectl delete ns "$ns" --wait=false
}
let_go() {
    for pod in $(kubectl get pods -n "$ns" -o name); do
        kubectl patch -n "$ns" "$pod" --type merge -p '{"metadata": {"finalizers": null}}'
    done
}

KUBECONFIG=$("$lab" kubeconfig)
load_images && give_sgx node-1 node-2
ok $? "images are loaded and nodes have SGX"
start_primary localhost
kubectl create namespace "$ns" >/dev/null
kubectl label namespace "$ns" answers-test=true >/dev/null

settings() { # READY_TIMEOUT [LINE...]: the lines go to the source
    cat >"$work/settings.yaml" <<SETTINGS
instance: answers
registration:
  plugin: scone-cli
  program: ${program_cli:-$builddir/tests/sandbox/scone}
  config: $work/owner/config.json
state: {plugin: configmap, namespace: $ns, lease_duration: 12s}
discovery:
  - plugin: kubernetes
    namespace: $ns
    selector: kubernetes.io/hostname in (node-1,node-2)
    image: docker.io/sandbox/cas:1
    ready_timeout: $1
SETTINGS
    shift
    [ $# = 0 ] || printf '    %s\n' "$@" >>"$work/settings.yaml"
}
# cas_backup STATUS ARGUMENT...
cas_backup() {
    local status=$1
    shift
    "$builddir/cas-backup" --plugin-dir "$builddir/.libs" --file "$work/settings.yaml" "$@" \
        >"$work/out" 2>&1
    [ $? = "$status" ]
}
says() { grep -qF -- "$1" "$work/out"; }
gone() { no_backup_pod "$ns"; }

# a pass in the background, until it says that it tries again
begin_pass() {
    : >"$work/out"
    cas_backup 0 run --force all &
    pass_pid=$!
    until_true 60 says 'is tried again'
}

kubectl create quota none -n "$ns" --hard=pods=0 >/dev/null
until_true 30 kubectl get quota -n "$ns" none -o jsonpath='{.status.hard.pods}' >/dev/null
settings 15s
cas_backup 4 run && says 'exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0'
ok $? "a quota without room fails the nodes, in the API server's words"
settings 120s
begin_pass && kubectl patch quota -n "$ns" none --type merge -p '{"spec": {"hard": {"pods": "1"}}}' >/dev/null &&
    wait "$pass_pid"
ok $? "room for one pod is enough for both nodes, one after the other"
kubectl delete quota -n "$ns" none >/dev/null
until_true 60 gone

kubectl apply -f - >/dev/null <<WEBHOOK
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: $ns}
webhooks:
  - name: nobody.example.com
    clientConfig: {url: "https://127.0.0.1:1/"}
    rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
    namespaceSelector: {matchLabels: {answers-test: "true"}}
    failurePolicy: Fail
    sideEffects: None
    admissionReviewVersions: [v1]
WEBHOOK
sleep 3 # for the API server to know of it
settings 15s
cas_backup 1 run --force all && says 'failed calling webhook "nobody.example.com"'
ok $? "a webhook that fails is what fails the nodes"
settings 120s
begin_pass && kubectl delete validatingwebhookconfiguration "$ns" >/dev/null && wait "$pass_pid"
ok $? "once it is gone they are registered"
until_true 60 gone

printf '%s\n' '#!/bin/sh' "echo \$\$ >>$work/held" 'exec sleep 600' >"$work/cli"
chmod +x "$work/cli"
program_cli=$work/cli settings 120s
cas_backup 137 run --force all &
pass_pid=$!
held() { [ "$(wc -l <"$work/held")" = 2 ]; } 2>/dev/null
until_true 120 held
pid=$(pgrep -P "$pass_pid" -f cas-backup)
kubectl patch pod -n "$ns" answers-node-1 --type merge \
    -p '{"metadata": {"finalizers": ["policy.example/hold"]}}' >/dev/null
kill -KILL "$pid"
wait "$pass_pid"
ok $? "a pass is killed with its pods"
xargs -r kill <"$work/held" 2>/dev/null
settings 10s
cas_backup 3 cleanup && says "'answers-node-1' (held by finalizers 'policy.example/hold')"
ok $? "cleanup names the pod that does not go, and who holds it"
cas_backup 1 run --force all && says "held by finalizers 'policy.example/hold'" &&
    says "node 'node-2': successfully registered"
ok $? "a pass fails for its node alone"

kubectl delete ns "$ns" --wait=false >/dev/null
until_true 30 kubectl get ns "$ns" -o jsonpath='{.status.phase}' | grep -q Terminating
cas_backup 3 run --force node-2 --only node-2
says 'because it is being terminated'
ok $? "a namespace that ends is said to"
let_go >/dev/null
kubectl wait --for=delete "namespace/$ns" --timeout=120s >/dev/null
kubectl create namespace "$ns" >/dev/null

kubectl label node node-1 answers-kind=a >/dev/null
kubectl label node node-2 answers-kind=b >/dev/null
settings 60s 'pod: {spec: {nodeSelector: {answers-kind: a}}}'
cas_backup 0 run && says '1 registered (1 new, 0 kept), 0 failed, 1 skipped' && cas_backup 0 plan &&
    grep -q '^node-2 .* pod-node-selector' "$work/out"
ok $? "a nodeSelector decides which nodes are tried"
until_true 60 gone
ok $? "nothing is left"
finish
