#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TAP. `kubectl cas-backup` in a real cluster with the nodes node-1 and node-2: commands run there as
# the CronJob's ServiceAccount, and end here with their output and exit status; nothing stays, and a
# pod that cannot start says why.
# shellcheck disable=SC2317 # functions are called by until_true
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$(dirname "$0")/lab.sh"
ns=kubectl-plugin
clean() {
    kubectl delete --ignore-not-found "namespace/$ns" clusterrole/cas-backup \
        clusterrolebinding/cas-backup "$@" >/dev/null 2>&1
}
trap 'kill $primary_pid 2>/dev/null; clean --wait=false; rm -rf "$work"' EXIT

KUBECONFIG=$("$lab" kubeconfig)
clean --wait=true
separate_logs node-2
ok $? "each node has a folder of its own for the logs of its pods"
load_images && give_sgx node-1 node-2
ok $? "images are loaded and nodes have SGX"
start_primary "10.77.$lab_id.254"
# as kubectl finds it: by its name in PATH
PATH=$work/installed/usr/bin:$PATH

# cronjob/base in a namespace of its own, suspended: passes are made by hand here.
apply() {
    cat >"$work/settings.yaml" <<SETTINGS
instance: plugin
discovery:
  - plugin: kubernetes
    image: docker.io/sandbox/cas:1
    selector: kubernetes.io/hostname in (node-1,node-2)
    pod: {spec: {terminationGracePeriodSeconds: 1}}
registration:
  plugin: scone-cli
SETTINGS
    instance $ns "" "$work/settings.yaml" namespace |
        sed "s#^  schedule: .*#  schedule: '0 0 30 2 *'#" | kubectl apply -f - >"$work/out" 2>&1
}
apply && kubectl create secret generic cas-backup-owner -n $ns \
    --from-file=config.json="$work/owner/config.json" >/dev/null
ok $? "cronjob/base is applied"

# remote STATUS NAME ARGUMENT...: by the plugin; $work/out has what it printed, $work/err the rest.
remote() {
    local status=$1 name=$2 got
    shift 2
    kubectl cas-backup -n $ns "$@" >"$work/out" 2>"$work/err"
    got=$?
    [ $got = "$status" ] || { echo "exit status $got" && cat "$work/err"; } >>"$work/out"
    [ $got = "$status" ] && until_true 20 nothing_stays
    ok $? "$name"
}
nothing_stays() { # but what is on its way out
    [ -z "$(kubectl get jobs -n $ns -o name)" ] && kubectl get pods -n $ns -o json |
        jq -e 'all(.items[]; .metadata.deletionTimestamp)' >/dev/null
}
prints() { # PATTERN: on standard output
    grep -qE -- "$1" "$work/out"
    ok $? "it prints: $1"
}
says() { # PATTERN: on standard error
    cp "$work/err" "$work/out"
    grep -qE -- "$1" "$work/err"
    ok $? "it says: $1"
}

remote 0 "check ends well" check
prints '^discovery-kubernetes .* ok '
remote 4 "coverage before a pass ends with 4" coverage
prints '^the database opens on 0 of 2 '
remote 0 "run registers" run
prints '^2 nodes, 2 selected: 2 registered \(2 new'
says "info  node 'node-1': successfully registered"
remote 0 "run --force NODE registers it again" run --force node-2
prints '\(1 new, 1 kept\)'
registered 3
ok $? "the primary knows all three"
remote 0 "coverage ends well" coverage node-1 node-2
remote 0 "explain ends well" explain node-2
prints 'node-2'
remote 0 "status as JSON" status -o json
jq -e '.nodes | length == 2' "$work/out" >/dev/null
ok $? "standard output is that of the command alone"
remote 2 "wrong usage in the cluster is wrong usage here" forget
says 'forget.* needs NODE'
remote 2 'quotes and spaces go through' run --only 'no "such" \node'
says 'no "such" .node'

# interrupted CONDITION NAME: in a process group of its own, to which Ctrl-C goes as a whole
interrupted() {
    local plugin
    setsid env --default-signal=INT kubectl cas-backup -n $ns run --force all >"$work/out" 2>"$work/err" &
    plugin=$!
    until_true 60 "$1"
    kill -INT -- -$plugin
    wait $plugin
    [ $? = 130 ]
    ok $? "Ctrl-C $2 ends it with 130"
    kubectl get jobs,pods,leases -n $ns -o wide >"$work/out" 2>&1
    nothing_stays
    ok $? "and leaves neither Job nor pod"
    [ -z "$(kubectl get leases -n $ns -o name)" ]
    ok $? "nor the Lease"
}
a_pod() { # but for those of the commands before, which may still be on their way out
    kubectl get pods -n "$ns" -o json | jq -e 'any(.items[]; .metadata.deletionTimestamp | not)' >/dev/null
}
backups() { ! no_backup_pod "$ns"; }
interrupted a_pod "before its pod is seen to run"
until_true 20 nothing_stays
interrupted backups "within a pass"
says '^kubectl cas-backup: interrupted'
[ "$(kubectl get configmaps -n $ns -l app.kubernetes.io/component=state -o json |
    jq '[.items[].data[] | fromjson | select(.status == "failed")] | length')" = 0 ]
ok $? "and no record of a failure"

cronjob() { # PATCH
    kubectl patch cronjobs.v1beta1.batch -n $ns cas-backup --type=json -p "[$1]" >/dev/null
}
containers=/spec/jobTemplate/spec/template/spec/containers
cronjob '{"op":"replace","path":"'$containers'/0/image","value":"docker.io/sandbox/absent:1"},
    {"op":"replace","path":"'$containers'/0/imagePullPolicy","value":"Never"}'
remote 3 "an image that is not there ends it" status
says 'cannot start: ErrImageNeverPull: .*sandbox/absent:1'
cronjob '{"op":"add","path":"/spec/jobTemplate/spec/template/spec/nodeSelector","value":{"moon":"yes"}}'
remote 3 "a pod that fits no node ends it" --start-timeout 5 status
says 'did not start in 5 s: .*0/2 nodes are available'
kubectl create quota -n $ns none --hard=pods=0 >/dev/null
until_true 30 sh -c "kubectl get quota -n $ns none -o jsonpath='{.status.used}' | grep -q pods"
remote 3 "a pod that may not be made ends it" status --start-timeout 5
says 'did not start in 5 s: .*exceeded quota: none'
kubectl cas-backup -n default status >"$work/out" 2>"$work/err"
[ $? = 3 ]
ok $? "a namespace without the CronJob ends it"
says 'name its namespace with -n'
finish
