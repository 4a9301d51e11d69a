#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The body of ./check. BUILD_DIR and CONFIGURE_ARGS choose another build, BUILD_ONLY=1 builds program
# and sandbox only; the arguments go to make.
set -eu
cd "$(dirname "$0")/.."
top=$(pwd)
build=${BUILD_DIR:-build-check}

tests/setup.sh
[ -x configure ] || ./bootstrap >/dev/null 2>&1 || ./bootstrap
mkdir -p "$build"
cd "$build"
log=$(pwd)/check.log
quietly() {
    "$@" >>"$log" 2>&1 || { tail -n 60 "$log"; exit 1; }
}
: >"$log"
# shellcheck disable=SC2086 # words for configure
[ -f config.status ] || quietly "$top/configure" ${CONFIGURE_ARGS-}
quietly make -j"$(nproc)"
if [ -n "${BUILD_ONLY-}" ]; then
    quietly make -j"$(nproc)" tests/sandbox/cas tests/sandbox/kube tests/sandbox/scone
    exit
fi
make -j"$(nproc)" check "$@" >>"$log" 2>&1 && status=0 || status=$?
sum() {
    sed -n "s/^# $1: *//p" test-suite.log | tail -n 1
}
if [ ! -s test-suite.log ] || [ -z "$(sum TOTAL)" ]; then
    tail -n 60 "$log"
    exit 1
fi
failed=$(($(sum FAIL) + $(sum ERROR) + $(sum XPASS)))
[ "$status" = 0 ] || grep -E -A15 '^(not ok|ERROR)|exited with status' test-suite.log | grep -v '^\(ok\|PASS\)' | head -n 200
echo "$(sum PASS) passed, $failed failed, $(sum SKIP) skipped"
exit "$status"
