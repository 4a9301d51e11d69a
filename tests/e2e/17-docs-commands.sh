#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each block of commands in a document says, in a comment above it, by which test it is run, or why
# it is not. Those that name this test are run here: over the cluster's stand-in (kubernetes), over
# a list of machines (static), or without a settings file (alone).
# shellcheck disable=SC2030,SC2031,SC2119,SC2317 # subshells are meant; the documents call functions
# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "${srcdir:-.}/tests/e2e/cluster.sh"
E2E_CLUSTER=sandbox
self=tests/e2e/17-docs-commands.sh

# The blocks: "FILE:LINE|MARK|COMMANDS", a line each; what a command continues is joined, and its
# document within (<<END) is left out.
blocks() {
    (cd "$srcdir" && awk '
        function add(text) { sub(/^ *([$#] )?/, "", text); commands = commands (open ? "" : ";") text; open = sub(/\\$/, "", commands) }
        /^ *```/ && inside {
            inside = 0
            if (commands != "") print FILENAME ":" line "|" mark "|" substr(commands, 2)
            next
        }
        /^ *```/ { inside = 1; line = FNR; commands = ""; open = here = 0; shell = /```(sh|bash)$/; mark = before; next }
        inside && here { if ($0 ~ /^ *END$/) here = 0; next }
        inside && (open || shell || /^ *\$ / || /^ *# (systemctl|journalctl|[A-Z_]+=|cas-backup|apt|dpkg|kubectl)/) {
            add($0)
            here = /<<END/
        }
        { before = $0 }' README.md docs/*.md)
}
# mark TEXT: what the comment says, or nothing.
mark() { sed -n 's/^ *<!-- \(.*\) -->$/\1/p' <<<"$1"; }

blocks >"$work/blocks"
[ "$(wc -l <"$work/blocks")" -gt 20 ]
ok $? 'the documents have commands'
while IFS='|' read -r where comment _; do
    comment=$(mark "$comment")
    case $comment in
    'not run: '?*) ;;
    'run: '*)
        read -r _ file word <<<"$comment"
        { [ -f "$srcdir/$file" ] && grep -qw -e "${word%% *}" "$srcdir/$file"; } || echo "$where: $comment: no such test"
        ;;
    *) echo "$where: the block does not say how it is tested" ;;
    esac
done <"$work/blocks" >"$work/out"
[ ! -s "$work/out" ]
ok $? 'each block says by which test it is run, or why it is not'

# ---- those that are run here
start_cluster
start_server "$sandbox/cas" --backup --listen 127.0.0.1:0
backup_pid=$pid backup=127.0.0.1:$port
machines=$work/static
trap 'kill $backup_pid; stop_cluster; rm -rf "$work"' EXIT
mkdir -p "$work/.cas" "$machines" "$work/bin" "$work/etc"
cp "$owner/config.json" "$work/.cas/" # HOME is $work
cp "$sandbox/scone" "$work/bin/"
PATH=$work/bin:$PATH
# the machines have the names that the documents use
(
    identity="{plugin: scone-cli, config: $owner/config.json}" work=$machines
    # shellcheck source=../sandbox/up.sh
    . "$srcdir/tests/sandbox/up.sh"
    write_settings 3 "$identity"
)
sed 's/server-1/server-a/; s/server-2/server-b/; s/server-3/server-c/' "$machines/settings.yaml" >"$work/etc/settings.yaml"
export CAS=$sandbox/cas

cas-backup() {
    timeout 120 ${wrapper:+"$wrapper"} "$program" --plugin-dir "$builddir/.libs" "$@"
}
kubectl() { # kubectl cas-backup -n NAMESPACE COMMAND...
    shift 3
    cas-backup "$@"
}
# runs COMMANDS: each ends with what a pass or a question may end with, and not because of its usage.
runs() {
    local command status
    while read -r command; do
        command=${command//192.0.2.10/$backup}
        command=${command//\/etc\/cas-backup\//$work/etc/}
        eval "$command" >>"$work/out" 2>&1
        status=$?
        echo "$command: $status" >>"$work/out"
        case $status in 0 | 1 | 4) ;; *) return 1 ;; esac
    done <<<"${1//;/$'\n'}"
}
export SCONE_CLI_CONFIG=
# run_blocks WORD FILE: those with the word, with the settings file.
run_blocks() {
    local where comment commands
    while IFS='|' read -r where comment commands; do
        [ "$(mark "$comment")" = "run: $self $1" ] || continue
        : >"$work/out"
        (cd "$work" && CAS_BACKUP_FILE=$2 && export CAS_BACKUP_FILE && runs "$commands")
        ok $? "$where: $commands"
    done <"$work/blocks"
}
run_blocks alone ''
(CAS_BACKUP_FILE=$settings cas-backup run --config "$owner/config.json") >"$work/out" 2>&1
ok $? 'a pass over the cluster'
run_blocks kubernetes "$settings"
run_blocks static "$work/etc/settings.yaml"
finish
