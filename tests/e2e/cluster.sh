# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A cluster for whole passes: nodes node-1 and node-2, a primary CAS on this machine, and images of
# backup CASes. E2E_CLUSTER says which: "sandbox" (tests/sandbox/kube, the default), or "lab", the
# real Kubernetes that KUBE_LAB's `kube-lab up 2` started. Both are spoken to by their API alone.
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"

cluster=${E2E_CLUSTER:-sandbox}
sandbox=$builddir/tests/sandbox
image=docker.io/sandbox/cas:1
instance=e2e-$$
namespace=default
owner=$work/owner settings=$work/settings.yaml
wrapper=${PROGRAM_WRAPPER-}
primary_pid='' cluster_pid=''
export TMPDIR=$work/tmp XDG_RUNTIME_DIR=$work/tmp HOME=$work
mkdir -m 0700 "$TMPDIR"
trap 'stop_cluster; rm -rf "$work"' EXIT

on_lab() { [ "$cluster" = lab ]; }

# until_true SECONDS COMMAND...: waits until the command succeeds.
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}

# Starts a server of the sandbox; its port is in $port, its process in $pid.
start_server() {
    exec {out}< <(exec "$@" 2>>"$work/servers.log")
    pid=$!
    read -r _ _ _ port <&"$out"
    exec {out}<&-
}

# start_cluster [OPTION...]: the options are the sandbox's. With E2E_PROTOBUF set, as `make check` has
# it, lists and watches are Protocol Buffers.
start_cluster() {
    : >>"$work/registered"
    start_server "$sandbox/cas" --primary "$owner" --registered "$work/registered" \
        --listen 127.0.0.1:0
    primary_pid=$pid
    if on_lab; then
        start_lab
    else
        start_server "$sandbox/kube" --dir "$work" --image "$image=$sandbox/cas --listen {ip}:8081" \
            ${E2E_PROTOBUF:+--protobuf} "$@"
        cluster_pid=$pid server=https://127.0.0.1:$port
        auth=(--cacert "$work/ca.crt" -H 'Authorization: Bearer sandbox')
        export KUBECONFIG=$work/kubeconfig
        add_node node-1
        add_node node-2
    fi
    write_settings
}

start_lab() {
    local pki=${KUBE_LAB_DIR:-/var/lib/kube-lab}/pki
    server=https://10.77.0.1:443
    auth=(--cacert "$pki/ca.crt" --cert "$pki/admin.crt" --key "$pki/admin.key")
    export KUBECONFIG=$pki/admin.kubeconfig
    for node in node-1 node-2; do
        api PATCH "/api/v1/nodes/$node" '{"metadata": {"labels": {"e2e": "true"}}}' >/dev/null
        api PATCH "/api/v1/nodes/$node/status" \
            '{"status": {"capacity": {"sgx.intel.com/enclave": "10"}}}' >/dev/null
        until_true 30 has_sgx "$node"
    done
}

has_sgx() {
    [ "$(api GET "/api/v1/nodes/$1" | jq -r '.status.allocatable["sgx.intel.com/enclave"]')" = 10 ]
}

# Ends everything, and on a real cluster takes away what the test left there.
stop_cluster() {
    if on_lab; then
        for node in node-1 node-2; do
            uncordon "$node"
        done
        for path in pods configmaps; do
            for name in $(api GET "/api/v1/namespaces/$namespace/$path" |
                jq -r '.items[].metadata.name' | grep "^$instance-"); do
                api DELETE "/api/v1/namespaces/$namespace/$path/$name"
            done
        done
    fi >/dev/null 2>&1
    [ -z "$cluster_pid" ] || kill "$cluster_pid"
    [ -z "$primary_pid" ] || kill "$primary_pid"
    cluster_pid='' primary_pid=''
    wait
    end_held
}

# api METHOD PATH [BODY]: prints the answer; fails where its status is an error.
api() {
    local type=application/json
    [ "$1" != PATCH ] || type=application/merge-patch+json
    curl -sS --fail-with-body "${auth[@]}" -X "$1" "$server$2" -H "Content-Type: $type" \
        ${3+-d "$3"}
}

# add_node NAME: one more node of the sandbox.
add_node() {
    api POST /api/v1/nodes "$(jq -n --arg name "$1" --arg boot "boot-of-$1" '{
        metadata: {name: $name, labels: {e2e: "true"}},
        status: {
            allocatable: {"sgx.intel.com/enclave": "10"},
            conditions: [{type: "Ready", status: "True"}],
            nodeInfo: {bootID: $boot}
        }}')" >/dev/null
}

# What happens to nodes.
cordon() { api PATCH "/api/v1/nodes/$1" '{"spec": {"unschedulable": true}}' >/dev/null; }
uncordon() {
    api PATCH "/api/v1/nodes/$1" '{"spec": {"unschedulable": null}}' >/dev/null
    until_true 60 has_no_taint "$1"
}
# A real cluster has a controller that follows with a taint, in a while.
has_no_taint() { [ "$(api GET "/api/v1/nodes/$1" | jq '.spec.taints // [] | length')" = 0 ]; }

# set_boot_id NODE ID: a real kubelet would put its own one back, so it is stopped until thaw.
set_boot_id() {
    freeze "$1" STOP
    api PATCH "/api/v1/nodes/$1/status" "{\"status\": {\"nodeInfo\": {\"bootID\": \"$2\"}}}" >/dev/null
}
thaw() { freeze "$1" CONT; }
freeze() {
    ! on_lab || kill -"$2" "$(cat "${KUBE_LAB_DIR:-/var/lib/kube-lab}/run/kubelet-$1.pid")"
}

# break_images NODE: no image can be pulled there, until mend_images.
break_images() {
    if on_lab; then
        node_ctr "$1" images rm "$image" >/dev/null
    else
        annotate "$1" sandbox/pull-error '"registry unreachable"'
    fi
}
mend_images() {
    if on_lab; then
        node_ctr "$1" images import "$(lab_image)" >/dev/null
    else
        annotate "$1" sandbox/pull-error null
    fi
}
node_ctr() {
    local node=$1
    shift
    ctr --address "${KUBE_LAB_DIR:-/var/lib/kube-lab}/run/containerd-$node.sock" -n k8s.io "$@"
}
lab_image() {
    grep -l "$image" "${KUBE_LAB_DIR:-/var/lib/kube-lab}"/images/*.tar
}

# annotate NODE NAME JSON: how the sandbox's kubelet behaves, see kube_kubelet.h.
annotate() {
    api PATCH "/api/v1/nodes/$1" "{\"metadata\": {\"annotations\": {\"$2\": $3}}}" >/dev/null
}

# las_log 6|7 [IDENTITY]: what LAS of that version prints when it starts; without an identity its
# line is missing.
las_log() {
    local at='[10000:INFO@04.05.2020/11:01:44] STARTER:' now=2026-02-23T10:07:36.762576Z
    if [ "$1" = 6 ]; then
        [ -z "${2-}" ] || echo "$at SCONE QE has public key $2"
        echo "$at LAS is listening on 0.0.0.0:18766"
    else
        [ -z "${2-}" ] || echo "$now  INFO Intel QE ID: $2"
        echo "$now  INFO LAS is listening on 0.0.0.0:18766"
    fi
}

# start_las NODE 6|7 [IDENTITY]: a LAS pod of the sandbox, with label app=las.
start_las() {
    api POST "/api/v1/namespaces/$namespace/pods" "$(jq -n --arg node "$1" \
        --arg log "$(las_log "${@:2}")" '{
        metadata: {name: "las-\($node)", labels: {app: "las"}, annotations: {"sandbox/log": $log}},
        spec: {nodeName: $node, containers: [{name: "las", image: "las"}]}}')" >/dev/null
    until_true 30 las_is_ready "$1"
}
las_is_ready() {
    api GET "/api/v1/namespaces/$namespace/pods/las-$1" |
        jq -e '.status.containerStatuses[0].ready' >/dev/null
}

# restart_las NODE 6|7 [IDENTITY]: its container starts anew and has another log.
restart_las() {
    local pod="/api/v1/namespaces/$namespace/pods/las-$1"
    api PATCH "$pod" "$(jq -n --arg log "$(las_log "${@:2}")" \
        '{metadata: {annotations: {"sandbox/log": $log}}}')" >/dev/null
    api PATCH "$pod/status" "$(api GET "$pod" | jq '{status: {containerStatuses:
        [.status.containerStatuses[0] | .restartCount += 1]}}')" >/dev/null
}

# faults JSON: what goes wrong with requests to the sandbox, see kube_fault.h.
faults() { api PUT /sandbox/faults "$1" >/dev/null; }

# What is there.
objects() { # PATH
    api GET "$1?labelSelector=app.kubernetes.io/instance=$instance"
}
pods() {
    objects "/api/v1/namespaces/$namespace/pods" | jq -r '.items[].metadata.name'
}
no_pods() { [ -z "$(pods)" ]; }
leases() {
    api GET "/apis/coordination.k8s.io/v1/namespaces/$namespace/leases" |
        jq -r ".items[].metadata.name | select(. == \"$instance\")"
}
# records JQ: of the state, as an array of objects.
records() {
    objects "/api/v1/namespaces/$namespace/configmaps" |
        jq -r "[.items[].data[]? | fromjson] | $1"
}
registrations() { wc -l <"$work/registered"; }
pods_created() {
    if on_lab; then
        grep -c "\"verb\":\"create\".*\"resource\":\"pods\".*\"name\":\"$instance-" \
            "${KUBE_LAB_DIR:-/var/lib/kube-lab}/log/audit.log"
    else
        api GET /sandbox/counts | jq '.["create pods"] // 0'
    fi
}
nothing_left() { [ -z "$(pods)$(leases)$(ls -A "$TMPDIR")" ]; }

# write_settings [LINE...]: the settings of a pass; the lines go to the source, $top to the top.
# shellcheck disable=SC2119,SC2120 # used by the tests
write_settings() {
    {
        printf '%s\n' "instance: $instance" "parallel: 4" ${top+"$top"} "discovery:" \
            "  - plugin: kubernetes" "    namespace: $namespace" "    selector: e2e=true" \
            "    image: $image"
        [ $# = 0 ] || printf '    %s\n' "$@"
        printf '%s\n' "registration: {plugin: scone-cli, program: ${program_cli:-$sandbox/scone}}" \
            "state: {plugin: configmap, namespace: $namespace, lease_duration: 12s}"
    } >"$settings"
}

# start_pass ARGUMENT...: the program in the background as $pass_pid, its output as by pass, or its
# log in the file $err.
start_pass() {
    # shellcheck disable=SC2086 # a command line
    $wrapper "$program" --plugin-dir "$builddir/.libs" --file "$settings" \
        --config "$owner/config.json" "$@" >"$work/out" 2>"${err:-$work/err}" &
    pass_pid=$!
}

# end_pass STATUS NAME: waits for it and tests its exit status.
end_pass() {
    wait "$pass_pid"
    got=$?
    keep_settings "$1" --plugin-dir "$builddir/.libs" --file "$settings"
    [ "$got" = "$1" ] || echo "exit status $got, expected $1" >>"$work/err"
    [ "$got" = "$1" ]
    ok $? "$2"
}

# pass STATUS NAME ARGUMENT...: runs the program and tests its exit status.
pass() {
    local status=$1 name=$2
    shift 2
    start_pass "$@"
    end_pass "$status" "$name"
}

# is NAME COMMAND...: tests that a command succeeds.
is() {
    local name=$1
    shift
    "$@"
    ok $? "$name"
}

# hold_cli: registrations wait for ever. Each that begins writes its process to $work/held.
hold_cli() {
    printf '%s\n' '#!/bin/sh' "echo \$\$ >>$work/held" 'exec sleep 600' >"$work/held-scone"
    chmod +x "$work/held-scone"
    rm -f "$work/held"
    program_cli=$work/held-scone write_settings
}
held() { [ "$(wc -l <"$work/held")" -ge "$1" ]; } 2>/dev/null

# What outlives a pass that was killed.
end_held() { xargs -r kill <"$work/held"; } 2>/dev/null
