#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Passes over three machines of a list and a primary CAS.
set -eu
: "${srcdir:?}" "${builddir:?}"
work=$(mktemp -d)
# shellcheck source-path=SCRIPTDIR source=../sandbox/up.sh
. "$srcdir/tests/sandbox/up.sh"
# shellcheck source-path=SCRIPTDIR source=say.sh
. "$srcdir/tests/demo/say.sh"
trap 'stop_sandbox; rm -rf "$work"' EXIT
start_primary

cas_backup() {
    printf '$ cas-backup --config owner/config.json %s\n' "$*"
    "$builddir/cas-backup" --plugin-dir "$builddir/.libs" --file "$settings" \
        --config "$owner/config.json" "$@"
}

write_settings 3 "{plugin: scone-cli, program: $builddir/tests/sandbox/scone}"
say "without Kubernetes, first pass: each machine gets a backup CAS, which is registered with the primary and removed"
cas_backup run
say "second pass: nothing to do"
cas_backup run
say "a mainboard is replaced in server-2 (its boot ID is another): plan says why"
rm "$hosts/server-2.boot"
cas_backup plan
say "third pass: exactly that machine is registered again"
cas_backup run

write_settings 4 "{plugin: cas-api}"
say "one more server, before a planned shutdown, and straight to the CAS without the CLI"
cas_backup run
say "would the database open on the machines that the company comes back on?"
cas_backup coverage server-2 server-4
say "nothing is left running, and the state is one file:"
find "$hosts" -name "*.pid" | wc -l
cas_backup status
