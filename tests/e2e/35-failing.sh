#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Allocations and system calls that fail in a pass over static hosts.
# shellcheck disable=SC2317 # functions are called by name
# shellcheck source-path=SCRIPTDIR source=sweep.sh
. "${srcdir:-.}/tests/e2e/sweep.sh" || exit 1

# cas_backup COMMAND...: what follows the words of $before
cas_backup() {
    "${before[@]}" "$program" "$@" --plugin-dir "$builddir/.libs" -f "$settings" \
        --config "$owner/config.json"
}
faulty_pass() {
    before=("$@")
    cas_backup run --deadline 20s
    set -- $?
    before=()
    return "$1"
}

# One host is registered, one that is not there any more was, and one is new.
begin() {
    before=()
    # shellcheck source-path=SCRIPTDIR source=../sandbox/up.sh
    . "$srcdir/tests/sandbox/up.sh"
    trap stop_sandbox EXIT
    start_primary
    mkdir "$work/state"
    write_settings 3 "$registration"
    sed -i "s#^state:.*#state: {plugin: file, path: $work/state/state.json}#; /server-2/d" "$settings"
    cas_backup run >/dev/null 2>&1 || echo "the first pass ended with $?"
    cp "$work/state/state.json" "$work/before.json"
    sed -i 's/server-3/server-2/' "$settings"
}

again() {
    rm -rf "$work/state"
    mkdir "$work/state"
    cp "$work/before.json" "$work/state/state.json"
}

# registered: the uids of the records that are.
registered() {
    cas_backup status -o json | tr -d '\n' | sed 's/}/}\n/g' | grep '"opens": true' |
        sed -n 's/.*"uid": "static\.\([^"]*\)".*/\1/p' | sort | tr '\n' ' '
}

wrong() { # STATUS
    case "$1 $(registered 2>"$work/log.status")" in
    '0 server-1 server-2 server-3 ' | [!0]*' server-1 server-3 ' | [!0]*' server-1 server-2 server-3 ') ;;
    *) echo "registered: $(registered 2>&1)" ;;
    esac
    grep -E ' (warn|error) ' "$work/log.status"
    cas_backup run >"$work/log.next" 2>&1 || echo "the next pass ended with $?"
    grep -q ' 2 registered ' "$work/log.next" || echo "the next pass did not register all"
    find "$hosts" -name '*.pid'
    ! grep '"spawned"' "$work/state/state.json" || echo "a note of a spawn"
    find "$TMPDIR" -mindepth 1
    find "$work/state" -name '*damaged*' -o -name '*.tmp-*'
}

registration="{plugin: scone-cli, program: $builddir/tests/sandbox/scone}"
sweep "with the scone-cli plugin nothing is lost or left"
registration='{plugin: cas-api}'
faults=$((faults / 4))
rm "$main_work/tried"
rm -rf "$main_work"/[0-9]*
sweep "with the cas-api plugin neither"
finish
