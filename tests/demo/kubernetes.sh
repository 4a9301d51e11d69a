#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Passes over a cluster of three nodes: an API server that stands in for Kubernetes, with LAS on each
# node, and a primary CAS.
# shellcheck disable=SC2119 # start_cluster without options
: "${srcdir:?}" "${builddir:?}"
# shellcheck source-path=SCRIPTDIR source=../e2e/cluster.sh
. "$srcdir/tests/e2e/cluster.sh"
# shellcheck source-path=SCRIPTDIR source=say.sh
. "$srcdir/tests/demo/say.sh"
set -e
instance=mycas-backup
las_settings=("las: {selector: app=las, namespace: $namespace}")

cas_backup() {
    printf '$ cas-backup %s\n' "$*"
    "$program" --plugin-dir "$builddir/.libs" --file "$settings" --config "$owner/config.json" "$@"
}

start_cluster
add_node node-3
for i in 1 2 3; do
    start_las "node-$i" 6 "$(printf '%064d' "$i")"
done
write_settings "${las_settings[@]}"

say "Kubernetes, first pass: each node gets a backup CAS as a pod, which is registered with the primary and removed"
cas_backup run
say "second pass: nothing to do, and no pod is made"
cas_backup run
say "node-2 gets another mainboard: its LAS has another key, and plan says why that matters"
restart_las node-2 6 "$(printf '%064d' 9)"
cas_backup plan
say "the same with every fact, what is recorded beside what is there now:"
cas_backup explain node-2
say "third pass: exactly that node is registered again"
cas_backup run
say "node-3 is cordoned, and forgotten: what a pass cannot do it says"
cordon node-3
cas_backup forget node-3
cas_backup run
say "would the database open if the cluster came back on these two?"
cas_backup coverage node-2 node-3
say "no pod is left, and the state is a ConfigMap:"
pods
cas_backup status
say "the same for a Prometheus, whose alerts and dashboard are in cronjob/monitoring:"
cas_backup status -o prometheus | grep -E '^[$]|^cas_backup_node(s|_unprotected_reason)'
set +e # for the sandbox's end
