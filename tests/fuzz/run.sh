#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzzer that is built (configure --enable-fuzzing) for SECONDS each, from a corpus made
# of the unit tests' data, and prints TAP. What one finds stays as tests/fuzz/found-* in the build folder.
# FUZZ_ARGS are more arguments for libFuzzer: "-seed=1 -runs=30000" does the same each time.
#   tests/fuzz/run.sh SECONDS [FUZZER...]
set -eu

seconds=${1:?"usage: run.sh SECONDS [FUZZER...]"}
shift
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${builddir:-$PWD}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The files that a fuzzer starts from: a name pattern below tests/unit/data.
seeds_of() {
    case $1 in
    fuzz_las_log) find "$top/tests/unit/data" -name 'las*.log' -type f ;;
    fuzz_yaml) find "$top/tests/unit/data" -name '*.yaml' -type f ;;
    fuzz_json) find "$top/tests/unit/data" -name '*.json' -type f ;;
    fuzz_objects) find "$top/tests/unit/data" -path '*/nodes/*.json' -o -path '*/pods/*.json' -o -path '*/lease/*.json' ;;
    fuzz_cas_config) find "$top/tests/unit/data" -path '*/cas-config/*.json' -type f ;;
    *) find "$top/tests/unit/data" -path "*/${1#fuzz_}/*" -type f ;;
    esac
}

make_corpus() {
    mkdir -p "$work/$1"
    n=0
    seeds_of "$1" | while read -r seed; do
        n=$((n + 1))
        cp "$seed" "$work/$1/$n"
    done
}

# What libFuzzer says of a finding, without the dictionary it recommends, memory around it and the input,
# which is kept in a file.
finding() {
    grep -vE '^(#|"|Step |  0x|=>0x|0x|Base64: |Shadow byte|  [A-Z][A-Za-z ]*: +[0-9a-f]{2})' "$1" | tail -n 50
}

run() {
    name=$(basename "$1")
    make_corpus "$name"
    said="$name: $seconds s from $(find "$work/$name" -type f | wc -l) seeds"
    # shellcheck disable=SC2086 # several arguments
    if "$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=20000 -verbosity=0 \
        -print_final_stats=1 ${FUZZ_ARGS-} -artifact_prefix="$build/tests/fuzz/found-$name-" "$work/$name" >"$work/log" 2>&1; then
        echo "ok $said, $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log") runs"
    else
        echo "not ok $said"
        finding "$work/log"
        failed=1
    fi
}

if [ $# -eq 0 ]; then
    for fuzzer in "$build"/tests/fuzz/fuzz_*; do
        case $fuzzer in *.*) continue ;; esac
        [ -x "$fuzzer" ] && set -- "$@" "$fuzzer"
    done
fi
[ $# -gt 0 ] || { echo "no fuzzer is built in $build/tests/fuzz" >&2; exit 2; }
failed=0
for fuzzer in "$@"; do
    run "$fuzzer"
done
exit $failed
