#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TAP. Four shards over 1,000 simulated nodes: each node is registered once, by its share; a shard that
# is killed is made up for by the next run; a pass that splits the nodes otherwise is locked out. In a
# control plane of its own, beside the other tests' cluster: its nodes have no kubelet to say that
# they live.
# shellcheck disable=SC2016,SC2317 # functions are called by name, and words by eval
# shellcheck source-path=SCRIPTDIR source=lab.sh
unset KUBE_LAB_DIR
export KUBE_LAB_ID=$(((${KUBE_LAB_ID:-0} + 1) % 8))
. "$(dirname "$0")/lab.sh"
shards=4 nodes=${SHARD_NODES:-1000} killed=2
few=$((nodes / 20))
hollow_pid=
trap '[ -z "$hollow_pid" ] || kill $hollow_pid; "$lab" down >/dev/null 2>&1; rm -rf "$work"' EXIT

is() { # NAME COMMAND...
    local name=$1
    shift
    "$@" >"$work/out" 2>&1
    ok $? "$name"
}

start_cluster() {
    "$lab" status 2>/dev/null | grep -q 'apiserver running' ||
        KUBE_LAB_NODE_GRACE=24h "$lab" up 0 || return 1
    KUBECONFIG=$("$lab" kubeconfig)
    "$KUBE_LAB/hollow-nodes" up "$nodes" >"$work/hollow" 2>&1 &
    hollow_pid=$!
    until_true 300 grep "^hollow-nodes: $nodes nodes" "$work/hollow" ||
        { cat "$work/hollow"; return 1; }
}

# write_settings SHARE: those of a share. Its CLI writes a line for each registration to $work/cli.SHARE;
# while $work/hold is there it ends none but the first few.
write_settings() {
    cat >"$work/scone.$1" <<CLI
#!/bin/sh
[ "\$1" = cas ] || exit 0
echo "\$*" >>$work/cli.$1
[ "\$(wc -l <$work/cli.$1)" -le $few ] || while [ -e $work/hold ]; do sleep 0.2; done
echo Backup CAS registered
CLI
    chmod +x "$work/scone.$1"
    cat >"$work/settings.$1" <<SETTINGS
instance: thousand
parallel: 64
discovery:
  - {plugin: kubernetes, namespace: default, selector: kube-lab/hollow=true}
registration:
  {plugin: scone-cli, program: $work/scone.$1, session: lab/register, cas: mycas}
state: {plugin: configmap, namespace: default}
SETTINGS
}

run() { # SHARE COUNT ARGUMENT...: a pass of that share
    local share=$1 count=$2
    shift 2
    exec "$builddir/cas-backup" --plugin-dir "$builddir/.libs" --file "$work/settings.$share" \
        run --shard "$share/$count" -o json "$@"
}
start_shards() { # ARGUMENT...
    pids=()
    rm -f "$work"/cli.*
    for ((i = 0; i < shards; i++)); do
        : >"$work/cli.$i"
        run "$i" $shards "$@" >"$work/report.$i" 2>"$work/log.$i" &
        pids+=($!)
    done
}
end_shards() { # STATUS...: what they end with
    local ended=
    for pid in "${pids[@]}"; do
        wait "$pid"
        ended+="$? "
    done
    echo "$ended"
    tail -n 3 "$work"/log.*
    [ "$ended" = "$* " ]
}

# shares: "SHARE NAME" of each node of a list, as FNV-1a 64 and jump consistent hash have it.
shares() {
    python3 -c '
import json, sys
def share(uid, count):
    key, at, then = 0xcbf29ce484222325, 0, 0
    for byte in uid.encode():
        key = (key ^ byte) * 0x100000001b3 % 2**64
    while then < count:
        at, key = then, (key * 2862933555777941757 + 1) % 2**64
        then = int((at + 1) * (2**31 / ((key >> 33) + 1)))
    return at
for node in json.load(sys.stdin)["items"]:
    print(share(node["metadata"]["uid"], '$shards'), node["metadata"]["name"])'
}
# outcomes SHARE OUTCOME: the names of its report's nodes with that outcome.
outcomes() {
    jq -r --arg outcome "$2" '.nodes[] | select(.outcome == $outcome).name' "$work/report.$1" | sort
}
share_of() { awk -v share="$1" '$1 == share { print $2 }' "$work/shares" | sort; }
each_registered_its_own() {
    for ((i = 0; i < shards; i++)); do
        share_of "$i" >"$work/own"
        echo "share $i: $(wc -l <"$work/own") nodes, $(wc -l <"$work/cli.$i") calls of the CLI"
        outcomes "$i" registered | diff "$work/own" - &&
            [ "$(wc -l <"$work/cli.$i")" = "$(wc -l <"$work/own")" ] || return 1
    done
}

# pods_made: how often there was a pod for a node, a line each, of the API server's own account.
pods_made() {
    tail -n "+$((audited + 1))" "$lab_dir/log/audit.log" |
        jq -r 'select(.verb == "create" and .objectRef.resource == "pods" and
            .objectRef.subresource == null and .responseStatus.code == 201) | .objectRef.name' |
        sort | uniq -c
}
one_pod_each() {
    pods_made | awk -v nodes="$nodes" '{ counts[$1]++ } END { for (n in counts) print counts[n] " nodes had " n " pods"
        exit !(NR == nodes && counts[1] == NR) }'
}
no_trace() { [ -z "$(kubectl get pods,leases -n default -o name)" ]; }
all_protected() {
    "$builddir/cas-backup" --plugin-dir "$builddir/.libs" --file "$work/settings.0" status -o json |
        jq -e --argjson nodes "$nodes" '[.nodes[] | select(.status == "registered")] | length == $nodes'
}
audited=0

is "a control plane with $nodes simulated nodes" start_cluster
[ "$failures" = 0 ] || finish
for ((i = 0; i < shards; i++)); do
    write_settings $i
done
kubectl get nodes -o json | shares >"$work/shares"
start_shards
is "four shards end well" end_shards 0 0 0 0
is "each registered the nodes of its share, each once" each_registered_its_own
is "each node had one pod" one_pod_each
is "nothing is left" no_trace
is "all records say registered" all_protected

# as if nothing had ever been registered, and one of them does not come through
kubectl delete configmap -n default -l app.kubernetes.io/component=state >/dev/null
audited=$(wc -l <"$lab_dir/log/audit.log")
touch "$work/hold"
start_shards
some_registered() { [ "$(wc -l <"$work/cli.$killed")" -gt "$few" ]; }
is "a shard is at work" until_true 120 some_registered
run 0 3 >"$work/out" 2>&1 &
wait $!
[ $? = 5 ]
ok $? "meanwhile a pass of three shards ends with 5"
kill -9 "${pids[$killed]}"
rm "$work/hold"
before=$(wc -l <"$work/cli.$killed")
is "it is killed, the others end well" end_shards 0 0 137 0
left() { kubectl get pods -n default -o name | sed 's/.*thousand-//' | sort; }
left >"$work/left"
is "it leaves pods, all of its own share" eval \
    '[ -s "$work/left" ] && [ -z "$(share_of $killed | comm -13 - "$work/left")" ]'
is "it did not register all" test "$before" -lt "$(share_of $killed | wc -l)"
cat "$work"/cli.[!$killed] >"$work/others"
is "the others did" test "$(wc -l <"$work/others")" = \
    "$(awk '$1 != '$killed "$work/shares" | wc -l)"

start_shards --lock-wait 1m
is "the next run ends well" end_shards 0 0 0 0
is "the others have nothing to do" eval '! cat "$work"/cli.[!$killed] | grep -q .'
# what the dead pass had not written yet, of a second at most, is registered once more
is "it registers what was not recorded, and no more" test \
    "$(wc -l <"$work/cli.$killed")" = "$(outcomes $killed registered | wc -l)"
is "the rest of its share was kept" eval \
    '{ outcomes $killed registered; outcomes $killed kept; } | sort | diff <(share_of $killed) -'
is "nothing is left then" no_trace
is "all are registered" all_protected
finish
