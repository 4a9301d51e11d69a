# shellcheck shell=bash disable=SC2154 # builddir, srcdir and work are the caller's
# SPDX-License-Identifier: Apache-2.0
# Starts the sandbox's primary CAS and writes settings for three machines, for ./demo and tests.
# Before: $srcdir, $builddir, $work (a folder). After: $settings, $owner, $hosts (the machines'
# folder).
# shellcheck disable=SC2154

export CAS=$builddir/tests/sandbox/cas
owner=$work/owner hosts=$work/hosts settings=$work/settings.yaml
host=$srcdir/tests/sandbox/host
primary_pid=
mkdir -p "$hosts"

# Starts the primary CAS on the port it had before, or on a free one.
start_primary() {
    exec {out}< <(exec "$CAS" --primary "$owner" --listen "127.0.0.1:${primary_port:-0}" \
        --registered "$work/registered" 2>>"$work/primary.log")
    primary_pid=$!
    read -r _ _ _ primary_port <&"$out"
    exec {out}<&-
}

# Ends what the sandbox started.
stop_sandbox() {
    [ -z "$primary_pid" ] || kill "$primary_pid" 2>/dev/null
    for name in $(cd "$hosts" && ls ./*.pid 2>/dev/null); do
        "$host" remove "$hosts" "$(basename "$name" .pid)"
    done
}

# How many backup CAS there are.
count_running() {
    find "$hosts" -name '*.pid' | wc -l
}

# write_settings COUNT REGISTRATION: machines server-1 ... server-COUNT on addresses of their own.
write_settings() {
    {
        echo "discovery:"
        echo "  - plugin: static"
        echo "    hosts:"
        for i in $(seq "$1"); do
            echo "      - {name: server-$i, address: 127.0.$((i / 250)).$((i % 250 + 2))}"
        done
        echo "    spawn: [$host, spawn, $hosts, \"{name}\", \"{address}\"]"
        echo "    remove: [$host, remove, $hosts, \"{name}\"]"
        echo "    identify: [$host, identify, $hosts, \"{name}\"]"
        echo "registration: $2"
        echo "state: {plugin: file, path: $work/state.json}"
    } >"$settings"
}
