# shellcheck shell=bash disable=SC2034 # what the scripts that read this use
# SPDX-License-Identifier: Apache-2.0
# What the tests against a real cluster share. KUBE_LAB is the folder of the cluster's scripts;
# $builddir has a build with --prefix=/usr.
set -u
: "${KUBE_LAB:?}" "${srcdir:?}" "${builddir:?}"
lab=$KUBE_LAB/kube-lab
lab_id=${KUBE_LAB_ID:-0} # several labs can be on one host
lab_dir=${KUBE_LAB_DIR:-/var/lib/kube-lab${lab_id#0}}
work=$(mktemp -d)
export KUBECONFIG
tests=0 failures=0

ok() { # STATUS NAME
    tests=$((tests + 1))
    if [ "$1" = 0 ]; then
        echo "ok $tests - $2"
    else
        failures=$((failures + 1))
        echo "not ok $tests - $2"
        [ ! -s "$work/out" ] || sed 's/^/# /' "$work/out"
    fi
}

finish() {
    echo "1..$tests"
    exit $((failures > 0))
}

# until_true SECONDS COMMAND...: waits until the command succeeds.
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.3
    done
}

# rootfs FOLDER PROGRAM...: a file system with the programs, and the libraries that they name.
rootfs() {
    local root=$1 file
    shift
    mkdir -p "$root"/{usr/bin,tmp,etc/ssl/certs,lib64}
    for file in "$@"; do
        [ "$(dirname "$file")" = "$builddir/.libs" ] || install -m 0755 "$file" "$root/usr/bin/"
        ldd "$file" | grep -o '/[^ ]*' | grep -v "^$builddir/" | while read -r lib; do
            install -D -m 0755 "$(readlink -f "$lib")" "$root$lib"
        done
    done
}

# load_images: the image of a backup CAS, and the one that tests/package/image.sh made of cas-backup
# and the CLI's stand-in ($CAS_BACKUP_IMAGE), or makes now.
load_images() {
    local image=${CAS_BACKUP_IMAGE:-$builddir/image/cas-backup.tar} socket
    export DEBIAN_ROOT=${DEBIAN_ROOT:-$builddir/debian}
    make -C "$builddir" install DESTDIR="$work/installed" >/dev/null || return 1
    [ -f "$image" ] || { "$srcdir/tests/package/root.sh" "$DEBIAN_ROOT" && "$srcdir/tests/package/image.sh"; } ||
        return 1
    rootfs "$work/cas" "$builddir/tests/sandbox/cas"
    "$lab" load docker.io/sandbox/cas:1 "$work/cas" /usr/bin/cas --backup || return 1
    for socket in "$lab_dir"/run/containerd-*.sock; do
        ctr --address "$socket" -n k8s.io images import "$image" >/dev/null || return 1
    done
}

# start_again DAEMON NETNS COMMAND...: the lab's daemon, by the command, which gets its own as arguments.
start_again() {
    local file=$lab_dir/run/$1.pid log=$lab_dir/log/$1.log netns=$2 pid own
    shift 2
    pid=$(cat "$file") && mapfile -d '' -t own <"/proc/$pid/cmdline" || return 1
    kill "$pid" && tail --pid="$pid" -f /dev/null
    setsid nohup nsenter --net="$netns" "$@" "${own[@]}" >>"$log" 2>&1 </dev/null &
    echo $! >"$file"
}

# separate_logs NODE: its containerd and kubelet get a /var/log/pods of their own. The kubelets of the
# lab share it, and once a minute each removes there the logs of pods that are not its own.
separate_logs() {
    local netns=/var/run/netns/kl${lab_id#0}-$1 mnt
    mnt=/proc/$(cat "$lab_dir/run/kubelet-$1.pid")/ns/mnt
    [ "$(readlink "$mnt")" = "$(readlink /proc/self/ns/mnt)" ] || return 0
    # shellcheck disable=SC2016 # expanded by that sh
    start_again "containerd-$1" "$netns" unshare --mount \
        sh -c 'mount --bind "$0" /var/log/pods && exec "$@"' "$lab_dir/nodes/$1/pods-log" || return 1
    until_true 60 ctr --address "$lab_dir/run/containerd-$1.sock" version >"$work/out" 2>&1 || return 1
    mnt=/proc/$(cat "$lab_dir/run/containerd-$1.pid")/ns/mnt
    start_again "kubelet-$1" "$netns" nsenter --mount="$mnt" &&
        until_true 120 ready_since "$(date -u +%FT%TZ)" "$1"
}

ready_since() { # TIME NODE: the kubelet has said so later than that, and nothing keeps pods away
    kubectl get node "$2" -o json | jq -e --arg time "$1" '.spec.taints == null and
        (.status.conditions[] | select(.type == "Ready") |
            .status == "True" and .lastHeartbeatTime > $time)' >/dev/null
}

# give_sgx NODE...: the nodes get the resource that an SGX device plugin would give them.
give_sgx() {
    local node
    for node in "$@"; do
        kubectl patch node "$node" --subresource=status --type=merge \
            -p '{"status":{"capacity":{"sgx.intel.com/enclave":"10"}}}' >/dev/null || return 1
        until_true 60 has_sgx "$node" || return 1
    done
}

# The kubelet follows with what it allocates, in a while.
has_sgx() {
    [ "$(kubectl get node "$1" -o json | jq -r '.status.allocatable["sgx.intel.com/enclave"]')" = 10 ]
}

# start_primary ADDRESS: a primary CAS on this host, which pods reach at ADDRESS.
start_primary() {
    exec {out}< <(exec "$builddir/tests/sandbox/cas" --primary "$work/owner" --name "$1" \
        --listen '[::]:0' --registered "$work/registered" 2>"$work/primary.log")
    primary_pid=$!
    read -r _ _ _ primary_port <&"$out"
    exec {out}<&-
}

registered() { # COUNT (not 0): so many registrations have reached the primary
    [ "$(grep -c . "$work/registered" 2>/dev/null)" = "$1" ]
}

no_backup_pod() { # NAMESPACE
    [ -z "$(kubectl get pods -n "$1" -l app.kubernetes.io/component=backup-cas -o name)" ]
}

# instance NAMESPACE SUFFIX SETTINGS COMPONENT...: the manifests that an operator builds on cronjob/base.
instance() {
    local folder=$work/instance namespace=$1 suffix=$2 settings=$3
    shift 3
    mkdir -p "$folder"
    cp -r "$srcdir/cronjob" "$work/"
    cp "$settings" "$folder/settings.yaml"
    cat >"$folder/kustomization.yaml" <<YAML
namespace: $namespace
nameSuffix: "$suffix"
resources: [../cronjob/base]
components: [$([ $# = 0 ] || printf '../cronjob/%s, ' "$@")]
images: [{name: cas-backup, newName: docker.io/sandbox/cas-backup, newTag: "1"}]
configMapGenerator:
  - {name: cas-backup-settings, behavior: replace, files: [settings.yaml]}
YAML
    kubectl kustomize "$folder" | of_this_cluster
}

# of_this_cluster: manifests for the cluster's Kubernetes, which may be of a time when CronJob was in beta.
of_this_cluster() {
    if kubectl api-versions | grep -qx batch/v1beta1; then
        sed 's#batch/v1$#batch/v1beta1#'
    else
        cat
    fi
}

# pass_of NAMESPACE CRONJOB NAME: one pass now, as the CronJob would run it; its log is in $work/out.
pass_of() {
    kubectl create job "$3" -n "$1" --from="cronjob/$2" >/dev/null 2>&1 ||
        kubectl get cronjobs.v1beta1.batch -n "$1" "$2" -o json |
        jq --arg name "$3" '{apiVersion:"batch/v1",kind:"Job",spec:.spec.jobTemplate.spec,metadata:{name:$name,
            ownerReferences:[{apiVersion,kind,name:.metadata.name,uid:.metadata.uid,controller:true}]}}' |
            kubectl apply -n "$1" -f - >/dev/null
    until_true 180 job_ended "$1" "$3"
    kubectl logs -n "$1" "job/$3" >"$work/out" 2>&1
}
job_ended() { # NAMESPACE NAME
    [ -n "$(kubectl get job -n "$1" "$2" -o jsonpath='{.status.conditions[*].type}')" ]
}
