#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The Helm chart renders what kustomize builds, by default and with each switch, takes no value that
# it does not know, and says what is next.
# shellcheck source-path=SCRIPTDIR/../e2e source=../e2e/tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"
shared=${SHARED:-$srcdir/../shared} # has what renders a chart without Helm
chart=$srcdir/cronjob/chart
check=$srcdir/tests/tool/chart-check

if [ ! -x "$shared/tools/chart-render/chart-render" ] ||
    ! /usr/bin/python3 -c 'import yaml, jsonschema' 2>/dev/null; then
    echo '1..0 # SKIP nothing renders a chart'
    exit 0
fi

# helm NAMESPACE VALUES... [OPTION...]: what a release with the name cas-backup is; VALUES are K=V.
helm() {
    namespace=$1
    shift
    for argument; do
        shift
        case $argument in *=*) set -- "$@" --set ;; esac
        set -- "$@" "$argument"
    done
    "$shared/tools/chart-render/chart-render" "$chart" --name cas-backup --namespace "$namespace" "$@" 2>"$work/err"
}
# render FILE ARGUMENT...: what is valid for the API.
render() {
    file=$1
    shift
    helm "$@" >"$work/$file" && "$shared/tools/manifest-check" "$work/$file" >"$work/out"
}
# settings FILE: those of the rendered ConfigMap, on standard output.
settings() {
    /usr/bin/python3 -c 'import sys, yaml
for thing in yaml.safe_load_all(sys.stdin):
    if thing["kind"] == "ConfigMap":
        print(thing["data"]["settings.yaml"])' <"$work/$1"
}

version=$("$program" --version | grep -o '[0-9]*\.[0-9]*\.[0-9]*' | head -n 1)
[ "$(grep -c "^\(version\|appVersion\): $version\$" "$chart/Chart.yaml")" = 2 ]
ok $? "the chart is of this version, $version"

# ---- what it renders, beside what kustomize builds
render default.yaml cas-backup
ok $? 'by default it is valid'
if kubectl version --client 2>/dev/null | grep -q '^Kustomize Version: v[4-9]'; then
    cp -r "$srcdir/cronjob" "$work/"
    mkdir "$work/instance"
    # built COMPONENT...: the same by kustomize
    built() {
        printf 'namespace: cas-backup\nresources: [../cronjob/base]\ncomponents: [%s]\n' \
            "$(for component; do printf '../cronjob/%s,' "$component"; done)" >"$work/instance/kustomization.yaml"
        kubectl kustomize "$work/instance" >"$work/built.yaml" 2>"$work/err"
    }
    built
    "$check" same "$work/built.yaml" "$work/default.yaml" >"$work/out" 2>"$work/err"
    ok $? 'and the same as cronjob/base, object by object'
    # COMPONENT, what it leaves out of the comparison, and the values
    while read -r component but values; do
        case $but in -) but= ;; *) but=$(echo "$but" | tr , ' ') ;; esac
        # shellcheck disable=SC2086 # words
        built $component && render switched.yaml cas-backup $values &&
            "$check" same "$work/built.yaml" "$work/switched.yaml" $but >"$work/out" 2>"$work/err"
        ok $? "$values is the component $component"
    done <<'TABLE'
network-policy - networkPolicy.enabled=true
label ConfigMap,ServiceAccount label.enabled=true
sharded - shards=4
session ConfigMap session=policy/register
TABLE
    built
    for folder in las events; do
        kubectl kustomize "$srcdir/cronjob/$folder" >"$work/apart.yaml" 2>"$work/err"
        { cat "$work/built.yaml"; echo ---; cat "$work/apart.yaml"; } >"$work/both.yaml"
        render switched.yaml cas-backup "$folder.enabled=true" &&
            "$check" same "$work/both.yaml" "$work/switched.yaml" ConfigMap >"$work/out" 2>"$work/err"
        ok $? "$folder.enabled is cronjob/$folder"
    done
fi

# ---- releases beside each other
all='las.enabled=true events.enabled=true label.enabled=true networkPolicy.enabled=true'
# shellcheck disable=SC2086 # words
render here.yaml here $all && render there.yaml there $all &&
    "$srcdir/tests/tool/refs" "$work/here.yaml" "" "$work/there.yaml" "$work/default.yaml" >"$work/out" 2>"$work/err"
ok $? 'two releases of one name in two namespaces have no object in common'
render named.yaml here backupName=mycas &&
    grep -A6 'resources: \[leases\]' "$work/named.yaml" | grep -q -- '- "mycas"' &&
    grep -q -- '- "mycas-state"' "$work/named.yaml"
ok $? 'with backupName the rights are for its own records and lock'
render named.yaml here backupName=mycas shards=4 && grep -q -- "- \"mycas-3-of-4\"" "$work/named.yaml"
ok $? "and those of its shards"

# ---- values that are settings: the program takes them
render settings.yaml here cas=mycas:8081 session=policy/upgrade backupName=mycas backupImage=registry.example/cas:1 \
    useSGXDevPlugin=azure sgxEpcMem=16 las.enabled=true events.enabled=true label.enabled=true settings.parallel=3 settings.registration.command=register-upgrade
settings settings.yaml >"$work/settings"
for line in 'cas: mycas:8081' 'instance: mycas' 'parallel: 3' 'session: policy/upgrade' 'command: register-upgrade' \
    'image: registry.example/cas:1' 'name: kubernetes.azure.com/sgx_epc_mem_in_MiB' 'quantity: 16' \
    'selector: app.kubernetes.io/name=las' 'events: true' 'label: true'; do
    grep -q "^[ -]*$line\$" "$work/settings" || echo "no '$line'"
done >"$work/out"
[ ! -s "$work/out" ]
ok $? 'values become settings'
"$program" plan -f "$work/settings" --plugin-dir "$builddir/.libs" --kubeconfig /nonexistent >"$work/out" 2>"$work/err"
[ $? = 3 ] && grep -q nonexistent "$work/err"
ok $? 'which the program takes'
grep -q 'annotations: {cas-backup/instance: "mycas"}' "$work/settings.yaml"
ok $? 'the account has the instance, by which the policy knows the label'
grep -q 'kubernetes.azure.com/sgx_epc_mem_in_MiB: 16' "$work/settings.yaml"
ok $? 'with a session the pass gets the SGX of useSGXDevPlugin'
while read -r plugin word; do
    render sgx.yaml here "useSGXDevPlugin=$plugin" && settings sgx.yaml >"$work/out"
    case $word in
    -) ! grep -q sgx_resource "$work/out" ;;
    *) grep -q "$word" "$work/out" ;;
    esac
    ok $? "useSGXDevPlugin $plugin"
done <<'TABLE'
enabled -
scone sgx.k8s.io/sgx
disabled quantity:.0
TABLE
for values in useSGXDevPlugin=azure records.onUninstall=delete; do
    ! render refused.yaml here "$values" && grep -q needs "$work/err"
    ok $? "$values alone is refused"
done
render uninstall.yaml here records.onUninstall=delete backupName=mycas &&
    grep -q 'helm.sh/hook: post-delete' "$work/uninstall.yaml" && ! grep -q 'helm.sh/hook' "$work/default.yaml"
ok $? 'records are deleted by a hook, only where that is asked for'

# ---- every value has its place
cat >"$work/values" <<'YAML'
imagePullPolicy: Always
imagePullSecrets: [{name: sconeapps}]
image: registry.example/cas-backup:1@sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3
env: [{name: BACKUP_CAS_IMAGE, value: registry.example/cas:7}]
extraVolumes: [{name: extra, hostPath: {path: /dev/isgx}}]
extraVolumeMounts: [{name: extra, mountPath: /dev/isgx}]
resources: {limits: {cpu: "7"}}
nodeSelector: {las.scontain.com/ok: "true"}
tolerations: [{key: mine, operator: Exists}]
affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: mine, operator: Exists}]}]}}}
priorityClassName: high
podAnnotations: {note: "yes"}
podLabels: {team: mine}
securityContext: {privileged: true}
podSecurityContext: {runAsUser: 7}
schedule: "7 * * * *"
timeZone: Europe/Berlin
suspend: true
concurrencyPolicy: Replace
startingDeadlineSeconds: 71
successfulJobsHistoryLimit: 72
failedJobsHistoryLimit: 73
backoffLimit: 74
activeDeadlineSeconds: 75
ttlSecondsAfterFinished: 76
terminationGracePeriodSeconds: 77
ownerSecret: mine
YAML
render all.yaml here -f "$work/values"
for word in 'imagePullPolicy: Always' '- name: sconeapps' 'image: registry.example/cas-backup:1@sha256:24a0' \
    'value: registry.example/cas:7' 'path: /dev/isgx' 'mountPath: /dev/isgx' 'cpu: "7"' 'las.scontain.com/ok: "true"' \
    'key: mine' 'nodeAffinity:' 'priorityClassName: high' 'note: "yes"' 'team: mine' 'privileged: true' 'runAsUser: 7' \
    'schedule: "7 ' 'timeZone: "Europe/Berlin"' 'suspend: true' 'concurrencyPolicy: Replace' 'Seconds: 71' 'Limit: 72' \
    'Limit: 73' 'Limit: 74' 'Seconds: 75' 'Finished: 76' 'Seconds: 77' 'secretName: mine'; do
    grep -qF -- "$word" "$work/all.yaml" || echo "no '$word'"
done >"$work/out"
[ ! -s "$work/out" ]
ok $? 'each value is where it belongs'

# ---- the schema of the values
"$check" strict "$chart/values.schema.json" >"$work/out" 2>"$work/err"
ok $? 'the schema leaves no level open'
"$program" plugins -o schema --plugin-dir "$builddir/.libs" |
    "$srcdir/tests/tool/chart-schema" "$chart/values.schema.json" >"$work/schema" 2>"$work/err"
diff "$chart/values.schema.json" "$work/schema" >"$work/out"
ok $? "its settings are the program's (tests/tool/chart-schema brings them up to date)"
valid() {
    "$check" valid "$chart/values.schema.json" "$chart/values.yaml" "$@" >"$work/out" 2>"$work/err"
}
valid - "$work/values"
ok $? 'the values above are valid, and the default ones'
/usr/bin/python3 -c 'import json, sys, yaml
print("\n".join(sorted(set(json.load(open(sys.argv[1]))["properties"]) ^ set(yaml.safe_load(open(sys.argv[2]))))))' \
    "$chart/values.schema.json" "$chart/values.yaml" >"$work/out"
[ "$(cat "$work/out")" = global ]
ok $? 'values.yaml has each key of the schema'
mkdir "$work/wrong"
while read -r wrong; do
    number=$((${number:-0} + 1))
    echo "$wrong" >"$work/wrong/$number."
done <<'TABLE'
{sesion: a/b}
{session: a}
{cas: "https://mycas"}
{useSGXDevPlugin: true}
{image: "registry.example/cas-backup:latest"}
{las: {enable: true}}
{networkPolicy: {enabled: "yes"}}
{settings: {parallell: 3}}
{settings: {discovery: [{plugin: kubernetes, las: {selektor: x}}]}}
{resources: {limit: {cpu: 1}}}
{tolerations: [{keys: mine}]}
{affinity: {nodeAffinity: {required: []}}}
{extraVolumes: [{name: x, hostpath: {path: /x}}]}
{securityContext: {capabilities: {dropped: [ALL]}}}
{records: {onUninstall: never}}
TABLE
valid "$work"/wrong/*
cp "$work/out" "$work/faults"
for file in "$work"/wrong/*; do
    grep -qF "$file:" "$work/faults"
    ok $? "refused: $(cat "$file")"
done

# ---- what it says
helm here --notes >"$work/out"
grep -q 'kubectl create secret generic cas-backup-owner -n here --from-file=config.json=' "$work/out" &&
    grep -q 'kubectl create job first -n here --from=cronjob/cas-backup' "$work/out"
ok $? 'NOTES.txt tells the next commands'
helm here session=a/b image=x:1 --notes >"$work/out"
! grep -q 'create secret\|must be on every node' "$work/out"
ok $? 'and with a session not to make a Secret'
finish
