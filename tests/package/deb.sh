#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `make deb`; lintian's opinion of it; installed, run by its timer, and removed in a Debian 12 that
# systemd booted. $DEBIAN_ROOT is the folder of tests/package/root.sh.
set -u
: "${srcdir:?}" "${builddir:?}" "${DEBIAN_ROOT:?}"
work=$(mktemp -d)
debs=$builddir/deb
init=
# what systemd started keeps the terminal open, and it hears no other signal
# shellcheck disable=SC2317 # called by trap
ended() {
    [ -z "$init" ] || pkill -KILL -P "$init"
    rm -rf "$work"
}
trap ended EXIT
export srcdir builddir work debs

make -C "$builddir" deb >"$work/log" 2>&1
status=$?
[ $status = 0 ] || tail -n 40 "$work/log"
echo "$([ $status = 0 ] || echo 'not ')ok - make deb"
[ $status = 0 ] || exit
lintian --allow-root --display-info --fail-on error,warning,info "$debs"/*.changes
status=$?
echo "$([ $status = 0 ] || echo 'not ')ok - lintian finds nothing"

mkdir "$work/upper" "$work/shared"
chmod 755 "$work" "$work/shared"
unshare --mount --pid --uts --ipc --net --cgroup --fork --kill-child "$srcdir/tests/package/boot.sh" \
    "$DEBIAN_ROOT" "$work/upper" "$srcdir" "$builddir" "$work/shared" >"$work/boot.log" 2>&1 &
init=$!
# inside COMMAND...: in the Debian that was booted
inside() {
    nsenter --target "$(pgrep -P "$init" | head -n 1)" --all --root --wd env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        srcdir="$srcdir" builddir="$builddir" debs="$debs" work="$work/shared" "$@"
}
for _ in {1..600}; do
    [[ $(inside systemctl is-system-running 2>/dev/null) == @(running|degraded) ]] && break
    sleep 0.2
done
inside "$srcdir/tests/package/inside.sh"
