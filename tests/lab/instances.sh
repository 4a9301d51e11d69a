#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TAP. Two instances of cronjob/base in one namespace of a real cluster with the nodes node-1 and
# node-2, each for a primary of its own: each registers both nodes, and one is removed without harm
# to the other.
# shellcheck disable=SC2317 # functions are called by until_true
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$(dirname "$0")/lab.sh"
ns=instances
host_ip=10.77.$lab_id.254
primaries=()
clean() {
    kubectl delete --ignore-not-found namespace/"$ns" clusterrole/cas-backup-{a,b} \
        clusterrolebinding/cas-backup-{a,b} "$@" >/dev/null 2>&1
}
trap 'kill "${primaries[@]}" 2>/dev/null; clean --wait=false; rm -rf "$top"' EXIT

KUBECONFIG=$("$lab" kubeconfig)
top=$work
clean --wait=true
load_images >"$work/out" 2>&1
ok $? "images are loaded"
give_sgx node-1 node-2
ok $? "nodes have SGX"
kubectl create namespace "$ns" >/dev/null

# of NAME COMMAND...: with the instance's own folder.
of() {
    local work=$top/$1
    mkdir -p "$work"
    shift
    "$@"
}
install() { # NAME: with a primary of its own; no pass is made but those that are asked for
    start_primary "$host_ip"
    primaries+=("$primary_pid")
    kubectl create secret generic "cas-backup-owner-$1" -n "$ns" --from-file=config.json="$work/owner/config.json" >/dev/null
    cat >"$work/settings.yaml" <<SETTINGS
instance: instance-$1
discovery:
  - plugin: kubernetes
    image: docker.io/sandbox/cas:1
    pod: {spec: {terminationGracePeriodSeconds: 1}}
SETTINGS
    instance "$ns" "-$1" "$work/settings.yaml" network-policy | sed 's/^  schedule: .*/&\n  suspend: true/' >"$work/manifests"
    kubectl apply -f "$work/manifests" >"$work/out" 2>&1
}
registers() { # NAME: a pass registers both nodes at its own primary
    pass_of "$ns" "cas-backup-$1" "first-$1"
    grep -q '2 registered (2 new, 0 kept), 0 failed' "$work/out" && registered 2
}
keeps() { # NAME
    pass_of "$ns" "cas-backup-$1" "second-$1"
    grep -q '2 registered (0 new, 2 kept), 0 failed' "$work/out" && registered 2
}

of a install a && of b install b
ok $? "two instances are applied"
of a registers a
ok $? "the first registers both nodes at its primary"
of b registers b
ok $? "the second registers both nodes at its own"
of a keeps a
ok $? "the first has its rights and records still"
kubectl delete -f "$top/b/manifests" >"$work/out" 2>&1
ok $? "the second is removed"
kubectl get configmap,lease,clusterrole,clusterrolebinding,role,rolebinding,serviceaccount,networkpolicy,cronjob -A -o name |
    grep -e '-b$' -e instance-b >"$work/out"
[ "$(cat "$work/out")" = configmap/instance-b-state ]
ok $? "of it the records are left, and nothing else"
kubectl delete job -n "$ns" second-a >/dev/null
of a keeps a
ok $? "the first has its rights and records still"
finish
