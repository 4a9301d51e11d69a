#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Allocations and system calls that fail in a pass over a cluster.
# shellcheck disable=SC2119,SC2317 # functions are called by name
# shellcheck source-path=SCRIPTDIR source=sweep.sh
. "${srcdir:-.}/tests/e2e/sweep.sh" || exit 1
E2E_CLUSTER=sandbox
before=()

# cas_backup COMMAND...: what follows the words of $before
cas_backup() {
    "${before[@]}" "$program" --plugin-dir "$builddir/.libs" --file "$settings" \
        --config "$owner/config.json" "$@"
}
faulty_pass() {
    before=("$@")
    cas_backup run --deadline 20s
    set -- $?
    before=()
    return "$1"
}

maps=/api/v1/namespaces/default/configmaps
map=$maps/failing-state
lease=/apis/coordination.k8s.io/v1/namespaces/default/leases/failing

# One node is registered, one that is not there any more was, and one is new.
begin() {
    unset TMPDIR # it makes a folder of its own
    # shellcheck source-path=SCRIPTDIR source=cluster.sh
    . "$srcdir/tests/e2e/cluster.sh"
    instance=failing
    start_cluster
    cas_backup run >"$work/out" 2>&1 || { echo "the first pass ended with $?" && cat "$work/out"; }
    api GET "$map" >"$work/before.json"
    api DELETE /api/v1/nodes/node-2 >/dev/null
    add_node node-3
    uid_1=$(api GET /api/v1/nodes/node-1 | jq -r .metadata.uid)
    uid_3=$(api GET /api/v1/nodes/node-3 | jq -r .metadata.uid)
    uid_2=$(jq -r --arg uid "$uid_1" '.data | keys[] | select(. != $uid)' "$work/before.json")
}

again() {
    api DELETE "$map" >/dev/null
    jq 'del(.metadata.uid, .metadata.resourceVersion)' "$work/before.json" |
        api POST "$maps" "@-" >/dev/null
    api DELETE "$lease" >/dev/null 2>&1
}

# registered: the nodes whose records are in order.
registered() {
    api GET "$map" | jq -r --arg uid_1 "$uid_1" --arg uid_2 "$uid_2" --arg uid_3 "$uid_3" '
        [.data | to_entries[] | {uid: .key} + (.value | fromjson) |
            select(.status == "registered" and .primary and .boot_id == "boot-of-\(.name)" and
                .uid == {"node-1": $uid_1, "node-2": $uid_2, "node-3": $uid_3}[.name]).name] |
        sort | join(" ")'
}
records_of() { api GET "$map" | jq '.data | length'; }

wrong() { # STATUS
    case "$1 $(registered)" in
    '0 node-1 node-2 node-3' | [!0]*' node-1 node-2' | [!0]*' node-1 node-2 node-3') ;;
    *) echo "records:" && api GET "$map" | jq -c .data ;;
    esac
    [ "$(records_of)" -le 3 ] || api GET "$map" | jq -c .data
    api DELETE "$lease" >/dev/null 2>&1
    cas_backup run >"$work/log.next" 2>&1 || echo "the next pass ended with $?"
    [ "$(registered) $(records_of)" = 'node-1 node-2 node-3 3' ] || api GET "$map" | jq -c .data
    until_true 30 nothing_left || echo "left: $(pods) $(leases) $(find "$TMPDIR" -mindepth 1)"
    [ "$(api GET "$maps" | jq '.items | length')" = 1 ] || api GET "$maps" | jq -c .items
}

sweep "nothing is lost or left"
finish
