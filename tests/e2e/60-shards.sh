#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Passes that share the nodes of a cluster: each node is registered once, by its share; one that is
# killed is made up for by its next; a pass that splits the nodes otherwise is locked out.
# shellcheck disable=SC2119,SC2317 # functions are called by name
# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "${srcdir:-.}/tests/e2e/cluster.sh"
# the shares end at different times, and the first one knows of no other's nodes
top='min_registered: 0'
start_cluster
shards=4 nodes=12
for i in $(seq 3 $nodes); do
    add_node "node-$i"
done
# Uids are random: one share in eight runs would have no node of twelve.
share_size() { # SHARE
    "$program" plan --plugin-dir "$builddir/.libs" --file "$settings" --config "$owner/config.json" \
        --shard "$1/$shards" -o json 2>"$work/err" | jq .counts.nodes
}
each_has_some() {
    for ((i = 0; i < shards; i++)); do
        [ "$(share_size $i)" -gt 0 ] || return 1
    done
}
until each_has_some; do
    nodes=$((nodes + 1))
    add_node "node-$nodes"
done

# start_shards ARGUMENT...: a pass a share, as the pods of an indexed Job; their outputs are in
# $work/out.0, ..., their processes in ${pids[@]}.
start_shards() {
    pids=()
    for ((i = 0; i < shards; i++)); do
        # shellcheck disable=SC2086,SC2154 # a command line
        JOB_COMPLETION_INDEX=$i CAS_BACKUP_SHARDS=$shards $wrapper "$program" \
            --plugin-dir "$builddir/.libs" --file "$settings" --config "$owner/config.json" \
            run -o json "$@" >"$work/out.$i" 2>"$work/err.$i" &
        pids+=($!)
    done
}
# end_shards: waits for them; $statuses has what they ended with.
end_shards() {
    statuses=
    for pid in "${pids[@]}"; do
        wait "$pid"
        statuses+="$? "
    done
}
all_well() { [ "$statuses" = "0 0 0 0 " ]; }
reports() { # JQ: over all reports, as an array
    jq -s "$1" "$work"/out.[0-9]
}
# leases_left: those of shares too.
leases_left() {
    api GET "/apis/coordination.k8s.io/v1/namespaces/$namespace/leases" | jq '.items | length'
}
none_left() { [ "$(leases_left)" = 0 ] && no_pods; }
some_held() { held "$shards"; }

start_shards
end_shards
is "four shards end well" all_well
is "each node is registered once" test "$(registrations)" = $nodes
is "all records say so" test "$(records 'map(select(.status == "registered")) | length')" = $nodes
is "each node is in one report" test "$(reports "[.[].nodes[].name] | length == $nodes and (unique | length) == $nodes")" = true
is "more than one shard had some" test "$(reports '[.[] | select(.counts.new > 0)] | length > 1')" = true
is "they know of each other" test "$(reports 'map(.counts.registered + (.counts.elsewhere // 0)) | max')" = $nodes
is "nothing is left over" until_true 30 none_left

start_shards
end_shards
is "a second run ends well" all_well
is "and registers nothing" test "$(registrations)" = $nodes
pass 0 "a pass over all keeps them" run -o json
is "every one" test "$(jq -c '[.counts.kept, .counts.registered]' "$work/out")" = "[$nodes,$nodes]"

hold_cli
start_shards --force all
is "four shards are at work" until_true 60 some_held
pass 5 "a pass over all is locked out" run
has err "another pass holds the lock" "and says by whom"
pass 5 "a pass of another number of shards is locked out" run --shard 0/3
has err "over other nodes" "and why"
pass 5 "a second pass of a share is locked out" run --shard 1/4
is "none of them left its own lease" test "$(leases_left)" = $shards
killed=2
kill -9 "${pids[$killed]}"
wait "${pids[$killed]}"
end_held
for pid in "${pids[@]}"; do
    kill -TERM "$pid" 2>/dev/null
    wait "$pid"
done
is "one that was killed leaves its lease" test "$(leases_left)" = 1
write_settings
start_shards
end_shards
is "the next run ends well" all_well
is "nothing is left over then" until_true 30 none_left
is "all are registered" test "$(records 'map(select(.status == "registered")) | length')" = $nodes
pass 2 "no such share is wrong usage" run --shard 4/4
pass 2 "status takes no share" status --shard 0/4
finish
