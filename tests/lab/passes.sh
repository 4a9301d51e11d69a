#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TAP. Passes from outside a real cluster with the nodes node-1 and node-2, with the administrator's
# kubeconfig: register, keep, a node that fails alone, a killed pass, a pass that is asked to end.
# shellcheck disable=SC2317 # functions are called by until_true
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$(dirname "$0")/lab.sh"
ns=passes
trap 'kill $primary_pid 2>/dev/null; kubectl delete ns "$ns" --wait=false >/dev/null 2>&1; rm -rf "$work"' EXIT

KUBECONFIG=$("$lab" kubeconfig)
load_images && give_sgx node-1 node-2
ok $? "images are loaded and nodes have SGX"
start_primary localhost
kubectl create namespace "$ns" >/dev/null
# an image that only one node has, and no registry
ctr --address "$lab_dir"/run/containerd-node-1.sock -n k8s.io images tag --force \
    docker.io/sandbox/cas:1 docker.io/sandbox/only-node-1:1 >/dev/null

settings() { # IMAGE: another one is no other release here
    cat >"$work/settings.yaml" <<SETTINGS
instance: passes
release: the same
discovery:
  - plugin: kubernetes
    namespace: $ns
    selector: kubernetes.io/hostname in (node-1,node-2)
    image: $1
    ready_timeout: 60s
registration:
  plugin: scone-cli
  program: $builddir/tests/sandbox/scone
  config: $work/owner/config.json
state:
  plugin: configmap
  namespace: $ns
  lease_duration: 12s
SETTINGS
}
cas_backup() {
    "$builddir/cas-backup" --plugin-dir "$builddir/.libs" --file "$work/settings.yaml" "$@" \
        >"$work/out" 2>&1
}
records() {
    kubectl get configmap -n "$ns" -l app.kubernetes.io/component=state -o json |
        jq "[.items[].data[] | fromjson | select(.status == \"$1\")] | length"
}
nothing_left() {
    no_backup_pod "$ns" && [ -z "$(kubectl get leases -n "$ns" -o name)" ]
}
forget_all() {
    kubectl delete configmap -n "$ns" -l app.kubernetes.io/component=state >/dev/null
}

settings docker.io/sandbox/cas:1
cas_backup plan && [ "$(records registered)" = 0 ] && no_backup_pod "$ns"
ok $? "plan changes nothing"
cas_backup run && registered 2 && [ "$(records registered)" = 2 ]
ok $? "a pass registers both nodes"
until_true 60 nothing_left
ok $? "neither pod nor Lease remains"
before=$(kubectl get configmap -n "$ns" passes-state -o jsonpath='{.data}')
cas_backup run && registered 2 &&
    [ "$(kubectl get configmap -n "$ns" passes-state -o jsonpath='{.data}')" = "$before" ]
ok $? "a second pass registers nothing and changes no record"

forget_all
settings docker.io/sandbox/only-node-1:1
cas_backup run
[ $? = 1 ] && registered 3 && grep -q 'node-2 .*failed .*new .*image cannot be pulled' "$work/out"
ok $? "a node whose image cannot be pulled fails alone and says so"
[ "$(records failed)" = 1 ] && until_true 90 nothing_left
ok $? "and its pod is gone"
settings docker.io/sandbox/cas:1
cas_backup run && registered 4 && grep -q '1 new, 1 kept' "$work/out"
ok $? "the next pass registers it"

forget_all
for i in 1 2 3 4; do
    cas_backup --force all run &
    pid=$!
    sleep "0.$((i * 3))"
    kill -9 "$(pgrep -P $pid || echo $pid)" 2>/dev/null
    wait $pid 2>/dev/null
done
until_true 100 cas_backup run
ok $? "after four passes killed with -9 a pass takes the lock over"
[ "$(records registered)" = 2 ] && until_true 60 nothing_left
ok $? "everything is registered and nothing left over"

# node-2 cannot pull the image, so this pass waits
settings docker.io/sandbox/only-node-1:1
cas_backup --force all run &
pid=$!
until_true 60 sh -c "kubectl get leases -n $ns -o name | grep -q ."
"$builddir/cas-backup" --plugin-dir "$builddir/.libs" --file "$work/settings.yaml" run >"$work/second" 2>&1
status=$?
cp "$work/second" "$work/out"
[ $status = 5 ] && grep -q 'another pass holds the lock' "$work/second"
ok $? "a pass beside it is locked out and told by whom"
begun=$SECONDS
kill -TERM "$(pgrep -P $pid || echo $pid)"
wait $pid
[ $? = 143 ] && [ $((SECONDS - begun)) -le 20 ]
ok $? "SIGTERM ends it within 20 s"
until_true 60 nothing_left
ok $? "with everything cleaned up"
finish
