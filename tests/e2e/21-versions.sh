#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a pass says of the CLI and the CAS that it works with: versions, options, the pinned chain.
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh" || exit 1
# shellcheck source-path=SCRIPTDIR source=../sandbox/up.sh
. "$srcdir/tests/sandbox/up.sh" || exit 1
trap 'stop_sandbox; rm -rf "$work"' EXIT

export TMPDIR=$work/tmp XDG_RUNTIME_DIR=$work/tmp HOME=$work
unset CAS_BACKUP_FILE SCONE_CAS_ADDR SCONE_CLI_CONFIG SCONE_CLI_RETRIES BACKUP_CAS_NAME
mkdir -m 0700 "$TMPDIR"
config=config
scone=$builddir/tests/sandbox/scone

# pass STATUS NAME REGISTRATION COMMAND [OPTION...]: with these settings of `registration`.
pass() {
    write_settings 2 "$3"
    run "$1" "$2" "${@:4}" --plugin-dir "$builddir/.libs" -f "$settings" --config "$owner/$config.json" \
        --report "$work/report.json"
}
reported() { sed -n "s/^ *\"$1\": \"\(.*\)\",*\$/\1/p" "$work/report.json"; }
is() {
    "${@:1:$#-1}"
    ok $? "${*: -1}"
}
has_not() { # FILE TEXT NAME
    ! grep -qF -- "$2" "$work/$1"
    ok $? "$3"
}

# ---- the SCONE CLI

start_primary
export SCONE_SANDBOX_VERSION=7.0.0-alpha.4
pass 0 'a pass with a new CLI' "{program: $scone, tolerate: [group-out-of-date], retries: 1}" run
is [ "$(reported version)" = 'scone 7.0.0-alpha.4' ] 'has its version in the report'
is [ "$(reported plugin)" = scone-cli ] 'and the plugin'
grep -q '"chain_not_after": "20[0-9-]*T[0-9:]*Z"' "$work/report.json"
ok $? 'and the end of the pinned chain'
has_not err warn 'it warns of nothing'
pass 0 'a pass that has nothing to do' "{program: $scone}" run
is [ "$(reported version)" = 'scone 7.0.0-alpha.4' ] 'has the version too'

export SCONE_SANDBOX_VERSION=5.8.0
before=$(wc -l <"$work/registered")
for command in run plan; do
    pass 2 "an old CLI refuses a tolerance: $command" \
        "{program: $scone, tolerate: [group-out-of-date, sw-hardening-needed]}" $command --force all
    has err "tolerate: '$scone cas register-backup --help' does not list -G" 'by name'
done
pass 2 'an old CLI refuses retries' "{program: $scone, retries: 2}" run --force all
has err "retries: '$scone cas register-backup --help' does not list --retries" 'by name'
has_not err 'provisioning' 'before anything is spawned'
is [ "$(wc -l <"$work/registered")" = "$before" ] 'and nothing is registered'
unset SCONE_SANDBOX_VERSION

# one that says nothing about itself
printf '#!/bin/sh\ncase $* in *--version|*--help) exit 3 ;; esac\nexec %s "$@"\n' "$scone" >"$work/mute"
chmod +x "$work/mute"
pass 0 'a CLI that says nothing about itself registers' \
    "{program: $work/mute, tolerate: [group-out-of-date]}" run --force all
has err "whether the SCONE CLI knows our options is unknown: '$work/mute cas register-backup --help'" \
    'with a warning about its options'
is [ -z "$(reported version)" ] 'and the report has no version'

# ---- the pinned chain

config=ending
pass 4 'a chain that soon expires' "{program: $scone, tolerate: []}" run
has err "the pinned chain of CAS 'localhost' (CN=cas-instance) expires at" 'is warned of by run'
pass 0 'and is looked at' "{program: $scone}" check
has out "the pinned chain of CAS 'localhost' (CN=cas-instance) expires at" 'by check in the same words'
config=expired
pass 4 'a chain that has expired' "{program: $scone}" run
has err "warn  scone-cli: the pinned chain of CAS 'localhost' (CN=cas-instance) expired at" 'is warned of, too'
config=config

# ---- cas-api

assumption='warn  cas-api: the two calls that register are an assumption'
pass 0 'a pass without the CLI' '{plugin: cas-api}' run --force all
is [ "$(reported version)" = 'CAS 5.8.0-sandbox' ] 'has the primary'"'"'s version in the report'
has err "$assumption" 'and warns that nobody checked the calls'
has err docs/cas-api.md 'with the page that says how'
pass 0 'a pass that registers nothing' '{plugin: cas-api}' run
has err "$assumption" 'warns again'
pass 0 'calls that were checked with this version' '{plugin: cas-api, verified_with: 5.9.1}' run
has_not err warn 'are not warned of'
pass 0 'calls that were checked with another version' '{plugin: cas-api, verified_with: 6.0.3}' run
has err 'warn  cas-api: the primary CAS is of version 5.8.0-sandbox, and the two calls were checked with 6.0.3' 'are'
pass 2 'a version that is none' '{plugin: cas-api, verified_with: yes}' run
stop_sandbox
primary_pid=
pass 0 'a primary that is down costs what is kept nothing' \
    '{plugin: cas-api, verified_with: 5.8.0}' run
has err "warn  cas-api: the primary's version is unknown: the primary CAS:" 'but a warning'
is [ -z "$(reported version)" ] 'and the report has no version'
finish
