#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TAP. LAS public keys in a real cluster with the nodes node-1 and node-2: a DaemonSet prints them as
# LAS does, and only a machine that changed is registered again. A LAS log is read only after LAS
# was started anew.
# shellcheck source-path=SCRIPTDIR source=lab.sh disable=SC2086,SC2317 # called by until_true
. "$(dirname "$0")/lab.sh"
ns=las-test
las_ns=las-test-system
host_ip=10.77.$lab_id.254
key_a=A470CDA5245AF18EF5D8D3E1B30982A3BC74848376CA4FD03237C0F342E97239
key_b=B581DEB6356BF29FF6E9E4F2C41093B4CD85959487DB5FE14348D1F453FA8340
key_c=c692efc7467c03a007faf503d52104c5de96a6a598ec60f25459e20564fb9451
qe_a=eee9e58d0a1b2c3d4e5f60718293a4b5
qe_b=0f1e2d3c4b5a69788796a5b4c3d2e1f0
qe_c=9c8d7e6f5a4b3c2d1e0f00112233445a
KUBECONFIG=$("$lab" kubeconfig)
admin_kubeconfig=$KUBECONFIG

admin() { # COMMAND...: as administrator
    local KUBECONFIG=$admin_kubeconfig
    "$@"
}
clean() {
    admin kubectl delete --ignore-not-found namespace/$ns namespace/$las_ns clusterrole/$ns \
        clusterrolebinding/$ns "$@" >/dev/null 2>&1
}
trap 'kill $primary_pid 2>/dev/null; clean --wait=false; rm -rf "$work"' EXIT
clean --wait=true
separate_logs node-2
ok $? "each node has a folder of its own for the logs of its pods"
rootfs "$work/las" "$(command -v dash)" "$(command -v sleep)"
"$lab" load docker.io/sandbox/las:1 "$work/las" /usr/bin/dash >"$work/out" 2>&1
ok $? "the image of LAS is loaded"
rootfs "$work/cas" "$builddir/tests/sandbox/cas"
"$lab" load docker.io/sandbox/cas:1 "$work/cas" /usr/bin/cas --backup >"$work/out" 2>&1
ok $? "the image of the backup CAS is loaded"
give_sgx node-1 node-2
ok $? "nodes have SGX"
start_primary $host_ip
kubectl create namespace $ns >/dev/null
kubectl create namespace $las_ns >/dev/null

cat >"$work/settings.yaml" <<SETTINGS
instance: las-test
parallel: 4
discovery:
  - plugin: kubernetes
    namespace: $ns
    selector: kubernetes.io/hostname in (node-1, node-2)
    image: docker.io/sandbox/cas:1
    las: {selector: app.kubernetes.io/name=las, namespace: $las_ns}
    pod: {spec: {terminationGracePeriodSeconds: 1}}
registration:
  plugin: scone-cli
  program: $builddir/tests/sandbox/scone
state: {plugin: configmap, namespace: $ns}
SETTINGS

cas_backup() {
    "$builddir/cas-backup" --plugin-dir "$builddir/.libs" --file "$work/settings.yaml" \
        --config "$work/owner/config.json" "$@"
}

logs_read() {
    jq -c --arg ns $las_ns 'select(.stage == "ResponseComplete" and .objectRef.namespace == $ns)' \
        <(grep '"subresource":"log"' "$lab_dir/log/audit.log") | wc -l
}

# pass: one pass. Its output is in $work/out, the number of LAS logs that it read in $reads.
pass() {
    reads=$(logs_read)
    cas_backup run --report "$work/report.json" >"$work/out" 2>&1
    local status=$?
    reads=$(($(logs_read) - reads))
    echo "LAS logs read: $reads" >>"$work/out"
    return $status
}

outcome() { # NODE: "registered las-key-changed"
    jq -r --arg name "$1" '.nodes[] | select(.name == $name) | .outcome + " " + .reason' "$work/report.json"
}

came_out() { # NODE-1 NODE-2 READS
    [ "$(outcome node-1)" = "$1" ] && [ "$(outcome node-2)" = "$2" ] && [ "$reads" = "$3" ]
}

record() { # NODE KEY: of its record in the state
    kubectl get configmap -n $ns -l app.kubernetes.io/component=state -o json |
        jq -r --arg name "$1" --arg key "$2" \
            '.items[].data[] | fromjson | select(.name == $name) | .[$key] // "none"'
}

# Kubelets own the boot IDs of nodes: what changes is the one that the record remembers.
forget_boot_id() { # NODE
    local uid map
    uid=$(kubectl get node "$1" -o jsonpath='{.metadata.uid}')
    map=$(kubectl get configmap -n $ns -l app.kubernetes.io/component=state -o name)
    kubectl get -n $ns "$map" -o json |
        jq --arg uid "$uid" '{data: {($uid): (.data[$uid] | fromjson | .boot_id = "before" | tojson)}}' \
            >"$work/patch"
    kubectl patch -n $ns "$map" --type=merge --patch-file "$work/patch" >/dev/null
}

set_keys() { # KEY-OF-NODE-1 KEY-OF-NODE-2: or QE IDs
    kubectl create configmap las-keys -n $las_ns --from-literal=node-1="$1" --from-literal=node-2="$2" \
        --dry-run=client -o yaml | kubectl apply -f - >/dev/null 2>&1
}

# A LAS that prints what the real one does: LAS 6 with a key, LAS 7 with a QE ID, which is shorter;
# without either the line with it is missing.
start_las() {
    kubectl apply -n $las_ns -f - >/dev/null <<'YAML'
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: las}
spec:
  selector: {matchLabels: {app.kubernetes.io/name: las}}
  template:
    metadata: {labels: {app.kubernetes.io/name: las}}
    spec:
      terminationGracePeriodSeconds: 0
      automountServiceAccountToken: false
      volumes:
        - {name: keys, configMap: {name: las-keys}}
      containers:
        - name: las
          image: docker.io/sandbox/las:1
          imagePullPolicy: IfNotPresent
          env:
            - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
          volumeMounts:
            - {name: keys, mountPath: /keys}
          command:
            - /usr/bin/dash
            - -c
            - |
              trap 'exit 1' TERM
              at='[10000:INFO@04.05.2020/11:01:44]'
              read -r key <"/keys/$NODE" || [ -n "$key" ]
              if [ ${#key} = 32 ]; then
                  echo "2026-02-23T10:07:36.762576Z  INFO Intel QE ID: $key"
                  echo "2026-02-23T10:07:36.770113Z  INFO LAS is listening on 0.0.0.0:18766"
                  while :; do sleep 1; done
              fi
              echo "aesm_service[11]: [ADMIN]EPID Provisioning successful"
              echo "$at STARTER: SCONE QE has MRENCLAVE D9A05D04E07CD75F4251D41A4D7F0FCA63BF392A19BEDE5C69A5BB60A94E376F"
              [ -z "$key" ] || echo "$at STARTER: SCONE QE has public key $key"
              echo "$at STARTER: LAS is listening on 0.0.0.0:18766"
              while :; do sleep 1; done
YAML
}

las_pod() { # NODE: the pod that is not on its way out
    kubectl get pods -n $las_ns -l app.kubernetes.io/name=las --field-selector spec.nodeName="$1" -o json |
        jq -r '[.items[] | select(.metadata.deletionTimestamp == null)][0].metadata.name // "none"'
}

las_listens() { # NODE
    kubectl logs -n $las_ns "$(las_pod "$1")" 2>/dev/null | grep -q listening &&
        [ "$(kubectl get pod -n $las_ns "$(las_pod "$1")" \
            -o jsonpath='{.status.conditions[?(@.type=="Ready")].status}')" = True ]
}

both_listen() { las_listens node-1 && las_listens node-2; }
no_las() { [ -z "$(kubectl get pods -n $las_ns -l app.kubernetes.io/name=las -o name)" ]; }
restarted() { # NODE COUNT
    [ "$(kubectl get pod -n $las_ns "$(las_pod "$1")" \
        -o jsonpath='{.status.containerStatuses[0].restartCount}')" = "$2" ] && las_listens "$1"
}

replace_las() { # NODE: another pod there
    kubectl delete pod -n $las_ns "$(las_pod "$1")" >/dev/null
    until_true 120 las_listens "$1"
}

set_keys $key_a $key_b
start_las
until_true 120 both_listen
ok $? "LAS listens on both nodes"

pass && came_out "registered new" "registered new" 2
ok $? "the first pass registers both nodes and reads two logs"
[ "$(record node-1 las_key)" = $key_a ] && [ "$(record node-2 las_key)" = $key_b ]
ok $? "their keys are recorded"
pass && came_out "kept " "kept " 0
ok $? "the second pass keeps both and reads no log"

kubectl exec -n $las_ns "$(las_pod node-1)" -- /usr/bin/dash -c 'kill -TERM 1' >/dev/null 2>&1
until_true 120 restarted node-1 1
ok $? "a LAS container is restarted"
pass && came_out "kept " "kept " 1
ok $? "its log is read, and the same key registers nothing"
replace_las node-1 && replace_las node-2
pass && came_out "kept " "kept " 2
ok $? "after a rolling update with the same keys both logs are read, and nothing is registered"
pass && came_out "kept " "kept " 0
ok $? "then none is read"

set_keys $key_a $key_c
replace_las node-2
cas_backup plan >"$work/out" 2>&1
grep -q 'node-2 .*register .*las-key-changed' "$work/out" && [ "$(wc -l <"$work/registered")" = 2 ]
ok $? "plan says that another key on node-2 will have it registered again"
pass && came_out "kept " "registered las-key-changed" 1
ok $? "exactly node-2 is registered again"
[ "$(record node-2 las_key)" = "$(echo $key_c | tr a-f A-F)" ]
ok $? "its new key is recorded, in upper case"

set_keys $key_a ''
replace_las node-2
pass && came_out "kept " "kept " 1 && grep -q 'node-2.*it could not be identified.*no identity' "$work/out"
ok $? "a log without a key costs a warning that names node-2, and the boot ID decides: kept"
[ "$(record node-2 las_key)" = "$(echo $key_c | tr a-f A-F)" ]
ok $? "the recorded key stands"
forget_boot_id node-2
pass && came_out "kept " "registered boot-id-changed" 1
ok $? "without a key and with another boot ID node-2 is registered again"
[ "$(record node-2 las_key)" = none ]
ok $? "no key is recorded for it"
set_keys $key_a $key_b
replace_las node-2
pass && came_out "kept " "kept " 1 && [ "$(record node-2 las_key)" = $key_b ]
ok $? "once LAS shows a key it is added to the record, and nothing is registered"

kubectl delete daemonset las -n $las_ns >/dev/null
until_true 120 no_las
pass && came_out "kept " "kept " 0 && grep -q 'no LAS pod runs on node-1, node-2' "$work/out"
ok $? "LAS deleted: a warning, and nothing is registered"
forget_boot_id node-1
pass && came_out "registered boot-id-changed" "kept " 0
ok $? "LAS deleted and another boot ID: exactly node-1 is registered again"
start_las
until_true 120 both_listen
pass && came_out "kept " "kept " 2 && [ "$(record node-1 las_key)" = $key_a ]
ok $? "LAS is back: the key is added to the record, and nothing is registered"

set_keys $qe_a $qe_b
replace_las node-1 && replace_las node-2
pass && came_out "kept " "kept " 2
ok $? "LAS 6 becomes LAS 7: both logs are read, and nothing is registered"
[ "$(record node-1 las_qe_id)" = $qe_a ] && [ "$(record node-2 las_qe_id)" = $qe_b ]
ok $? "the QE IDs are recorded"
set_keys $qe_a $qe_c
replace_las node-1 && replace_las node-2
pass && came_out "kept " "registered las-qe-id-changed" 2 && [ "$(record node-2 las_qe_id)" = $qe_c ]
ok $? "another QE ID on node-2: exactly that one is registered again"
pass && came_out "kept " "kept " 0
ok $? "then none is read"

# An account with the rights of cronjob/base and, log by log, those of cronjob/las.
rights() { # FOLDER NAMESPACE [FILTER]
    sed "s/cas-backup/$ns/g; s/{kind: ServiceAccount, name: $ns}/{kind: ServiceAccount, name: $ns, namespace: $ns}/" \
        "$srcdir/cronjob/$1/rbac.yaml" | sed "${3:-}" | kubectl apply -n "$2" -f - >"$work/out" 2>&1
}
account() {
    local config=$work/account.kubeconfig
    cp "$KUBECONFIG" "$config"
    chmod 600 "$config"
    kubectl --kubeconfig "$config" config set-credentials account \
        --token="$(kubectl create token $ns -n $ns)" >/dev/null &&
        kubectl --kubeconfig "$config" config set-context --current --user=account >/dev/null
}
rights base $ns && account
ok $? "an account has the rights of cronjob/base"
KUBECONFIG=$work/account.kubeconfig
admin replace_las node-1
pass && came_out "kept " "kept " 0 && grep -q 'list of the LAS pods: .*forbidden.*boot IDs decide' "$work/out"
ok $? "without rights in the namespace of LAS there is a warning, and the pass goes on"
admin rights las $las_ns '/pods\/log/s/log/none/'
pass && came_out "kept " "kept " 1 && grep -q 'node-1.*LAS pod.*forbidden' "$work/out"
ok $? "without the right to read logs there is a warning that names the node"
admin rights las $las_ns
pass && came_out "kept " "kept " 1 && ! grep -q warn "$work/out"
ok $? "the rights of cronjob/las are enough"
finish
