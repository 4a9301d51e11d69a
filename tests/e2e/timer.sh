#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# In namespaces of its own (mount, net, pid): makes the machines of docs/operations.md, "Without
# Kubernetes", from what that page says, and runs the unit's command as systemd would. Prints what
# became of each pass; $work/log gets what was printed.
# shellcheck disable=SC2154,SC2016 # builddir, srcdir and work are the caller's; ` is the page's
set -eu
umask 022
uid=61234
# shellcheck source-path=SCRIPTDIR source=machines.sh
. "$srcdir/tests/e2e/machines.sh"

# Nothing of this reaches the machine below.
cp -a /etc "$work/etc"
mount --bind "$work/etc" /etc
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/lib
mkdir -p "$etc" "$work/bin" "$work/plugins" "$work/root"
cp "$builddir/cas-backup" "$builddir/tests/sandbox/scone" "$work/bin"
cp "$builddir"/.libs/*-*.so "$work/plugins"

page_files
{
    sed "s#@bindir@#$work/bin#" "$srcdir/cronjob/systemd/cas-backup.service.in"
    block 'by a drop-in'
} >"$work/unit"

# the user database, with a dynamic user as nss-systemd(8) shows it
sed -i "s#^root:x:0:0:\([^:]*\):[^:]*:#root:x:0:0:\1:$work/root:#" /etc/passwd
echo "cas-backup:!*:$uid:$uid:Dynamic User:/:/usr/sbin/nologin" >>/etc/passwd
start_machines
start_page_primary

# the unit, as systemd.exec(5) says
credentials=/run/credentials/cas-backup.service
install -d -m 755 "${credentials%/*}"
install -d -m 700 -o "$uid" "$credentials" /run/cas-backup /var/lib/cas-backup
while IFS=: read -r name file; do
    install -m 400 -o "$uid" "$file" "$credentials/$name"
done < <(sed -n 's/^LoadCredential=\(..*\)/\1/p' "$work/unit")
mapfile -t environment < <(sed -n 's/^Environment=//p' "$work/unit" | tr ' ' '\n' |
    sed "s#%d#$credentials#g; s#%t#/run#g; s#%S#/var/lib#g")
read -ra command < <(sed -n 's/^ExecStart=//p' "$work/unit")
groups=(--clear-groups)
# pass NUMBER: runs the unit's command.
pass() {
    local status=0
    (cd / && umask 077 && exec env -i PATH="$work/bin:/usr/local/bin:/usr/bin:/bin" USER=cas-backup \
        STATE_DIRECTORY=/var/lib/cas-backup CREDENTIALS_DIRECTORY="$credentials" "${environment[@]}" \
        setpriv --reuid "$uid" --regid "$uid" "${groups[@]}" --no-new-privs --bounding-set -all \
        "${command[@]}" --plugin-dir "$work/plugins") >>"$work/log" 2>&1 || status=$?
    echo "pass $1: $status, $(wc -l <"$work/registered") registrations"
}
pass 1
pass 2
# by hand as root, as the page says
byhand=$(sed -n 's/^# \(STATE_DIRECTORY=[^ ]* cas-backup \)status \(.*\)$/\1forget server-a \2/p' "$page")
PATH=$work/bin:$PATH bash -c "$byhand --config $etc/config.json --plugin-dir $work/plugins --quiet" >>"$work/log" 2>&1
pass 3

# metrics for node_exporter, which another user reads
mkdir -p /var/lib/prometheus/node-exporter
block 'For `metrics: {file: ' | sed -n 's/^# \(groupadd\|install\|ln\) /\1 /p' >"$work/folder"
# shellcheck source=/dev/null
. "$work/folder"
file=$(sed -n 's/^For `metrics: {file: \([^}]*\)}.*/\1/p' "$page")
echo "metrics: {file: $file}" >>"$etc/settings.yaml"
groups=(--groups "$(getent group cas-backup-metrics | cut -d : -f 3)")
pass 4
sed -i "s/:$uid:$uid:/:$((uid + 1)):$((uid + 1)):/" /etc/passwd
uid=$((uid + 1)) # as at another start
chown -R "$uid" "$credentials" /run/cas-backup /var/lib/cas-backup
pass 5
echo "metrics: $(setpriv --reuid 65534 --regid 65534 --clear-groups grep -c '^cas_backup_node_protected.* 1$' \
    /var/lib/prometheus/node-exporter/cas-backup.prom)"
find "$work" -name '*.pid' >>"$work/log"
