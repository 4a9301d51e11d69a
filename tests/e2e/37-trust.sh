#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What says what is run, what is run, and what holds the owner's key is refused where others could
# have written it: by its own mode or owner, or by that of a folder above it.
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"
# shellcheck source=../sandbox/up.sh
. "$srcdir/tests/sandbox/up.sh"

trap 'stop_sandbox; rm -rf "$work"' EXIT
unset CAS_BACKUP_FILE SCONE_CAS_ADDR SCONE_CLI_CONFIG BACKUP_CAS_NAME STATE_DIRECTORY KUBECONFIG
export TMPDIR=$work/tmp XDG_RUNTIME_DIR=$work/tmp HOME=$work
mkdir -m 0700 "$TMPDIR"
umask 022

# Each in a folder of its own, so that its folder can be made another one.
for name in settings hosts config program spawn kubeconfig exec; do
    mkdir "$work/$name" "$work/$name/in"
done
start_primary
cp "$builddir/tests/sandbox/scone" "$work/program/in/program"
cp "$host" "$work/spawn/in/spawn"
cp "$owner/config.json" "$work/config/in/config"
chmod 600 "$work/config/in/config"
host=$work/spawn/in/spawn
write_settings 1 "{plugin: scone-cli, program: $work/program/in/program}"
sed '/^    hosts:/,/server-1/d; s#^  - plugin: static#&\n    hosts_file: '"$work/hosts/in/hosts"'#' \
    "$settings" >"$work/settings/in/settings"
echo "server-1 127.0.0.2" >"$work/hosts/in/hosts"
cat >"$work/kubeconfig/in/kubeconfig" <<END
apiVersion: v1
kind: Config
current-context: c
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never,
    command: $work/exec/in/exec}}}]
END
printf '%s\n' '#!/bin/sh' 'exit 7' >"$work/exec/in/exec"
chmod 755 "$work/exec/in/exec"

# static STATUS NAME: a pass over the host; cluster STATUS NAME: one that needs the kubeconfig.
static() {
    run "$1" "$2" run --plugin-dir "$builddir/.libs" -f "$work/settings/in/settings" \
        --config "$work/config/in/config" --force all
}
cluster() {
    run "$1" "$2" plan --plugin-dir "$builddir/.libs" --kubeconfig "$work/kubeconfig/in/kubeconfig" \
        --config "$work/config/in/config" --deadline 20s
}

static 0 'what only we can write is used'
! grep -E ' (warn|error) ' "$work/err"
ok $? 'without a word'
cluster 3 'so is a credential plugin'
has err 'exit code 7' 'which is run'

# refused PASS STATUS NAME: with that file, or its folder, as others could have written it
refused() {
    local file=$work/$3/in/$3 mode
    mode=$(stat -c %a "$file")
    chmod o+w "$file"
    "$1" "$2" "$3: others can write it"
    has err "'$file' is writable by others" "$3: which is said"
    chmod "$mode" "$file"
    chmod 775 "$work/$3"
    "$1" "$2" "$3: a group can write a folder above it"
    has err "'$work/$3' is writable by others" "$3: which is said, too"
    chmod 1777 "$work/$3/in"
    chmod 755 "$work/$3"
    "$1" "$4" "$3: in a sticky folder it is used"
    chmod 755 "$work/$3/in"
    [ "$(id -u)" = 0 ] || return
    chown 12345 "$file"
    "$1" "$2" "$3: it is somebody else's"
    has err "'$file' belongs to user 12345" "$3: whose is said"
    chown 0 "$file"
}
refused static 2 settings 0
refused static 3 hosts 0
refused static 2 config 0
refused static 1 program 0
refused static 1 spawn 0
refused cluster 3 kubeconfig 3
refused cluster 3 exec 3

# ---- what is no reason to refuse

chmod 644 "$work/config/in/config"
static 0 'a configuration that everybody can read is used'
has err 'can be read by everybody' 'with a warning'
chmod 640 "$work/config/in/config"
static 0 'one that a group can read'
! grep -q ' warn ' "$work/err"
ok $? 'is used without one'
chmod 600 "$work/config/in/config"
run 0 'settings of a command are used' run --plugin-dir "$builddir/.libs" \
    -f <(cat "$work/settings/in/settings") --config <(cat "$work/config/in/config")
run 0 'and those of standard input' run --plugin-dir "$builddir/.libs" -f /dev/stdin \
    --config "$work/config/in/config" <"$work/settings/in/settings"

# as the kubelet mounts them
mkdir "$work/mount" "$work/mount/..2026"
cp "$work/settings/in/settings" "$work/mount/..2026/settings"
ln -s ..2026 "$work/mount/..data"
ln -s ..data/settings "$work/mount/settings"
chmod 640 "$work/mount/..2026/settings"
chmod 3777 "$work/mount"
run 0 'a mounted ConfigMap is used' run --plugin-dir "$builddir/.libs" -f "$work/mount/settings" \
    --config "$work/config/in/config"

# with fsGroup its folder has no sticky bit, but nobody can write through the mount
if unshare -m true 2>/dev/null; then
    for options in ro rw; do
        mkdir "$work/$options"
        # shellcheck disable=SC2016 # for the shell inside
        unshare -m sh -c 'mount -t tmpfs -o mode=2777 none "$1" && cp "$2" "$1/settings" &&
            mount -o "remount,$3" "$1" && shift 3 && exec "$@"' - "$work/$options" \
            "$work/mount/settings" $options "$program" plan --plugin-dir "$builddir/.libs" \
            -f "$work/$options/settings" --config "$work/config/in/config" >"$work/out" 2>"$work/err"
        echo $? >"$work/status-$options"
    done
    [ "$(cat "$work/status-ro" "$work/status-rw" | tr '\n' ' ')" = '0 2 ' ]
    ok $? 'a folder with mode 2777 is used where it is mounted read-only, and not else'
fi

# no private copy where others can write
mkdir -m 0777 "$work/open"
chmod 0777 "$work/open"
# shellcheck disable=SC2016 # for the program
printf '%s\n' '#!/bin/sh' 'echo "$SCONE_CLI_CONFIG" >>'"$work/copies" \
    "exec $builddir/tests/sandbox/scone"' "$@"' >"$work/program/in/program"
XDG_RUNTIME_DIR=$work/open static 0 'a pass goes on where others can write XDG_RUNTIME_DIR'
[ -s "$work/copies" ] && ! grep "^$work/open/" "$work/copies"
ok $? 'and keeps no copy there'
finish
