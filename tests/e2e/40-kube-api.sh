#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The API that tests/sandbox/kube stands in for: what the tool builds on, asked for without the
# tool. On a real cluster the same script shows that the stand-in is like it.
# shellcheck disable=SC2119,SC2317 # functions are called by name
# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "${srcdir:-.}/tests/e2e/cluster.sh"
start_cluster

maps=/api/v1/namespaces/$namespace/configmaps
pod_path=/api/v1/namespaces/$namespace/pods
lease_path=/apis/coordination.k8s.io/v1/namespaces/$namespace/leases

# answers STATUS REASON NAME METHOD PATH [BODY]: tests status and, unless empty, Status.reason.
answers() {
    local status=$1 reason=$2 name=$3 got
    shift 3
    : >"$work/out"
    api "$@" >"$work/out" 2>"$work/err"
    got=$(jq -r '.code // 200' "$work/out" 2>/dev/null)
    [ "${got:-none}" = "$status" ] &&
        { [ -z "$reason" ] || [ "$(jq -r .reason "$work/out")" = "$reason" ]; }
    ok $? "$name"
}
# gives JQ NAME: tests the last answer.
gives() { is "$2" answer_is "$1"; }
answer_is() { jq -e "$1" "$work/out" >"$work/err"; }
map() { # NAME LABELS DATA
    jq -nc --arg name "$instance-$1" --argjson labels "$2" --argjson data "$3" \
        '{metadata: {name: $name, labels: $labels}, data: $data}'
}
# selected QUERY: the names of our ConfigMaps, without prefix.
selected() {
    api GET "$maps?$1" | jq -r "[.items[].metadata.name | select(startswith(\"$instance-\")) |
        ltrimstr(\"$instance-\")] | sort | join(\" \")"
}
selects() { is "label selector $1" test "$(selected "labelSelector=$2")" = "$3"; }

answers 200 "" "an object is created" POST "$maps" "$(map a '{"app":"x"}' '{"k":"1"}')"
gives '.metadata.uid and .metadata.resourceVersion and .metadata.creationTimestamp' "it has a uid"
first=$(jq -r .metadata.resourceVersion "$work/out")
answers 409 AlreadyExists "only once" POST "$maps" "$(map a '{}' '{}')"
answers 422 Invalid "names are checked" POST "$maps" '{"metadata": {"name": "-Bad_"}}'
answers 404 NotFound "what is not there" GET "$maps/$instance-none"
api POST "$maps" "$(map b '{"app":"y","tier":"front"}' '{}')" >"$work/out"
api POST "$maps" "$(map c '{"tier":"back"}' '{}')" >"$work/out"

if on_lab || [ -n "${E2E_PROTOBUF-}" ]; then
    curl -sS "${auth[@]}" -H 'Accept: application/vnd.kubernetes.protobuf' "$server$maps?limit=1" >"$work/out"
    is "a list comes as Protocol Buffers" test "$(head -c 4 "$work/out" | tr '\0' 0)" = k8s0
fi

selects "app=x" app%3Dx "a"
selects "app==x" app%3D%3Dx "a"
selects "app!=x" app%21%3Dx "b c"
selects "app in (x,y)" 'app%20in%20(x,y)' "a b"
selects "app notin (x)" 'app%20notin%20(x)' "b c"
selects "app,tier=front" app,tier%3Dfront "b"
selects "!app" %21app "c"
answers 400 BadRequest "a wrong selector" GET "$maps?labelSelector=app%3Dx%3Dy"
is "field selector metadata.name" \
    test "$(selected "fieldSelector=metadata.name%3D$instance-b")" = b

# patch, put and conflicts
answers 200 "" "a merge patch" PATCH "$maps/$instance-a" '{"data": {"k": null, "l": "2"}}'
gives '.data == {"l": "2"}' "removes and adds keys"
version=$(jq -r .metadata.resourceVersion "$work/out")
answers 200 "" "a patch without a change" PATCH "$maps/$instance-a" '{"data": {"l": "2"}}'
gives ".metadata.resourceVersion == \"$version\"" "gives no new version"
answers 409 Conflict "a patch of an old version" PATCH "$maps/$instance-a" \
    "{\"metadata\": {\"resourceVersion\": \"$first\"}, \"data\": {\"k\": \"3\"}}"
answers 409 Conflict "a put of an old version" PUT "$maps/$instance-a" \
    "{\"metadata\": {\"name\": \"$instance-a\", \"resourceVersion\": \"$first\"}}"
answers 200 "" "a put without a version" PUT "$maps/$instance-a" \
    "{\"metadata\": {\"name\": \"$instance-a\"}, \"data\": {\"m\": \"1\"}}"
head -c 1048577 /dev/zero | tr '\0' x >"$work/large"
jq -Rc '{data: {large: .}}' "$work/large" >"$work/patch"
answers 422 Invalid "a ConfigMap of more than 1 MiB" PATCH "$maps/$instance-a" "@$work/patch"
for body in '[]' '7' '"text"' 'null' '{"data":' '\0'; do
    answers 400 BadRequest "a patch that is no object: $body" PATCH "$maps/$instance-a" "$body"
    answers 400 BadRequest "a body that is no object: $body" POST "$maps" "$body"
    answers 400 BadRequest "an update that is no object: $body" PUT "$maps/$instance-a" "$body"
done
answers 404 NotFound "a patch of what is not there" PATCH "$maps/$instance-none" '{}'

# lists in pages
answers 200 "" "a page" GET "$maps?limit=1"
gives '(.items | length == 1) and (.metadata.continue | length > 0)' "has one object and a token"
token=$(jq -r '.metadata.continue | @uri' "$work/out")
answers 200 "" "the next page" GET "$maps?limit=1&continue=$token"
gives '.items | length == 1' "has one as well"
answers 400 BadRequest "a page with a version" GET "$maps?limit=1&resourceVersion=1&continue=$token"
answers 400 BadRequest "a token that is none" GET "$maps?limit=1&continue=none"

# leases
lease() { # VERSION HOLDER
    jq -nc --arg name "$instance" --arg version "$1" --arg holder "$2" '{
        apiVersion: "coordination.k8s.io/v1", kind: "Lease",
        metadata: ({name: $name} + if $version == "" then {} else {resourceVersion: $version} end),
        spec: {holderIdentity: $holder, leaseDurationSeconds: 5}}'
}
answers 200 "" "a Lease is created" POST "$lease_path" "$(lease '' me)"
version=$(jq -r .metadata.resourceVersion "$work/out")
answers 422 Invalid "a Lease is not replaced blindly" PUT "$lease_path/$instance" "$(lease '' you)"
answers 200 "" "but from its version" PUT "$lease_path/$instance" "$(lease "$version" you)"
answers 409 Conflict "and only once" PUT "$lease_path/$instance" "$(lease "$version" him)"
answers 409 Conflict "a deletion of an old version" DELETE "$lease_path/$instance" \
    "{\"preconditions\": {\"resourceVersion\": \"$version\"}}"
answers 200 "" "a Lease is deleted" DELETE "$lease_path/$instance"

# watches
from=$(api GET "$maps" | jq -r .metadata.resourceVersion)
api PATCH "$maps/$instance-b" '{"metadata": {"labels": {"app": "x"}}}' >/dev/null
api PATCH "$maps/$instance-b" '{"data": {"n": "1"}}' >/dev/null
api PATCH "$maps/$instance-b" '{"metadata": {"labels": {"app": "y"}}}' >/dev/null
api GET "$maps?watch=1&timeoutSeconds=1&labelSelector=app%3Dx&resourceVersion=$from" >"$work/out"
is "a watch tells what begins to match, changes, and matches no more" test \
    "$(jq -r "select(.object.metadata.name == \"$instance-b\") | .type" "$work/out" | xargs)" = \
    "ADDED MODIFIED DELETED"
# A real API server remembers all since its start, for some minutes.
if ! on_lab; then
    api POST /sandbox/compact >/dev/null
    api GET "$maps?watch=1&timeoutSeconds=1&resourceVersion=1" >"$work/out"
    gives '.type == "ERROR" and .object.code == 410' "a watch from a version that is too old"
fi

# pods
pod() { # NAME NODE
    jq -nc --arg name "$instance-$1" --arg node "$2" --arg image "$image" '{
        metadata: {name: $name},
        spec: {restartPolicy: "Never", terminationGracePeriodSeconds: 1, containers: [{
            name: "c", image: $image,
            readinessProbe: {tcpSocket: {port: 8081}, periodSeconds: 1},
            resources: {limits: {"sgx.intel.com/enclave": "1"}}}],
          affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{matchFields: [
                {key: "metadata.name", operator: "In", values: [$node]}]}]}}}}}'
}
pod_is() { # NAME JQ
    api GET "$pod_path/$instance-$1" >"$work/out"
    answer_is "$2"
}
condition() { echo ".status.conditions // [] | any(.type == \"$1\" and .status == \"$2\")"; }
answers 422 Invalid "a pod needs a container" POST "$pod_path" \
    "{\"metadata\": {\"name\": \"$instance-p\"}, \"spec\": {}}"
answers 200 "" "a pod is created" POST "$pod_path" "$(pod p node-1)"
gives '.status.phase == "Pending"' "it is pending"
uid=$(jq -r .metadata.uid "$work/out")
is "it gets ready" until_true 30 pod_is p "$(condition Ready True)"
gives '.spec.nodeName == "node-1" and .status.podIP and .status.hostIP' "on its node"
gives '.status.phase == "Running" and .status.containerStatuses[0].state.running' "and runs"
is "its port is open" curl -sk -o /dev/null "https://$(jq -r .status.podIP "$work/out"):8081/v1/version"
cordon node-2
api POST "$pod_path" "$(pod q node-2)" >"$work/out"
is "a pod for a cordoned node is not placed" until_true 30 pod_is q "$(condition PodScheduled False)"
gives '.status.conditions[0].reason == "Unschedulable"' "because it is unschedulable"
gives '.status.conditions[0].message | startswith("0/")' "as the scheduler says"
uncordon node-2
is "and is placed after uncordon" until_true 60 pod_is q "$(condition PodScheduled True)"
answers 409 Conflict "a deletion of another pod" DELETE "$pod_path/$instance-p" \
    '{"preconditions": {"uid": "another"}}'
answers 200 "" "a pod is deleted" DELETE "$pod_path/$instance-p" \
    "{\"preconditions\": {\"uid\": \"$uid\"}}"
gives '.metadata.deletionTimestamp' "it has some time to end"
api DELETE "$pod_path/$instance-q" >/dev/null
gone() { [ "$(api GET "$pod_path/$instance-$1" 2>/dev/null | jq -r .code)" = 404 ]; }
is "then it is gone" until_true 30 gone p
until_true 30 gone q

review=/apis/authorization.k8s.io/v1/selfsubjectaccessreviews
answers 200 "" "access is reviewed" POST $review \
    '{"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "spec":
        {"resourceAttributes": {"verb": "list", "resource": "nodes"}}}'
gives '.status.allowed == true' "and is granted"
for name in a b c; do
    answers 200 "" "ConfigMap $name is deleted" DELETE "$maps/$instance-$name"
done
finish
