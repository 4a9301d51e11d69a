# shellcheck shell=bash disable=SC2154 # work is the caller's
# SPDX-License-Identifier: Apache-2.0
# Starts programs of Debian's prometheus packages, each on a free port of $listen_on, and ends them.
# A test skips what needs one that is absent.
listeners=()
listen_on=127.0.0.1

# have PROGRAM NAME: is it there? Else a skipped test of that name.
have() {
    command -v "$1" >/dev/null && return
    tests=$((tests + 1))
    echo "ok $tests - $2 # SKIP $1 is missing"
    return 1
}

# listen PROGRAM ARGUMENT...: starts it; its port is in $port, its process in $listener.
listen() {
    local log=$work/$1.log
    "$@" --web.listen-address="$listen_on:0" >"$log" 2>&1 </dev/null &
    listener=$!
    listeners+=("$listener")
    for _ in $(seq 600); do
        port=$(sed -n 's/.*msg="Listening on" address=[0-9.]*:\([0-9]*\).*/\1/p' "$log")
        [ -z "$port" ] || return 0
        sleep 0.1
    done
    echo "# $1 does not listen:" && sed 's/^/# /' "$log"
    return 1
}

# Ends all of them, also one that is stopped.
stop_listeners() {
    [ ${#listeners[@]} != 0 ] || return # without a word wait(1) would wait for the sandbox, too
    kill -KILL "${listeners[@]}"
    wait "${listeners[@]}"
    listeners=()
} 2>/dev/null
