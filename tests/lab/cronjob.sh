#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TAP. The CronJob of cronjob/base in a real cluster with the nodes node-1 and node-2, under its own
# ServiceAccount: it registers both, then creates no pod, notices a node that comes back, fails a
# node alone, and uses no right that it is not granted.
# shellcheck disable=SC2317 # functions are called by until_true
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source-path=SCRIPTDIR source=../e2e/prometheus.sh
. "$srcdir/tests/e2e/prometheus.sh"
ns=cas-backup
host_ip=10.77.$lab_id.254
trap 'kill $primary_pid 2>/dev/null; stop_listeners; rm -rf "$work"' EXIT

KUBECONFIG=$("$lab" kubeconfig)
separate_logs node-2
ok $? "each node has a folder of its own for the logs of its pods"
load_images
ok $? "images are loaded"
give_sgx node-1 node-2
ok $? "nodes have SGX"
start_primary "$host_ip"

listen_on=$host_ip
metrics='metrics: {}'
if have prometheus-pushgateway "a Pushgateway"; then
    listen prometheus-pushgateway && metrics="metrics: {push: {url: \"http://$host_ip:$port\"}}"
    ok $? "a Pushgateway"
fi
# pushed WORDS: has the Pushgateway, where there is one, a series that matches?
pushed() {
    [ ${#listeners[@]} = 0 ] || curl -sS "http://$host_ip:$port/metrics" | grep "$1" >/dev/null
}

cat >"$work/settings.yaml" <<SETTINGS
instance: lab
$metrics
discovery:
  - plugin: kubernetes
    image: docker.io/sandbox/cas:1
registration:
  plugin: scone-cli
SETTINGS
kubectl create namespace "$ns" >/dev/null
kubectl create secret generic cas-backup-owner -n "$ns" --from-file=config.json="$work/owner/config.json" >/dev/null
instance "$ns" "" "$work/settings.yaml" namespace network-policy | kubectl apply -f - >"$work/out" 2>&1
ok $? "cronjob/base is applied"
instance "$ns" "" "$work/settings.yaml" session >"$work/out" 2>&1 && grep -q 'sgx.intel.com/enclave: 1' "$work/out" &&
    grep -q 'fieldPath: status.hostIP' "$work/out" && ! grep -q cas-backup-owner "$work/out"
ok $? "cronjob/session gives a pass SGX and LAS, and takes the owner's key away"

# pass NAME: one pass now, as the CronJob would run it; its log is in $work/out.
pass() {
    pass_of "$ns" cas-backup "$1"
}

until_true 250 registered 2
ok $? "the CronJob registers both nodes within two or three minutes"
kubectl patch cronjobs.v1beta1.batch -n "$ns" cas-backup --type=merge -p '{"spec":{"suspend":true}}' >/dev/null
until_true 60 no_backup_pod "$ns"
ok $? "no pod of a backup CAS remains"
[ "$(kubectl get configmap -n "$ns" -l app.kubernetes.io/component=state -o json |
    jq '[.items[].data[] | fromjson | select(.status == "registered")] | length')" = 2 ]
ok $? "two records are in the ConfigMap"
until_true 60 sh -c "[ -z \"\$(kubectl get leases -n $ns -o name)\" ]"
ok $? "no Lease remains"

pods_created() {
    grep -c '"verb":"create".*"resource":"pods","namespace":"'"$ns"'","name":"lab-' "$lab_dir/log/audit.log"
}
before=$(pods_created)
pass second
grep -q '2 kept' "$work/out" && [ "$(pods_created)" = "$before" ]
ok $? "the next pass keeps both and creates no pod"
kubectl get pods -n "$ns" -l job-name=second \
    -o jsonpath='{.items[0].status.containerStatuses[0].state.terminated.message}' >"$work/out"
grep -q '^exit status 0: .* 2 registered (0 new, 2 kept)' "$work/out"
ok $? "and leaves its summary in the pod's status"

kubectl cordon node-2 >/dev/null
kubectl delete configmap -n "$ns" -l app.kubernetes.io/component=state >/dev/null
pass cordoned
grep -q 'node-2 .*skipped .*unschedulable' "$work/out" && registered 3
ok $? "without records node-1 is registered again, and cordoned node-2 is skipped"
pushed '^cas_backup_node_unprotected_reason{instance="lab",job="cas_backup",node="node-2",reason="unschedulable"' &&
    pushed '^cas_backup_nodes_protected{instance="lab",job="cas_backup"} 1$'
ok $? "and the Pushgateway has that reason"
kubectl uncordon node-2 >/dev/null
pass uncordoned
registered 4
ok $? "node-2 is registered after uncordon"
pushed '^cas_backup_nodes_protected{instance="lab",job="cas_backup"} 2$' && { [ ${#listeners[@]} = 0 ] || ! pushed 'unprotected_reason[{]'; }
ok $? "and the Pushgateway has both, and no reason"

forbidden=$(grep '"username":"system:serviceaccount:cas-backup:cas-backup"' "$lab_dir/log/audit.log" |
    jq -r 'select(.responseStatus.code == 403) | .requestURI' | sort -u)
[ -z "$forbidden" ]
ok $? "no request was forbidden"

# what needs the right moment: renewing a Lease, and looking at a pod whose creation was in doubt
rare="update leases, get pods"
unused=$(kubectl kustomize "$srcdir/cronjob/base" | "$srcdir/tests/lab/granted" |
    while read -r verb resource; do
        [ "${rare#*"$verb $resource"}" = "$rare" ] || continue
        grep '"username":"system:serviceaccount:cas-backup:cas-backup"' "$lab_dir/log/audit.log" |
            grep -q "\"verb\":\"$verb\".*\"resource\":\"$resource\"" || echo "$verb $resource"
    done)
echo "$unused" >"$work/out"
[ -z "$unused" ]
ok $? "every right that is granted is used"
finish
