#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TAP. Two pods for one pass in a real cluster with the nodes node-1 and node-2, by the rights of
# cronjob/base. The cluster is of a time before indexed Jobs: each pod is a plain Job that has its
# index in its environment.
# shellcheck disable=SC2317 # functions are called by until_true
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$(dirname "$0")/lab.sh"
ns=shards
clean() {
    kubectl delete --ignore-not-found namespace/$ns "$@" >/dev/null 2>&1
}
trap 'kill $primary_pid 2>/dev/null; clean --wait=false; rm -rf "$work"' EXIT

KUBECONFIG=$("$lab" kubeconfig)
clean --wait=true
separate_logs node-2 && load_images && give_sgx node-1 node-2
ok $? "images are loaded and nodes have SGX"
start_primary "10.77.$lab_id.254"
# nodes have other uids each time, and a share may have none: it is not to miss any
cat >"$work/settings.yaml" <<SETTINGS
instance: shards
min_registered: 0
discovery:
  - plugin: kubernetes
    image: docker.io/sandbox/cas:1
    selector: kubernetes.io/hostname in (node-1,node-2)
    pod: {spec: {terminationGracePeriodSeconds: 1}}
registration:
  plugin: scone-cli
SETTINGS
instance $ns "" "$work/settings.yaml" namespace |
    sed "s#^  schedule: .*#  schedule: '0 0 30 2 *'#" | kubectl apply -f - >"$work/out" 2>&1 &&
    kubectl create secret generic cas-backup-owner -n $ns --from-file=config.json="$work/owner/config.json" >/dev/null
ok $? "cronjob/base is applied"

# start_shards NAME COUNT [ARGUMENT...]: a Job NAME-INDEX for each share.
start_shards() {
    local name=$1 count=$2
    shift 2
    kubectl get cronjobs.v1beta1.batch -n $ns cas-backup -o json |
        jq --arg name "$name" --argjson count "$count" '. as $of | range($count) | . as $i |
            {apiVersion: "batch/v1", kind: "Job", metadata: {name: "\($name)-\($i)"},
             spec: ($of.spec.jobTemplate.spec | del(.ttlSecondsAfterFinished) |
                .template.spec.containers[0].args += $ARGS.positional |
                .template.spec.containers[0].env += [
                    {name: "CAS_BACKUP_SHARDS", value: "\($count)"},
                    {name: "JOB_COMPLETION_INDEX", value: "\($i)"}])}' --args -- "$@" |
        kubectl create -n $ns -f - >/dev/null
}
exit_codes() { # NAME: of all its pods, in order of their shares
    for i in 0 1; do
        until_true 180 job_ended $ns "$1-$i"
        kubectl get pods -n $ns -l "job-name=$1-$i" \
            -o 'jsonpath={.items[0].status.containerStatuses[0].state.terminated.exitCode} '
    done
}
logs() { # NAME
    for i in 0 1; do
        kubectl logs -n $ns "job/$1-$i"
    done >"$work/out" 2>&1
}
no_lease() { [ -z "$(kubectl get leases -n "$ns" -o name)" ]; }

start_shards first 2
[ "$(exit_codes first)" = "0 0 " ]
ended=$?
logs first
ok $ended "two shards end well"
registered 2
ok $? "each node is registered once"
until_true 60 no_lease
ok $? "no Lease remains"

leases_made() { # in order
    grep '"verb":"create".*"resource":"leases","namespace":"'$ns'"' "$lab_dir/log/audit.log" |
        jq -r .objectRef.name | sort -u | tr '\n' ' '
}
[ "$(leases_made)" = "shards-0-of-2 shards-1-of-2 " ]
ok $? "each share had a Lease of its own"

start_shards second 2 --force all
[ "$(exit_codes second)" = "0 0 " ] && registered 4
ended=$?
logs second
ok $ended "with --force both are registered again"
forbidden=$(grep '"username":"system:serviceaccount:'$ns':cas-backup"' "$lab_dir/log/audit.log" |
    jq -r 'select(.responseStatus.code == 403) | .requestURI' | sort -u)
[ -z "$forbidden" ]
ok $? "no request was forbidden"
finish
