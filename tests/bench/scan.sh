#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What `plan` costs over 1,000 nodes, beside `kubectl get nodes -o json` and a scan with
# python3-kubernetes (Debian's package, where it is installed), and its memory over 100 nodes.
# shellcheck source-path=SCRIPTDIR source=hollow.sh
. "$(dirname "$0")/hollow.sh"

start_cluster
settings 8
cat >"$work/scan.py" <<'PYTHON'
from kubernetes import client, config
config.load_kube_config()
print(sum(1 for n in client.CoreV1Api().list_node().items if not n.spec.unschedulable))
PYTHON

measured() { "$srcdir/tests/bench/measure" -n 5 "$@"; }
plan() {
    measured "$builddir/cas-backup" --plugin-dir "$builddir/.libs" --file "$work/settings.yaml" -q plan
}
ratio() { awk "BEGIN { printf \"%.2f\", $1 / $2 }"; }

start_hollow 100
read -r _ small_kib _ < <(plan)
start_hollow 1000
read -r cpu kib wall < <(plan)
read -r kubectl_cpu kubectl_kib kubectl_wall < <(measured kubectl get nodes -o json)
printf '%-28s %8s %10s %8s\n' "1,000 nodes" "CPU s" "peak KiB" "wall s"
printf '%-28s %8s %10s %8s\n' "cas-backup plan" "$cpu" "$kib" "$wall"
printf '%-28s %8s %10s %8s\n' "kubectl get nodes -o json" "$kubectl_cpu" "$kubectl_kib" "$kubectl_wall"
if /usr/bin/python3 -c 'import kubernetes' 2>/dev/null; then
    read -r python_cpu python_kib python_wall < <(measured /usr/bin/python3 "$work/scan.py")
    printf '%-28s %8s %10s %8s\n' "python3-kubernetes" "$python_cpu" "$python_kib" "$python_wall"
fi
echo "CPU, kubectl / plan:          $(ratio "$kubectl_cpu" "$cpu")   (at least 6)"
echo "memory, kubectl / plan:       $(ratio "$kubectl_kib" "$kib")   (at least 8)"
echo "memory, 1,000 / 100 nodes:    $(ratio "$kib" "$small_kib")   (at most 1.3)"
