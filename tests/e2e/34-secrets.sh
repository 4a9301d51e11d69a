#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Passes over three machines, one of which fails, with all that is said and written kept: the owner's
# secrets are in none of it, nor in an argument or variable of any process that takes part.
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"
# shellcheck source=../sandbox/up.sh
. "$srcdir/tests/sandbox/up.sh"

trap 'stop_sandbox; rm -rf "$work"' EXIT
unset CAS_BACKUP_FILE SCONE_CAS_ADDR SCONE_CLI_CONFIG BACKUP_CAS_NAME STATE_DIRECTORY
export TMPDIR=$work/tmp XDG_RUNTIME_DIR=$work/tmp HOME=$work
mkdir -m 0700 "$TMPDIR"

# watched NAME PROGRAM: makes $work/NAME, which notes arguments and variables, its own and those of
# the pass, and goes on as PROGRAM. (Only root may look into the pass.)
watched() {
    cat >"$work/$1" <<END
#!/bin/sh
cat /proc/\$\$/cmdline /proc/\$\$/environ /proc/\$PPID/cmdline /proc/\$PPID/environ 2>/dev/null |
    tr '\\0' '\\n' >>"$work/processes"
exec "$2" "\$@"
END
    chmod 755 "$work/$1"
}

start_primary
watched scone "$builddir/tests/sandbox/scone"
watched host "$srcdir/tests/sandbox/host"
host=$work/host
echo 'no room for this one' >"$hosts/server-2.broken"
mapfile -t secrets < <(jq -r '.. | strings' "$owner/config.json" |
    grep -E '^[0-9a-f]{64}$|PRIVATE' -A 3 | grep -E '^[0-9A-Za-z+/=]{40,}$')
[ "${#secrets[@]}" -ge 3 ]
ok $? 'there are secrets to look for'

# nowhere FILE...: no twelve characters in a row of a secret are in these
nowhere() {
    local secret
    for secret in "${secrets[@]}"; do
        # shellcheck disable=SC2046 # one word a piece
        grep -qF $(for ((i = 0; i + 12 <= ${#secret}; i += 4)); do echo "-e${secret:i:12}"; done) "$@" && return 1
    done
    return 0
}

export SSLKEYLOGFILE=$work/session-keys
for registration in "{plugin: scone-cli, program: $work/scone}" '{plugin: cas-api}'; do
    plugin=${registration#*: }
    plugin=${plugin%%[,\}]*}
    rm -f "$work/state.json" "$work/processes"
    write_settings 3 "$registration"
    run 1 "$plugin: two of three are registered" run -v --plugin-dir "$builddir/.libs" -f "$settings" \
        --config "$owner/config.json" --report "$work/report" -o json
    has out '"registered": 2' "$plugin: which is said"
    [ "$(grep -c "^$work/" "$work/processes")" -gt 6 ] && ! nowhere "$owner/config.json" &&
        nowhere "$work/out" "$work/err" "$work/report" "$work/state.json" "$work/processes"
    ok $? "$plugin: no secret in arguments, variables, log, output, report and state"
done
[ ! -e "$SSLKEYLOGFILE" ]
ok $? 'nobody writes the keys of TLS sessions'

# ---- what a killed pass leaves

# in_folders FOLDER...: the owner's key is in one of these
in_folders() { grep -rqsF -e "${secrets[1]:0:40}" "$@"; }

mkfifo "$work/began"
# shellcheck disable=SC2016 # for the program
printf '%s\n' '#!/bin/sh' "echo \$\$ >$work/began" 'exec sleep 60' >"$work/waits"
chmod 755 "$work/waits"
mkdir -m 0700 "$work/run" "$work/other" "$work/another"
rm -f "$hosts/server-2.broken"
for command in run cleanup; do
    rm -f "$work/state.json"
    write_settings 1 "{plugin: scone-cli, program: $work/waits}"
    XDG_RUNTIME_DIR=$work/run TMPDIR=$work/tmp "$program" run --plugin-dir "$builddir/.libs" \
        -f "$settings" --config "$owner/config.json" >"$work/out" 2>"$work/err" &
    pid=$!
    read -r child <"$work/began"
    in_folders "$work/run" # before the kill: after it the pass of another test may come first
    ok $? 'a call has a private copy'
    kill -9 "$pid"
    wait "$pid" 2>"$work/err"
    write_settings 1 '{plugin: cas-api}'
    export XDG_RUNTIME_DIR=$work/other TMPDIR=$work/another
    run 0 "it is killed, and $command with another plugin and other folders ends well" $command \
        --plugin-dir "$builddir/.libs" -f "$settings" --config "$owner/config.json"
    [ -z "$(find "$work/run" "$work/other" "$work/another" -mindepth 1)" ] && ! in_folders "$work/run"
    ok $? "$command removes the copy of a killed pass"
    ! find /dev/shm /tmp -maxdepth 1 -lname "$work/*" 2>"$work/err" | grep .
    ok $? 'with what led to it'
    kill "$child"
done
finish
