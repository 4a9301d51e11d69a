#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing of the Debian packages that building and testing need, and of those
# named as arguments.
set -eu

build="gcc make autoconf automake libtool pkg-config libcurl4-openssl-dev libjansson-dev libyaml-dev
    libssl-dev libcmocka-dev libmicrohttpd-dev openssl man-db groff curl jq"
missing=
for package in $build "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
    echo "as root: apt-get install$missing" >&2
    exit 1
fi
log=$(mktemp)
# no daemon of a package is started: tests start their own
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # one word a package
if ! { apt-get update -qq && apt-get install -y -qq -o DPkg::Lock::Timeout=300 \
        --no-install-recommends $missing; } >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
rm -f "$log"
