#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TAP. README's quick start, pasted into a real cluster with the nodes node-1 and node-2: with
# kustomize and with Helm both nodes are registered, and what docs/operations.md says about
# uninstalling is so. The images and the primary are the sandbox's.
# shellcheck disable=SC2317 # functions are called by what is pasted
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$(dirname "$0")/lab.sh"
ns=cas-backup
host_ip=10.77.$lab_id.254
render=${SHARED:-$srcdir/../shared}/tools/chart-render/chart-render
clean() {
    kubectl delete --ignore-not-found namespace/$ns-b clusterrole/cas-backup-b clusterrolebinding/cas-backup-b "$@" >/dev/null 2>&1
    kubectl delete --ignore-not-found namespace/$ns clusterrole/cas-backup clusterrolebinding/cas-backup "$@" >/dev/null 2>&1
    kubectl delete --ignore-not-found -n default role/cas-backup-las rolebinding/cas-backup-las >/dev/null 2>&1
}
trap 'command kill $primary_pid 2>/dev/null; clean --wait=false; rm -rf "$work"' EXIT

KUBECONFIG=$("$lab" kubeconfig)
clean --wait=true
load_images >"$work/out" 2>&1
ok $? "images are loaded"
give_sgx node-1 node-2
ok $? "nodes have SGX"
start_primary "$host_ip"

# blocks DOCUMENT WORD: the commands of the blocks that are marked to be run here by that word.
blocks() {
    awk -v mark="<!-- run: tests/lab/quickstart.sh $2 -->" '
        index($0, mark) { marked = 1; next }
        marked && /^ *```/ { if (inside) marked = inside = 0; else { inside = 1; indent = index($0, "`"); shell = /sh$/ }; next }
        !inside { next }
        { line = substr($0, indent) }
        within || shell || sub(/^\$ /, "", line) { print line; within = within ? line != "END" : line ~ /<<END$/ }' "$srcdir/$1"
}
# pastes NAME DOCUMENT WORD: runs them line by line, in the folder where the user is.
pastes() {
    local status
    blocks "$2" "$3" >"$work/pasted"
    # shellcheck source=/dev/null
    (set -e && cd "$work/checkout" && [ -s "$work/pasted" ] && . "$work/pasted") >"$work/said" 2>&1
    status=$?
    cp "$work/said" "$work/out"
    ok $status "$1"
}

# ---- the user's programs, where the lab is not of their time
kubectl() {
    case "$1 ${2-}" in
    "apply -k") command kubectl kustomize "$3" | passive | command kubectl apply -f - ;;
    "delete -k") command kubectl kustomize "$3" | of_this_cluster | command kubectl delete -f - ;;
    "create job") (unset -f kubectl && pass_of "$5" "${6#*/}" "$3") ;;
    *) command kubectl "$@" ;;
    esac
}
# passive: a CronJob that makes no pass but those that are asked for.
passive() {
    sed 's/^  schedule: .*/&\n  suspend: true/' | of_this_cluster
}
helm() { # install NAME CHART -n NAMESPACE OPTION... | uninstall NAME -n NAMESPACE
    local verb=$1 name=$2
    shift 2
    if [ "$verb" = install ]; then
        "$render" "$1" --name "$name" --namespace "$3" "${@:4}" | passive >"$work/release"
        command kubectl apply -f "$work/release"
    else
        command kubectl delete -f "$work/release"
    fi
}
export IMAGE=docker.io/sandbox/cas-backup TAG=1 CAS_IMAGE=docker.io/sandbox/cas:1 CONFIG=$work/owner/config.json
mkdir "$work/checkout"
cp -r "$srcdir/cronjob" "$work/checkout/"
for name in $(blocks README.md variables | grep -o '[A-Z_]*='); do
    [ -n "$(eval "echo \${${name%=}-}")" ] || echo "$name"
done >"$work/out"
[ ! -s "$work/out" ] && [ "$(blocks README.md variables | wc -l)" = 3 ]
ok $? "the quick start needs no other variables"

pastes "namespace and Secret" README.md namespace
pastes "the CronJob is applied" README.md kustomize
pastes "a first pass" README.md first
grep -q '2 registered (2 new, 0 kept), 0 failed' "$work/out" && registered 2
ok $? "registers both nodes"
# where the binary is installed
cas-backup() {
    "$builddir/cas-backup" --plugin-dir "$builddir/.libs" --config "$CONFIG" "$@"
}
pastes "the records are seen from here, as docs/operations.md says" docs/operations.md by-hand
[ "$(grep -c '^node-[12] .* registered ' "$work/out")" = 2 ]
ok $? "both nodes are in them"
pastes "another instance is applied, as docs/operations.md says" docs/operations.md another
(unset -f kubectl && pass_of cas-backup-b cas-backup-b first)
grep -q '2 registered (2 new, 0 kept), 0 failed' "$work/out" && registered 4
ok $? "which registers both nodes too"
pastes "and removed" docs/operations.md another-gone
pastes "it is uninstalled, as docs/operations.md says" docs/operations.md uninstall-kustomize
left() {
    command kubectl get cronjob,role,rolebinding,serviceaccount,clusterrole,clusterrolebinding,configmap,secret -A -o name |
        grep cas-backup | grep -v token
    command kubectl get job -n $ns -o name
}
records_are_left() {
    left >"$work/out"
    [ "$(tr '\n' ' ' <"$work/out")" = "configmap/cas-backup-state secret/cas-backup-owner " ]
}
until_true 60 records_are_left
ok $? "records and Secret are left, and nothing else"
pastes "what is left is removed" docs/operations.md uninstall-rest
[ -z "$(left)" ]
ok $? "then nothing is"

if [ -x "$render" ]; then
    rm -r "$work/checkout/my-cas"
    until_true 120 sh -c "! kubectl get namespace $ns >/dev/null 2>&1"
    pastes "namespace and Secret" README.md namespace
    pastes "the chart is installed" README.md helm
    pastes "a first pass" README.md first
    grep -q '2 registered (2 new, 0 kept), 0 failed' "$work/out" && registered 6
    ok $? "registers both nodes"
    pastes "it is uninstalled" docs/operations.md uninstall-helm
    until_true 60 records_are_left
    ok $? "records and Secret are left, and nothing else"

    # what Helm does after that where it is told to: the release's hooks
    rootfs "$work/kubectl" "$(readlink -f "$(type -P kubectl)")" 2>/dev/null
    "$lab" load docker.io/sandbox/kubectl:1 "$work/kubectl" /usr/bin/kubectl >"$work/out" 2>&1
    ok $? "an image with kubectl is loaded"
    "$render" "$work/checkout/cronjob/chart" --name cas-backup --namespace $ns --set records.onUninstall=delete \
        --set backupName=cas-backup --set records.kubectlImage=docker.io/sandbox/kubectl:1 |
        awk 'BEGIN { RS = "---\n" } /helm.sh\/hook: post-delete/ { print "---"; print }' |
        command kubectl apply -f - >"$work/out" 2>&1
    until_true 180 job_ended $ns cas-backup-uninstall
    command kubectl logs -n $ns job/cas-backup-uninstall --all-containers >"$work/out" 2>&1
    [ -z "$(command kubectl get configmap -n $ns -l cas-backup/component=state -o name)" ]
    ok $? "with records.onUninstall=delete the records go too"
fi
finish
