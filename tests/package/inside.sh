#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# In a booted Debian: installs the packages, has the timer register the machines of docs/operations.md,
# removes the packages, and looks what is left. $debs is their folder.
# shellcheck disable=SC2154 # builddir, srcdir, debs and work are the caller's
set -u
# shellcheck source-path=SCRIPTDIR/../e2e source=../e2e/machines.sh
. "$srcdir/tests/e2e/machines.sh"
export DEBIAN_FRONTEND=noninteractive
tests=0 failures=0
ok() { # STATUS NAME
    tests=$((tests + 1))
    [ "$1" = 0 ] || failures=$((failures + 1))
    echo "$([ "$1" = 0 ] || echo 'not ')ok $tests - $2"
    [ "$1" = 0 ] || sed 's/^/# /' "$work/out"
}
quietly() { "$@" >"$work/out" 2>&1; }
until_true() { # COMMAND...: within two minutes
    local end=$((SECONDS + 120))
    until quietly "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.2
    done
}
# shellcheck disable=SC2317 # called by until_true
registered() { [ "$(grep -c . "$work/registered")" = 3 ] && [ -z "$(find "$work" -name '*.pid')" ]; }
# all files but those of the package system and the log
files() {
    find / -xdev \( -path "$work" -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/log -o -path /var/cache \
        -o -path /var/lib/systemd -o -path /tmp -o -path '/etc/*-' \) -prune -o -print | sort
}

files >"$work/before"
quietly apt-get install -y "$debs"/cas-backup_*.deb
ok $? 'apt installs it'
cas-backup --version >"$work/out" 2>&1 && man_page=$(dpkg -L cas-backup | grep man8/cas-backup.8) && [ -f "$man_page" ]
ok $? 'with its manual'
[ "$(dpkg-query -W -f '${Conffiles}' cas-backup | awk '{ print $1 }')" = "$etc/settings.yaml" ]
ok $? 'its settings are a conffile'
[ "$(systemctl is-enabled cas-backup.timer)" = disabled ] && ! quietly systemctl is-active cas-backup.timer
ok $? 'the timer is neither enabled nor started'
quietly cas-backup plan -f "$etc/settings.yaml" --cas mycas
grep -q 'configuration' "$work/out"
ok $? 'what it wants next is said'

# as the page says; the timer comes every third second so that nobody has to wait for it
page_files
start_machines 2>"$work/out"
start_page_primary
install -m 755 "$builddir/tests/sandbox/scone" /usr/local/bin/scone
mkdir -p /etc/systemd/system/cas-backup.{service,timer}.d
block 'by a drop-in' >/etc/systemd/system/cas-backup.service.d/ssh.conf
printf '[Timer]\nOnCalendar=\nOnCalendar=*:*:0/3\nRandomizedDelaySec=0\n' >/etc/systemd/system/cas-backup.timer.d/now.conf
quietly systemctl daemon-reload && quietly systemctl enable --now cas-backup.timer && until_true registered
registered || journalctl -u cas-backup.service --no-pager >"$work/out"
registered
ok $? 'the timer registers the three machines of the page'
systemctl disable -q --now cas-backup.timer
quietly systemctl stop cas-backup.service
systemctl start cas-backup.service 2>"$work/out"
ok $? 'a pass by hand ends well'
[ "$(grep -c . "$work/registered")" = 3 ]
ok $? 'and keeps them'

quietly apt-get purge -y cas-backup
ok $? 'apt purges it'
grep -q 'the records are left in /var/lib/cas-backup' "$work/out" && grep -q "left in $etc" "$work/out"
ok $? 'and says what is left'
rm -r /etc/systemd/system/cas-backup.{service,timer}.d /usr/local/bin/scone ~/.ssh
files | comm -13 "$work/before" - | grep -v -e /etc/hosts -e "^$etc" -e '^/var/lib/cas-backup' -e '^/var/lib/private' >"$work/out"
[ ! -s "$work/out" ]
ok $? 'which is all'
(cd "$etc" && echo *) >"$work/out"
[ "$(cat "$work/out")" = 'config.json hosts known_hosts ssh-key ssh-key.pub ssh_config' ]
ok $? "in $etc what was put there by hand"

quietly apt-get install -y "$debs"/cas-backup_*.deb && quietly dpkg -i --force-depends "$debs"/cas-backup-dev_*.deb &&
    [ -f /usr/include/cas-backup/plugin.h ] && quietly dpkg -P cas-backup-dev
ok $? 'the headers can be there too'
touch /var/lib/cas-backup/remove-on-purge
find "$etc" ! -name settings.yaml -type f -delete
quietly apt-get purge -y cas-backup
[ ! -e /var/lib/cas-backup ] && [ ! -e /var/lib/private/cas-backup ] && [ ! -e "$etc" ]
ok $? 'where it is asked for, the records go too'
echo "1..$tests"
exit $((failures > 0))
