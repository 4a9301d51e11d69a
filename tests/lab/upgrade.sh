#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TAP. An upgrade of CAS in a real cluster with the nodes node-1 and node-2, with the administrator's
# kubeconfig: the image and the command become those of the next release, coverage stays, and
# coverage --wait tells when the primary's turn has come.
# shellcheck disable=SC2317 # functions are called by until_true
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$(dirname "$0")/lab.sh"
ns=upgrade-test
image=docker.io/sandbox/cas
clean() {
    kubectl delete --ignore-not-found namespace/$ns "$@" >/dev/null 2>&1
}
trap 'kill $primary_pid $waiter 2>/dev/null; clean --wait=false; rm -rf "$work"' EXIT

KUBECONFIG=$("$lab" kubeconfig)
clean --wait=true
rootfs "$work/cas" "$builddir/tests/sandbox/cas"
"$lab" load $image:1 "$work/cas" /usr/bin/cas --backup >"$work/out" 2>&1 &&
    "$lab" load $image:2 "$work/cas" /usr/bin/cas --backup >"$work/out" 2>&1
ok $? "the images of both releases are loaded"
give_sgx node-1 node-2
ok $? "nodes have SGX"
start_primary localhost
kubectl create namespace $ns >/dev/null

settings() { # TAG COMMAND
    cat >"$work/settings.yaml" <<SETTINGS
instance: upgrade-test
discovery:
  - plugin: kubernetes
    namespace: $ns
    selector: kubernetes.io/hostname in (node-1,node-2)
    image: $image:$1
    pod: {spec: {terminationGracePeriodSeconds: 1}}
registration:
  plugin: scone-cli
  program: $builddir/tests/sandbox/scone
  command: $2
  config: $work/owner/config.json
state: {plugin: configmap, namespace: $ns}
SETTINGS
}
cas_backup() {
    "$builddir/cas-backup" --plugin-dir "$builddir/.libs" --file "$work/settings.yaml" "$@"
}
pass() {
    cas_backup run --report "$work/report.json" >"$work/out" 2>&1
}
outcome() { # OUTCOME: of both nodes in the last pass
    [ "$(jq -r '[.nodes[] | .outcome + " " + .reason] | unique[]' "$work/report.json")" = "$1" ]
}
all_open() { # FILE: coverage's output
    grep -q '^the database opens on 2 of 2 ' "$1"
}
# watch_coverage: asks it until there is $work/stop; each answer's last line is in $work/watched.
watch_coverage() {
    until [ -e "$work/stop" ]; do
        cas_backup coverage node-1 node-2 2>&1 | tail -n 1
        sleep 0.2
    done >"$work/watched"
}

settings 1 register-backup
pass && registered 2 && outcome "registered new"
ok $? "with the first release both nodes are registered"
cas_backup coverage --wait 2s >"$work/out" 2>&1 && all_open "$work/out"
ok $? "coverage --wait returns at once: both are registered for it"

settings 2 register-upgrade
cas_backup plan >"$work/out" 2>&1
[ "$(grep -c 'register  *release-changed .*register-backup '"$image:1" "$work/out")" = 2 ]
ok $? "with the next release plan says that both will be registered again, and for what they are"
cas_backup coverage --wait 2s >"$work/out" 2>&1
[ $? = 4 ] && all_open "$work/out"
ok $? "before the pass coverage --wait ends with 4, and the database opens on both"

cas_backup coverage --wait 10m >"$work/waited" 2>&1 &
waiter=$!
until_true 60 grep -qs 'not registered for the present release' "$work/waited"
watch_coverage &
watcher=$!
until_true 60 test -s "$work/watched"
pass && registered 4 && outcome "registered release-changed"
ok $? "a pass registers both again, since the release changed"
touch "$work/stop"
wait $watcher
cp "$work/watched" "$work/out"
[ -s "$work/watched" ] && ! grep -qv '^the database opens on 2 of 2 ' "$work/watched"
ok $? "the database opened on both all the while ($(wc -l <"$work/watched") answers)"
wait $waiter
status=$?
cp "$work/waited" "$work/out"
[ $status = 0 ] && all_open "$work/waited"
ok $? "the coverage --wait that was begun before ends with 0"
cas_backup coverage --wait 2s >"$work/out" 2>&1
ok $? "one after the pass too"

version=$(kubectl get configmap -n $ns -o json -l app.kubernetes.io/component=state | jq -c '[.items[].data]')
pass && registered 4 && outcome "kept "
ok $? "a third pass registers nothing"
[ "$(kubectl get configmap -n $ns -o json -l app.kubernetes.io/component=state | jq -c '[.items[].data]')" = "$version" ]
ok $? "and changes no record"
until_true 90 no_backup_pod $ns
ok $? "no pod remains"
finish
