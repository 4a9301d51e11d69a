#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The systemd units: what systemd itself says about them.
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"

if ! systemd-analyze security --help 2>&1 | grep -q -e --offline; then
    echo '1..0 # SKIP systemd-analyze is missing, or older than 250'
    exit 0
fi
units=$srcdir/cronjob/systemd
sed "s#@bindir@#$builddir#" "$units/cas-backup.service.in" >"$work/cas-backup.service"
cp "$units/cas-backup.timer" "$work"

systemd-analyze verify --man=no "$work/cas-backup.service" "$work/cas-backup.timer" \
    >"$work/out" 2>"$work/err" && [ ! -s "$work/err" ]
ok $? 'systemd understands the units'
systemd-analyze security --offline=true --no-pager "$work/cas-backup.service" >"$work/out" 2>"$work/err"
exposure=$(sed -n 's/.*exposure level.*: \([0-9.]*\) .*/\1/p' "$work/out")
awk "BEGIN { exit !(${exposure:-10} < 2.0) }"
ok $? "the exposure is below 2.0: $exposure"
finish
