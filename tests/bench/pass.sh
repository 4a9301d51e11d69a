#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A first pass over 200 nodes whose pods are Ready after 2 s, with a registration of 0.1 s and
# `parallel: 32`: its time beside the ideal one, and the API calls it took (the API server's audit log).
# shellcheck source-path=SCRIPTDIR source=hollow.sh
. "$(dirname "$0")/hollow.sh"

audit=${KUBE_LAB_DIR:-/var/lib/kube-lab}/log/audit.log
start_cluster
settings 32
start_hollow 200 --ready-after 2
kubectl delete configmap -l app.kubernetes.io/component=state >/dev/null
before=$(wc -l <"$audit")
begun=$(date +%s.%N)
cas_backup -v run >"$work/out" 2>"$work/log" || { tail "$work/out" "$work/log"; exit 1; }
ended=$(date +%s.%N)
sleep 2
calls=$(tail -n "+$((before + 1))" "$audit" | grep '"userAgent":"cas-backup')
count() { echo "$calls" | grep -c "\"verb\":\"$1\".*\"resource\":\"$2\"" || true; }

tail -n 1 "$work/out"
awk "BEGIN { t = $ended - $begun; ideal = 7 * 2.1
    printf \"%.1f s, ideal ceil(200/32) x 2.1 s = %.1f s: %.2f times (at most 1.5)\n\", t, ideal, t / ideal }"
creates=$(count create pods) deletes=$(count delete pods)
awk "BEGIN { printf \"%d pods created, %d deleted: %.2f calls a node (at most 2)\n\", $creates, $deletes, ($creates + $deletes) / 200 }"
echo "besides: $(count list nodes) lists of nodes, $(count list pods) of pods, $(count watch pods) watches," \
    "$(count patch configmaps) writes of records, $(echo "$calls" | wc -l) calls in all"
