# shellcheck shell=bash disable=SC2034 # what the scripts that read this use
# SPDX-License-Identifier: Apache-2.0
# What the tests against a real cluster share. KUBE_LAB is the folder of the cluster's scripts;
# $builddir has a build with --prefix=/usr.
set -u
: "${KUBE_LAB:?}" "${srcdir:?}" "${builddir:?}"
lab=$KUBE_LAB/kube-lab
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
        ldd "$file" | grep -o '/[^ ]*' | while read -r lib; do
            install -D -m 0755 "$(readlink -f "$lib")" "$root$lib"
        done
    done
}

# load_images: the image of a backup CAS, and one with cas-backup and the CLI's stand-in.
load_images() {
    local sandbox=$builddir/tests/sandbox
    rootfs "$work/cas" "$sandbox/cas"
    rootfs "$work/tool" "$builddir/cas-backup" "$sandbox/scone" "$builddir"/.libs/*.so
    make -C "$builddir" install DESTDIR="$work/installed" >/dev/null || return 1
    cp -a "$work/installed/usr/." "$work/tool/usr/"
    "$lab" load docker.io/sandbox/cas:1 "$work/cas" /usr/bin/cas --backup &&
        "$lab" load docker.io/sandbox/cas-backup:1 "$work/tool" /usr/bin/cas-backup
}

# start_again DAEMON NETNS COMMAND...: the lab's daemon, by the command, which gets its own as arguments.
start_again() {
    local file=/var/lib/kube-lab/run/$1.pid log=/var/lib/kube-lab/log/$1.log netns=$2 pid own
    shift 2
    pid=$(cat "$file") && mapfile -d '' -t own <"/proc/$pid/cmdline" || return 1
    kill "$pid" && tail --pid="$pid" -f /dev/null
    setsid nohup nsenter --net="$netns" "$@" "${own[@]}" >>"$log" 2>&1 </dev/null &
    echo $! >"$file"
}

# separate_logs NODE: its containerd and kubelet get a /var/log/pods of their own. The kubelets of the
# lab share it, and once a minute each removes there the logs of pods that are not its own.
separate_logs() {
    local state=/var/lib/kube-lab netns=/var/run/netns/kl-$1 mnt
    mnt=/proc/$(cat "$state/run/kubelet-$1.pid")/ns/mnt
    [ "$(readlink "$mnt")" = "$(readlink /proc/self/ns/mnt)" ] || return 0
    # shellcheck disable=SC2016 # expanded by that sh
    start_again "containerd-$1" "$netns" unshare --mount \
        sh -c 'mount --bind "$0" /var/log/pods && exec "$@"' "$state/nodes/$1/pods-log" || return 1
    until_true 60 ctr --address "$state/run/containerd-$1.sock" version >"$work/out" 2>&1 || return 1
    mnt=/proc/$(cat "$state/run/containerd-$1.pid")/ns/mnt
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
