#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzzer that is built (configure --enable-fuzzing) for SECONDS each, from a corpus made
# of the unit tests' data. What one finds stays as tests/fuzz/found-* in the build folder.
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
    fuzz_las_log) echo "$top/tests/unit/data/las.log" ;;
    fuzz_yaml) find "$top/tests/unit/data" -name '*.yaml' -type f ;;
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

run() {
    name=$(basename "$1")
    make_corpus "$name"
    echo "$name: $seconds s from $(find "$work/$name" -type f | wc -l) seeds"
    "$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=20000 -verbosity=0 \
        -print_final_stats=1 -artifact_prefix="$build/tests/fuzz/found-$name-" "$work/$name"
}

if [ $# -eq 0 ]; then
    for fuzzer in "$build"/tests/fuzz/fuzz_*; do
        case $fuzzer in *.*) continue ;; esac
        [ -x "$fuzzer" ] && set -- "$@" "$fuzzer"
    done
fi
[ $# -gt 0 ] || { echo "no fuzzer is built in $build/tests/fuzz" >&2; exit 2; }
for fuzzer in "$@"; do
    run "$fuzzer"
done
