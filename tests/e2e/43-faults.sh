#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An API server that misbehaves: what heals costs time only, what does not is said.
# shellcheck disable=SC2119,SC2317 # functions are called by name
# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "${srcdir:-.}/tests/e2e/cluster.sh"
E2E_CLUSTER=sandbox
start_cluster

pods_path='/api/v1/namespaces/default/pods'
state_path='/api/v1/namespaces/default/configmaps'
lease_path='/apis/coordination.k8s.io/v1/namespaces/default/leases'
counts() { api DELETE /sandbox/counts >/dev/null; }
counted() { api GET /sandbox/counts | jq ".[\"$1\"] // 0"; }

made_lock() { [ "$(counted 'create leases')" -ge 1 ]; }
asked_for_pods() { [ "$(counted 'list pods')" -ge 3 ]; } # two by the sweep, then the watch's
asked_for_lock() { [ "$(counted 'get leases')" -ge 1 ]; }

# heals NAME FAULTS: a pass that registers both nodes in spite of them.
heals() {
    local before
    before=$(registrations)
    counts
    faults "$2"
    pass 0 "$1" run --force all
    faults '[]'
    is "$1: each node is registered once" test "$(registrations)" = $((before + 2))
    is "$1: nothing is left over" until_true 30 nothing_left
}

# ends STATUS TEXT NAME FAULTS: a pass that ends with this status and this text in its log.
ends() {
    faults "$4"
    pass "$1" "$3" run --force all --deadline 15s
    faults '[]'
    has err "$2" "$3: the reason is given"
    is "$3: nothing is left over" until_true 30 nothing_left
}

heals "429 when a pod is created" \
    "[{\"match\": \"POST $pods_path\", \"status\": 429, \"retry_after\": 1, \"times\": 3}]"
heals "503 when nodes are listed" \
    '[{"match": "GET /api/v1/nodes?*", "status": 503, "retry_after": 1, "times": 2}]'
heals "406 to a list of nodes that could be protobuf" \
    '[{"match": "GET /api/v1/nodes?*", "status": 406, "times": 1}]'
heals "500 when pods are deleted" \
    "[{\"match\": \"DELETE $pods_path/*\", \"status\": 500, \"times\": 2}]"
heals "429 for longer than there is time when pods are deleted" \
    "[{\"match\": \"DELETE $pods_path/*\", \"status\": 429, \"retry_after\": 60, \"times\": 2}]"
heals "connections cut while nodes are listed" \
    '[{"match": "GET /api/v1/nodes?*", "cut": 200, "times": 2}]'
heals "lost answers when pods are created" \
    "[{\"match\": \"POST $pods_path\", \"cut\": 0, \"done\": true, \"times\": 2}]"
is "each is asked for again, and found to be our own" test "$(counted 'delete pods')" = 2
heals "500 after a pod was created" \
    "[{\"match\": \"POST $pods_path\", \"status\": 500, \"done\": true, \"times\": 1}]"
heals "lost answers when pods are deleted" \
    "[{\"match\": \"DELETE $pods_path/*\", \"cut\": 0, \"done\": true, \"times\": 2}]"
heals "watches that are cut in the middle of a line" \
    "[{\"match\": \"GET $pods_path?*watch=*\", \"cut\": 700, \"times\": 3}]"
heals "a watch that begins with 410" \
    "[{\"match\": \"GET $pods_path?*watch=*\", \"status\": 410, \"times\": 1}]"
heals "a watch that gives 410" \
    "[{\"match\": \"GET $pods_path?*watch=*\", \"status\": 410, \"event\": true, \"times\": 1}]"
heals "a watch that gives garbage" \
    "[{\"match\": \"GET $pods_path?*watch=*\", \"garbage\": true, \"times\": 1}]"
# as behind a proxy that holds it back
heals "a watch that stays silent" \
    "[{\"match\": \"GET $pods_path?*watch=*\", \"mute\": true}]"
write_settings 'ready_timeout: 3s'
heals "a watch that stays silent for as long as a pod may take" \
    "[{\"match\": \"GET $pods_path?*watch=*\", \"mute\": true}]"
write_settings
heals "watches that end at once without an event" \
    "[{\"match\": \"GET $pods_path?*watch=*\", \"text\": \"\"}]"
heals "records that are not written at once" \
    "[{\"match\": \"PATCH $state_path/*\", \"status\": 503, \"times\": 2}]"
heals "an API server that is slow" '[{"match": "*", "delay_ms": 200}]'

# Admission policies and GitOps tools stamp well-known labels on all that is made.
stamp='{"metadata": {"labels": {"app.kubernetes.io/managed-by": "platform-team"}}}'
heals "well-known labels that admission overwrites" \
    "[{\"match\": \"POST *\", \"admit\": $stamp}]"
faults "[{\"match\": \"POST $pods_path\", \"admit\": $stamp}]"
hold_cli
start_pass run --force all
until_true 60 held 2
kill -KILL "$pass_pid"
end_pass 137 "a pass is killed under such a policy"
pass 0 "cleanup goes by labels of our own" cleanup
is "and leaves nothing" until_true 30 nothing_left
faults '[]'
end_held
write_settings
api POST "$pods_path" "$(jq -n --arg instance "$instance" '{
    metadata: {name: ($instance + "-old"), labels: {
        "app.kubernetes.io/instance": $instance, "app.kubernetes.io/managed-by": "cas-backup",
        "app.kubernetes.io/component": "backup-cas"}},
    spec: {containers: [{name: "backup-cas", image: "x"}]}}')" >/dev/null
pass 0 "a pod of the version before is swept" cleanup
is "and gone" no_pods
ends 3 "admission changed 'cas-backup/instance'" "a lock that admission takes from us" \
    "[{\"match\": \"POST $lease_path\", \"admit\":
        {\"metadata\": {\"labels\": {\"cas-backup/instance\": null}}}}]"
ends 1 "admission changed 'cas-backup/instance'" "pods that admission takes from us" \
    "[{\"match\": \"POST $pods_path\", \"admit\":
        {\"metadata\": {\"labels\": {\"cas-backup/instance\": null}}}}]"

ends 1 "admission changed its name to 'other'" "a pod that admission renames" \
    "[{\"match\": \"POST $pods_path\", \"times\": 1,
        \"admit\": {\"metadata\": {\"name\": \"other\"}}}]"
for i in 1 2; do
    api DELETE "$state_path/$instance-state" >/dev/null 2>&1
    before=$(registrations)
    ends 3 "admission changed 'cas-backup/instance'" "ConfigMaps that admission takes from us" \
        "[{\"match\": \"POST $state_path\", \"admit\":
            {\"metadata\": {\"labels\": {\"cas-backup/instance\": null}}}}]"
    is "nothing is registered in vain, $i" test "$(registrations)" = "$before"
    is "and none is left" test -z "$(api GET "$state_path" | jq -r '.items[].metadata.name' |
        grep "^$instance")"
done

# What passes is waited for, within ready_timeout; what does not is said in the API's own words.
refused() { # STATUS REASON MESSAGE [MORE]
    printf '[{"match": "POST %s", "status": %s, "reason": "%s", "message": "%s"%s}]' "$pods_path" \
        "$1" "$2" "$3" "${4-}"
}
quota='pods x is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'
webhook='Internal error occurred: failed calling webhook w'
heals "a quota without room" "$(refused 403 Forbidden "$quota" ', "times": 4')"
heals "a webhook that fails" "$(refused 500 InternalError "$webhook" ', "times": 4')"
heals "a gateway with pages of its own" \
    "[{\"match\": \"POST $pods_path\", \"status\": 502, \"text\": \"<html>\", \"times\": 4}]"
heals "an answer that is a page" \
    "[{\"match\": \"POST $pods_path\", \"text\": \"<html>\", \"done\": true, \"times\": 1}]"
write_settings 'ready_timeout: 6s'
ends 1 "$quota" "a quota without room for long" "$(refused 403 Forbidden "$quota")"
ends 1 "$webhook" "a webhook that never works" "$(refused 500 InternalError "$webhook")"
ends 1 "must specify limits.cpu" "a quota that wants more of the pod" \
    "$(refused 403 Forbidden 'pods x is forbidden: failed quota: q: must specify limits.cpu')"
is "that is no matter of waiting" test -z "$(grep 'tried again' "$work/err")"
write_settings

# A finalizer whose owner never comes keeps a pod for ever.
faults "[{\"match\": \"POST $pods_path\", \"times\": 1,
    \"admit\": {\"metadata\": {\"finalizers\": [\"policy.example/hold\"]}}}]"
pass 0 "a pass whose pod is held by a finalizer" run --force node-1 --only node-1
faults '[]'
held_pod=$(pods)
pass 3 "cleanup does not end well then" cleanup
has err "'$held_pod' (held by finalizers 'policy.example/hold')" "and names the pod and who holds it"
write_settings 'ready_timeout: 6s'
pass 1 "a pass over its node fails" run --force node-1 --only node-1
has err "held by finalizers 'policy.example/hold'" "and says why"
pass 0 "one over another node does not" run --force node-2 --only node-2
api PATCH "$pods_path/$held_pod" '{"metadata": {"finalizers": null}}' >/dev/null
write_settings
pass 0 "once the finalizer is gone, so is the pod" cleanup
is "and nothing is left" until_true 30 nothing_left

# What refuses to have one pod deleted keeps no other node from being registered.
hold_cli
start_pass run --force all
until_true 60 held 2
kill -KILL "$pass_pid"
end_pass 137 "a pass is killed, and leaves its pods"
end_held
write_settings
before=$(registrations)
faults "[{\"match\": \"DELETE $pods_path/*-node-1\", \"status\": 403, \"message\": \"denied by w\"}]"
pass 1 "a leftover that may not be deleted" run --force all
is "costs only its own node" test "$(registrations)" = $((before + 1))
has err "left for the next pass to remove: pod '$instance-node-1'" "and is named"
pass 3 "cleanup fails by it" cleanup
has err "denied by w" "and says why"
faults '[]'
pass 0 "once it may be, the next pass removes it" run
is "and leaves nothing" until_true 30 nothing_left

ends 3 "HTTP 500" "an API server that only fails" '[{"match": "*", "status": 500}]'
ends 3 "nodes" "a list of nodes that is garbage" \
    '[{"match": "GET /api/v1/nodes?*", "garbage": true}]'
# A gateway that says 200 to everything: what it refused was not done, and nothing was listed.
no='{\"kind\": \"Status\", \"metadata\": {}, \"status\": \"Failure\", \"message\": \"who?\", \"code\": 401}'
ends 3 "the answer is a 'Status', no list" "a list of nodes that is a failure" \
    "[{\"match\": \"GET /api/v1/nodes?*\", \"text\": \"$no\"}]"
ends 3 "the answer is a 'Status', no list" "a list of records that is a failure" \
    "[{\"match\": \"GET $state_path?*\", \"text\": \"$no\"}]"
ends 3 "who? (HTTP 401)" "a lock that was not taken" \
    "[{\"match\": \"POST $lease_path\", \"text\": \"$no\"}]"
ends 3 "lease" "a lock that cannot be had" "[{\"match\": \"* $lease_path*\", \"status\": 403}]"
# Exit status 2 is for wrong settings and 5 for a lock that another pass holds: no answer is either.
pass 0 "before the state fails" run
while IFS='|' read -r request answer text commands; do
    for command in $commands; do
        [ "$command" = forget ] && command='forget node-1'
        faults "[{\"match\": \"$request\", $answer}]"
        # shellcheck disable=SC2086 # a command line
        pass 3 "$command where $request gives $answer" $command
        faults '[]'
        has err "$text" "and it is said"
    done
done <<END
GET $lease_path/*|"text": "<html>login"|no JSON: '<html>login'|run forget
GET $lease_path/*|"status": 400|HTTP 400|run forget
POST $lease_path|"status": 400, "message": "policy"|policy|run forget
POST $lease_path|"status": 405|HTTP 405|run
POST $lease_path|"status": 406|HTTP 406|run
POST $lease_path|"status": 422|HTTP 422|run
GET $lease_path?label*|"status": 409|HTTP 409|run forget
GET $state_path?*|"text": "<html>login"|is no list|run status coverage
GET $state_path?*|"status": 400|HTTP 400|status coverage
GET $state_path?*|"status": 410|HTTP 410|status coverage forget
PATCH $state_path/*|"status": 422|HTTP 422|forget
PATCH $state_path/*|"status": 409|HTTP 409|forget
END
# The lock is asked for, and the pass asked to end before the answer is there.
faults "[{\"match\": \"POST $lease_path\", \"delay_ms\": 3000}]"
counts
start_pass run
until_true 60 asked_for_lock
sleep 0.5 # the next request is what the delay is for: nothing tells that it has come
kill -TERM "$pass_pid"
end_pass 143 "a pass that is asked to end while it takes the lock"
faults '[]'
is "its request is done all the same" until_true 30 made_lock
is "no lock is left behind" test -z "$(leases)"
# The same with the pods, whose creation takes longer than the pass would.
faults "[{\"match\": \"POST $pods_path\", \"delay_ms\": 6000}]"
counts
start_pass run --force all
until_true 60 asked_for_pods
sleep 0.5
kill -TERM "$pass_pid"
end_pass 143 "a pass that is asked to end while its pods are made"
faults '[]'
is "they were made all the same" test "$(counted 'create pods')" = 2
is "and are gone" until_true 30 nothing_left
ends 1 "pod" "pods that cannot be created" "[{\"match\": \"POST $pods_path\", \"status\": 403}]"

# A server or a proxy in between that shows what it was sent.
echo='GET / Authorization: Bearer s3cr3t-token, by http://user:s3cr3t@proxy:3128'
faults "[{\"match\": \"POST $pods_path\", \"status\": 403, \"message\": \"$echo\"}]"
pass 1 "a server that echoes our credentials" run --force all -v --report "$work/report"
faults '[]'
has err 'Authorization: Bearer ***, by http://***@proxy:3128' "is heard without them"
is "neither log, report nor state has them" test -z "$(
    { cat "$work/err" "$work/out" "$work/report"; records .; } | grep s3cr3t)"

# the sandbox is at a loopback address
HTTPS_PROXY=http://127.0.0.1:9 ALL_PROXY=http://127.0.0.1:9 \
    pass 0 "loopback goes by no proxy of the environment" plan

for i in $(seq 3 130); do
    add_node "node-$i"
done
faults '[{"match": "GET /api/v1/nodes?*continue=*", "compact": true, "times": 1}]'
pass 0 "a list whose next page is too old goes on" plan -o json
is "and misses no node" test "$(jq '.nodes | map(.name) | unique | length' "$work/out")" = 130
faults '[{"match": "GET /api/v1/nodes?*continue=*", "status": 500, "times": 2}]'
pass 0 "a list whose next page fails goes on" plan -o json
is "and has each node once" test "$(jq '.nodes | length' "$work/out")" = 130
# A proxy with a limit for bodies: what does not fit into one goes in several.
faults '[{"match": "*", "over": 4000, "status": 413, "text": "<html>413 Too Large"}]'
for i in $(seq 1 130); do
    annotate "node-$i" sandbox/refuse "\"OutOfcpu-$(printf 'x%.0s' {1..100})\""
done
pass 1 "a pass behind a proxy that takes small bodies only" run --force all --parallel 16
is "writes all its records" test "$(records length)" = 130
is "and says that it did so in parts" grep -q 'written in smaller parts' "$work/err"
faults '[]'
stop_cluster

E2E_PROTOBUF='' start_cluster
pass 0 "a pass by way of a gateway that answers in JSON only" run --force all
is "registers both" test "$(records 'map(select(.status == "registered")) | length')" = 2
is "and leaves nothing over" until_true 30 nothing_left

# the state cannot be written, and nobody says so
taken() { [ -n "$(leases)" ]; }
faults '[{"match": "PATCH *configmaps*", "delay_ms": 30000}]'
pass 3 "forgetting that takes too long fails" forget node-1 --deadline 3s
is "and gives its lock back" test -z "$(leases)"
for command in "forget node-1" "run --force all"; do
    # shellcheck disable=SC2086 # words
    start_pass $command
    until_true 30 taken
    sleep 1
    begin=$SECONDS
    kill -TERM "$pass_pid"
    end_pass 143 "'$command' that is asked to end while it writes says so"
    is "within 20 s" test $((SECONDS - begin)) -le 20
    is "and gives its lock back" test -z "$(leases)"
done
faults '[]'
stop_cluster

start_cluster --deny 'create pods' --deny 'get leases'
pass 3 "check finds missing rights" check
has out "pods" "and names them"
finish
