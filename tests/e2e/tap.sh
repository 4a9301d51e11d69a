# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# What the shell tests share: TAP output, a folder of their own, the built program.
set -u

builddir=${builddir:-.}
srcdir=${srcdir:-.}
program=$builddir/cas-backup
# shellcheck disable=SC2034 # used by the tests
mocks=$builddir/tests/loader/.libs
tests=0
failures=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# ok STATUS NAME: reports a test that is good where STATUS is 0.
ok() {
    tests=$((tests + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $tests - $2"
    else
        failures=$((failures + 1))
        echo "not ok $tests - $2"
        sed 's/^/# /' "$work/out" "$work/err" 2>/dev/null
    fi
}

# keep_settings STATUS ARGUMENT...: keeps what a run that ends so takes as settings of our own plugins.
keep_settings() {
    [ "$1" -ne 2 ] || return 0
    case " $* " in *" --plugin-dir $builddir/.libs "*) ;; *) return 0 ;; esac
    while [ $# -gt 1 ]; do
        case $1 in -f | --file)
            mkdir -p "$work/kept"
            [ ! -f "$2" ] || cp "$2" "$work/kept/$tests.yaml"
            ;;
        esac
        shift
    done
}

# run STATUS NAME ARGUMENT...: runs the program and tests its exit status; what it printed is in
# $work/out and $work/err.
run() {
    want=$1
    name=$2
    shift 2
    "$program" "$@" >"$work/out" 2>"$work/err"
    got=$?
    keep_settings "$want" "$@"
    [ "$got" -eq "$want" ] || echo "# exit status $got, expected $want: $*" >>"$work/err"
    [ "$got" -eq "$want" ]
    ok $? "$name"
}

# has FILE TEXT NAME: tests that the last run printed TEXT to "out" or "err".
has() {
    grep -qF -- "$2" "$work/$1"
    ok $? "$3"
}

# finish: ends the test; automake's driver reads the plan. What was taken as settings must be valid by
# their schema as well.
finish() {
    if [ -d "$work/kept" ] && python3 -c 'import jsonschema, yaml' 2>/dev/null; then
        python3 -W ignore "$srcdir/tests/e2e/validate.py" "$builddir/settings.schema.json" "$work/kept"/* >"$work/out" 2>"$work/err"
        grep -q '^good ' "$work/out" && ! grep '^bad ' "$work/out" && [ ! -s "$work/err" ]
        ok $? 'its settings are valid by the schema'
    fi
    echo "1..$tests"
    exit "$failures"
}
