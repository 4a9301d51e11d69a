#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The systemd units: what systemd itself says about them, and the walk-through of docs/operations.md.
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"

# skip WHY NAME
skip() {
    tests=$((tests + 1))
    echo "ok $tests - $2 # SKIP $1"
}

srcdir=$(cd "$srcdir" && pwd)
builddir=$(cd "$builddir" && pwd)
export srcdir builddir
units=$srcdir/cronjob/systemd
sed "s#@bindir@#$builddir#" "$units/cas-backup.service.in" >"$work/cas-backup.service"
cp "$units/cas-backup.timer" "$work"
if systemd-analyze security --help 2>&1 | grep -q -e --offline; then
    systemd-analyze verify --man=no "$work/cas-backup.service" "$work/cas-backup.timer" \
        "$units/cas-backup-failed.service" >"$work/out" 2>"$work/err" && [ ! -s "$work/err" ]
    ok $? 'systemd understands the units'
    systemd-analyze security --offline=true --no-pager "$work/cas-backup.service" >"$work/out" 2>"$work/err"
    exposure=$(sed -n 's/.*exposure level.*: \([0-9.]*\) .*/\1/p' "$work/out")
    awk "BEGIN { exit !(${exposure:-10} < 2.0) }"
    ok $? "the exposure is below 2.0: $exposure"
else
    skip 'systemd-analyze is missing, or older than 250' 'systemd understands the units'
fi

missing=
for program in ssh ssh-keygen ssh-keyscan dropbear dropbearkey ip setpriv unshare; do
    command -v $program >/dev/null || missing="$missing $program"
done
if [ -z "$missing" ] && unshare --mount --net --pid --fork true 2>/dev/null; then
    mkdir -m 755 "$work/timer"
    chmod 755 "$work" # for the user of the unit
    work=$work/timer unshare --mount --net --pid --fork --kill-child --mount-proc \
        "$srcdir/tests/e2e/timer.sh" >"$work/out" 2>"$work/err"
    cat "$work/timer/log" >>"$work/err" 2>/dev/null
    has out 'pass 1: 0, 3 registrations' 'a pass of the timer registers by the commands of docs/operations.md'
    has out 'pass 2: 0, 3 registrations' 'the next one keeps what is registered'
    has out 'pass 3: 0, 4 registrations' 'and still can after a command by hand as root'
    has out 'pass 5: 0, 4 registrations' 'and as another user'
    has out 'metrics: 3' 'with metrics that everybody may read'
    [ ! -s "$work/timer/log" ]
    ok $? 'nothing is left, and nothing had to be said'
else
    skip "needs root, or:$missing" 'the walk-through of docs/operations.md'
fi
finish
