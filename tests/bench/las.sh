#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TAP. What LAS keys cost: passes over a real API server with simulated nodes (1,000, or $1), each
# with a LAS pod. The first pass reads each log once, the second none, and takes at most half as
# much CPU time again as a pass without LAS. A cluster is started where none runs; one that runs
# must have been started with KUBE_LAB_NODE_GRACE=24h, for simulated nodes send no heartbeats.
# shellcheck source-path=SCRIPTDIR source=../lab/lab.sh disable=SC2317 # called by trap and until_true
. "$(dirname "$0")/../lab/lab.sh"
count=${1:-1000}
ns=bench-las
started=
pids=()

KUBECONFIG=$("$lab" kubeconfig)
clean() {
    "$KUBE_LAB/hollow-nodes" down
    kubectl delete namespace --ignore-not-found $ns
}
end() {
    kill "${pids[@]}"
    if [ -n "$started" ]; then "$lab" down; else clean; fi
    rm -rf "$work"
}
trap 'end >/dev/null 2>&1' EXIT
if kubectl get --raw /readyz >/dev/null 2>&1; then
    clean >/dev/null 2>&1
else
    KUBE_LAB_NODE_GRACE=24h "$lab" up 0 >/dev/null 2>&1 && started=1
    ok $? "a cluster is started"
fi

start_primary 127.0.0.1
"$KUBE_LAB/hollow-nodes" up "$count" >>"$work/hollow.log" 2>&1 &
pids=("$primary_pid" $!)
all_ready() { # COMMAND...: lists as many Ready objects as there are to be nodes
    [ "$("$@" -o json | jq '[.items[].status.conditions[]? | select(.type == "Ready" and .status == "True")] | length')" = "$count" ]
}
until_true 300 all_ready kubectl get nodes -l kube-lab/hollow
ok $? "$count nodes are ready"
kubectl create namespace $ns >/dev/null
"$KUBE_LAB/hollow-nodes" las --namespace $ns >>"$work/hollow.log" 2>&1
until_true 300 all_ready kubectl get pods -n $ns -l app.kubernetes.io/name=las
ok $? "$count LAS pods are ready"

settings() { # FILE LAS
    cat >"$1" <<SETTINGS
instance: bench-las
parallel: 16
registration: {plugin: scone-cli, program: "true"} # pods of simulated nodes run no CAS
state: {plugin: configmap, namespace: $ns}
discovery:
  - plugin: kubernetes
    namespace: $ns
    selector: kube-lab/hollow=true
    $2
SETTINGS
}
settings "$work/with.yaml" "las: {selector: app.kubernetes.io/name=las, namespace: $ns}"
settings "$work/without.yaml" ""

logs_read() {
    grep '"subresource":"log"' /var/lib/kube-lab/log/audit.log | grep '"stage":"ResponseComplete"' |
        grep -c "\"namespace\":\"$ns\""
}

# pass FILE: one pass. $reads: logs that it read; $cpu: milliseconds of CPU; output in $work/out.
pass() {
    local before status
    before=$(logs_read)
    TIMEFORMAT='%U %S'
    times=$({ time "$builddir/cas-backup" --plugin-dir "$builddir/.libs" --file "$1" \
        --config "$work/owner/config.json" -q run >"$work/out" 2>&1; } 2>&1)
    status=$?
    reads=$(($(logs_read) - before))
    cpu=$(echo "$times" | awk '{ printf "%d", ($1 + $2) * 1000 }')
    return $status
}

# least FILE: the least CPU time of five passes; $reads: logs that all of them read.
least() {
    local all=0 best=999999
    for _ in 1 2 3 4 5; do
        pass "$1" || return 1
        all=$((all + reads))
        [ "$cpu" -ge "$best" ] || best=$cpu
    done
    reads=$all cpu=$best
}

begin=$SECONDS
pass "$work/with.yaml" && [ "$reads" = "$count" ]
ok $? "the first pass registers all and reads $reads logs ($((SECONDS - begin)) s)"
least "$work/with.yaml" && [ "$reads" = 0 ]
ok $? "passes over the unchanged cluster read $reads logs ($cpu ms of CPU)"
with=$cpu
least "$work/without.yaml"
ok $? "passes without LAS keep all nodes ($cpu ms of CPU)"
[ $((with * 2)) -le $((cpu * 3)) ]
ok $? "LAS costs $with ms where $cpu ms do without: at most half as much again"
finish
