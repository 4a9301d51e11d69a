#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# When a pass ends, its memory has no copy of the owner's key any more: neither as the text nor as
# the number, in either order of its bytes.
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"
# shellcheck source=../sandbox/up.sh
. "$srcdir/tests/sandbox/up.sh"

# Both have memory of their own, and nothing can be preloaded.
case "${PROGRAM_WRAPPER-} ${compile_flags-}" in
' '*-fsanitize=* | [!\ ]*)
    echo "1..0 # SKIP the memory is not the program's alone"
    exit 0
    ;;
esac
trap 'stop_sandbox; rm -rf "$work"' EXIT
unset CAS_BACKUP_FILE SCONE_CAS_ADDR SCONE_CLI_CONFIG BACKUP_CAS_NAME STATE_DIRECTORY
export TMPDIR=$work/tmp XDG_RUNTIME_DIR=$work/tmp HOME=$work
mkdir -m 0700 "$TMPDIR"

hex() { od -An -v -tx1 | tr -d ' \n'; }

# looked FILE: a pass that is looked through for what the file has; what is found is in $work/found.
looked() {
    rm -f "$work/found" "$work/state.json"
    env LD_PRELOAD="$builddir/tests/sandbox/.libs/leftovers.so" LEFTOVERS="$1" \
        LEFTOVERS_LOG="$work/found" "$program" run --plugin-dir "$builddir/.libs" -f "$settings" \
        --config "$owner/config.json" >"$work/out" 2>"$work/err" && grep -q looked "$work/found"
}

start_primary
jq -r .identity "$owner/config.json" >"$work/identity"
number=$(openssl pkey -in "$work/identity" -noout -text | sed -n '/^priv:/,/^pub:/s/^ //p' | tr -d ' \n:')
number=${number#00}
{
    sed -n 2p "$work/identity" | tr -d '\n' | hex && echo
    echo "$number"
    echo "$number" | fold -w 2 | tac | tr -d '\n' && echo
} >"$work/key"
[ "$(grep -cE '^[0-9a-f]{60,}$' "$work/key")" = 3 ]
ok $? 'there is a key to look for'
{ printf '%s' "$owner/config.json" | hex && echo; } >"$work/name"

for registration in '{plugin: cas-api}' "{plugin: scone-cli, program: $builddir/tests/sandbox/scone}"; do
    plugin=${registration#*: }
    plugin=${plugin%%[,\}]*}
    write_settings 2 "$registration"
    looked "$work/name" && grep -q ' at ' "$work/found"
    ok $? "$plugin: what is still there is found"
    looked "$work/key"
    ok $? "$plugin: a pass is looked through for the key"
    cp "$work/found" "$work/out"
    ! grep -q ' at ' "$work/found"
    ok $? "$plugin: it is nowhere"
done
finish
