#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TAP. The CronJob of cronjob/base in a real cluster with the nodes node-1 and node-2, under its own
# ServiceAccount: it registers both, then creates no pod, notices a node that comes back, fails a
# node alone, and uses no right that it is not granted.
# shellcheck disable=SC2317 # functions are called by until_true
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$(dirname "$0")/lab.sh"
ns=cas-backup
host_ip=10.77.0.254
trap 'kill $primary_pid 2>/dev/null; rm -rf "$work"' EXIT

KUBECONFIG=$("$lab" kubeconfig)
separate_logs node-2
ok $? "each node has a folder of its own for the logs of its pods"
load_images
ok $? "images are loaded"
give_sgx node-1 node-2
ok $? "nodes have SGX"
start_primary $host_ip

# cronjob/base with what an operator changes: image, settings, the owner's configuration.
kustomize() {
    cp -r "$srcdir/cronjob" "$work/"
    cat >"$work/cronjob/base/settings.yaml" <<SETTINGS
instance: lab
discovery:
  - plugin: kubernetes
    image: docker.io/sandbox/cas:1
registration:
  plugin: scone-cli
SETTINGS
    sed -i 's#newName: .*#newName: docker.io/sandbox/cas-backup#; s#newTag: .*#newTag: "1"#' \
        "$work/cronjob/base/kustomization.yaml"
    # the cluster is of a time when CronJob was in beta
    kubectl kustomize "$work/cronjob/base" | sed 's#batch/v1$#batch/v1beta1#'
}
kubectl create namespace "$ns" >/dev/null
kubectl create secret generic cas-backup-owner -n "$ns" --from-file=config.json="$work/owner/config.json" >/dev/null
kustomize | kubectl apply -f - >"$work/out" 2>&1
ok $? "cronjob/base is applied"
echo 'components: [../session]' >>"$work/cronjob/base/kustomization.yaml"
kubectl kustomize "$work/cronjob/base" >"$work/out" 2>&1 && grep -q 'sgx.intel.com/enclave: 1' "$work/out" &&
    grep -q 'fieldPath: status.hostIP' "$work/out" && ! grep -q cas-backup-owner "$work/out"
ok $? "cronjob/session gives a pass SGX and LAS, and takes the owner's key away"

# pass NAME: one pass now, as the CronJob would run it; its log is in $work/out.
pass() {
    kubectl create job "$1" -n "$ns" --from=cronjob/cas-backup >/dev/null 2>&1 ||
        kubectl get cronjobs.v1beta1.batch -n "$ns" cas-backup -o json |
        jq --arg name "$1" '{apiVersion:"batch/v1",kind:"Job",metadata:{name:$name},spec:.spec.jobTemplate.spec}' |
            kubectl apply -n "$ns" -f - >/dev/null
    until_true 180 job_ended "$1"
    kubectl logs -n "$ns" "job/$1" >"$work/out" 2>&1
}
job_ended() {
    [ -n "$(kubectl get job -n "$ns" "$1" -o jsonpath='{.status.conditions[*].type}')" ]
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
    grep -c '"verb":"create".*"resource":"pods","namespace":"'"$ns"'","name":"lab-' /var/lib/kube-lab/log/audit.log
}
before=$(pods_created)
pass second
grep -q '2 kept' "$work/out" && [ "$(pods_created)" = "$before" ]
ok $? "the next pass keeps both and creates no pod"

kubectl cordon node-2 >/dev/null
kubectl delete configmap -n "$ns" -l app.kubernetes.io/component=state >/dev/null
pass cordoned
grep -q 'node-2 .*skipped .*unschedulable' "$work/out" && registered 3
ok $? "without records node-1 is registered again, and cordoned node-2 is skipped"
kubectl uncordon node-2 >/dev/null
pass uncordoned
registered 4
ok $? "node-2 is registered after uncordon"

forbidden=$(grep '"username":"system:serviceaccount:cas-backup:cas-backup"' /var/lib/kube-lab/log/audit.log |
    jq -r 'select(.responseStatus.code == 403) | .requestURI' | sort -u)
[ -z "$forbidden" ]
ok $? "no request was forbidden"

# what needs the right moment: renewing a Lease, and looking at a pod whose creation was in doubt
rare="update leases, get pods"
unused=$(kubectl kustomize "$srcdir/cronjob/base" | "$srcdir/tests/lab/granted" |
    while read -r verb resource; do
        [ "${rare#*"$verb $resource"}" = "$rare" ] || continue
        grep '"username":"system:serviceaccount:cas-backup:cas-backup"' /var/lib/kube-lab/log/audit.log |
            grep -q "\"verb\":\"$verb\".*\"resource\":\"$resource\"" || echo "$verb $resource"
    done)
echo "$unused" >"$work/out"
[ -z "$unused" ]
ok $? "every right that is granted is used"
finish
