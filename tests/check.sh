#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The body of ./check. BUILD_DIR and CONFIGURE_ARGS choose another build, BUILD_ONLY=1 builds program
# and sandbox only; CHECK_AGAIN=1 gives what failed a second try; the arguments go to make.
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
# what an earlier run with other arguments left would be counted
find . -name '*.trs' -delete
rm -f test-suite.log
# one more than there are processors: much of it waits
jobs=-j$(($(nproc) + 1))
make "$jobs" check "$@" >>"$log" 2>&1 && status=0 || status=$?
trouble() {
    grep -E -A15 '^(not ok|ERROR)|exited with status' test-suite.log | grep -v '^\(ok\|PASS\)' | head -n 200
}
if [ ! -s test-suite.log ]; then
    tail -n 60 "$log"
    exit 1
fi
if [ "$status" != 0 ]; then
    trouble
    # A busy machine fails a test in time; what is wrong fails again, and what failed once is above.
    if [ -n "${CHECK_AGAIN-}" ]; then
        echo "tried again: $(find . -name '*.trs' -exec grep -l '^:recheck: yes' {} + | tr '\n' ' ')"
        make "$jobs" recheck "$@" >>"$log" 2>&1 && status=0 || status=$?
        [ "$status" = 0 ] || trouble
    fi
fi
count() {
    find . -name '*.trs' -exec grep -hE "^:test-result: ($1)" {} + | wc -l
}
echo "$(count PASS) passed, $(count 'FAIL|ERROR|XPASS') failed, $(count SKIP) skipped"
exit "$status"
