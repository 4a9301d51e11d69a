# shellcheck shell=bash disable=SC2034 # for the scripts that read this
# SPDX-License-Identifier: Apache-2.0
# What the benchmarks share: a control plane with simulated nodes. KUBE_LAB is the folder of the
# cluster's scripts, $builddir has the built program.
set -eu -o pipefail
srcdir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
builddir=${builddir:-$srcdir/build-check}
KUBE_LAB=${KUBE_LAB:-$srcdir/../shared/kube-lab}
work=$(mktemp -d)
hollow_pid=
trap 'stop_hollow; rm -rf "$work"' EXIT

stop_hollow() {
    [ -z "$hollow_pid" ] || kill "$hollow_pid" 2>/dev/null || true
    hollow_pid=
}

# Starts a cluster of its own where none runs; BENCH_KEEP=1 leaves it.
start_cluster() {
    "$KUBE_LAB/kube-lab" status 2>/dev/null | grep -q 'apiserver running' ||
        KUBE_LAB_NODE_GRACE=24h "$KUBE_LAB/kube-lab" up 0 >/dev/null
    KUBECONFIG=$("$KUBE_LAB/kube-lab" kubeconfig)
    export KUBECONFIG
}

# start_hollow COUNT OPTION...: exactly so many simulated nodes.
start_hollow() {
    stop_hollow
    "$KUBE_LAB/hollow-nodes" down
    "$KUBE_LAB/hollow-nodes" up "$@" >"$work/hollow.log" 2>&1 &
    hollow_pid=$!
    until grep -q "hollow-nodes: $1 nodes" "$work/hollow.log"; do
        kill -0 $hollow_pid || { cat "$work/hollow.log"; exit 1; }
        sleep 0.2
    done
}

# settings PARALLEL: a pass over the simulated nodes, with a registration of 0.1 s.
settings() {
    printf '#!/bin/sh\nsleep 0.1\necho Backup CAS registered\n' >"$work/scone"
    chmod +x "$work/scone"
    cat >"$work/settings.yaml" <<SETTINGS
instance: bench
parallel: $1
discovery:
  - plugin: kubernetes
    namespace: default
    selector: kube-lab/hollow=true
registration:
  plugin: scone-cli
  program: $work/scone
  parallel: ${2:-4}
  session: bench/register
  cas: mycas
state:
  plugin: configmap
  namespace: default
SETTINGS
}
cas_backup() {
    "$builddir/cas-backup" --plugin-dir "$builddir/.libs" --file "$work/settings.yaml" "$@"
}
