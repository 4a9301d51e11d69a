#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What passes over static hosts may cost. Prints what they do cost, and fails above the limits:
#   200 hosts whose spawn takes 1 s, 32 at a time: 1.5 times what 7 rounds of one host take
#   10,000 hosts of a hosts file that need nothing: 0.5 s of CPU time, 32 MB
# GNU time measures; the numbers are those of an optimised build.
# shellcheck source-path=SCRIPTDIR source=../e2e/tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh" || exit 1
# shellcheck source-path=SCRIPTDIR source=../sandbox/up.sh
. "$srcdir/tests/sandbox/up.sh" || exit 1
trap 'stop_sandbox; rm -rf "$work"' EXIT

export TMPDIR=$work/tmp XDG_RUNTIME_DIR=$work/tmp HOME=$work
unset CAS_BACKUP_FILE SCONE_CAS_ADDR SCONE_CLI_CONFIG BACKUP_CAS_NAME STATE_DIRECTORY
mkdir -m 0700 "$TMPDIR"

# measured NAME [OPTION...]: a pass; sets wall, cpu (seconds) and peak (KiB)
measured() {
    /usr/bin/time -f '%e %U %S %M' -o "$work/time" "$program" run --plugin-dir "$builddir/.libs" \
        -f "$settings" --config "$owner/config.json" --report "$work/report.json" "${@:2}" \
        >"$work/out" 2>"$work/err"
    ok $? "$1"
    read -r wall user system peak < <(tail -n 1 "$work/time")
    cpu=$(awk "BEGIN { print $user + $system }")
}

# within VALUE LIMIT NAME
within() {
    awk "BEGIN { exit !($1 <= $2) }"
    ok $? "$3: $1 (at most $2)"
}

start_primary
for kind in cas-api scone-cli; do
    # the commands pay for themselves; the machine's registration is what one takes alone
    echo 1 >"$hosts/slow"
    write_settings 1 "{plugin: $kind, program: $builddir/tests/sandbox/scone}"
    [ "$kind" = scone-cli ] || write_settings 1 "{plugin: $kind}"
    measured "$kind: one host" --force all
    one=$(sed -n '/"nodes": \[/,$s/.*"seconds": \([0-9.]*\)/\1/p' "$work/report.json")
    rm "$work/state.json"
    write_settings 200 "$(sed -n 's/^registration: //p' "$settings")"
    measured "$kind: 200 hosts" --parallel 32
    ideal=$(awk "BEGIN { print 7 * $one }")
    echo "# $kind: one host takes $one s, 200 take $wall s, CPU $cpu s, peak $peak KiB"
    within "$(awk "BEGIN { printf \"%.2f\", $wall / $ideal }")" 1.5 "$kind: times the ideal $ideal s"
    rm "$work/state.json" "$hosts/slow"
done

# 10,000 records of hosts that are registered: those of one, by other names
write_settings 1 '{plugin: cas-api}'
sed -i "/^    hosts:/,/^ *- {name/d; /^    identify/d; s#^    spawn#    hosts_file: $work/hosts.txt\n    spawn#" \
    "$settings"
echo 'server-1 127.0.0.1' >"$work/hosts.txt"
measured "the first of 10,000 hosts"
record=$(sed -n 's/^"static.server-1":\(.*}\),*$/\1/p' "$work/state.json")
{
    echo '{"version":1,"records":{'
    for i in $(seq 10000); do
        echo "\"static.server-$i\":${record//\"server-1\"/\"server-$i\"}$([ "$i" = 10000 ] || echo ,)"
    done
    echo '}}'
} >"$work/state.json"
for i in $(seq 10000); do echo "server-$i 127.1.$((i / 250)).$((i % 250 + 1)):8081"; done >"$work/hosts.txt"
measured "10,000 hosts that need nothing"
has out '10000 registered (0 new, 10000 kept)' "all are kept"
within "$cpu" 0.5 "10,000 hosts: seconds of CPU time"
within "$((peak / 1024))" 32 "10,000 hosts: MB of memory at most"
echo "# 10,000 hosts: $wall s, CPU $cpu s, peak $peak KiB"
finish
