#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An upgrade of CAS that fails half way: what coverage, coverage --wait and status say then, and what
# the next pass makes of it; and one that fails everywhere. The services of a policy are one primary.
# shellcheck disable=SC2119,SC2317 # functions are called by name
# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "${srcdir:-.}/tests/e2e/cluster.sh"
E2E_CLUSTER=sandbox
start_cluster
add_node node-3
export SCONE_SANDBOX_OWNER_CONFIG=$owner/config.json
primary=$(jq -r '.cas_db[.default_cas].url | ltrimstr("https://") | rtrimstr("/")' "$owner/config.json")

# release NUMBER SERVICE COMMAND: has the settings be of that release.
release() {
    write_settings
    sed -i -e "s#^registration:.*#registration: {plugin: scone-cli, program: $sandbox/scone,\
 session: policy/$2, command: $3, cas: '$primary'}#" "$settings"
    echo "release: cas-$1" >>"$settings"
}
# ask STATUS NAME COMMAND...
ask() {
    local want=$1 name=$2
    shift 2
    timeout 120 "$program" "$1" --plugin-dir "$builddir/.libs" --file "$settings" "${@:2}" \
        >"$work/out" 2>"$work/err"
    [ $? = "$want" ]
    ok $? "$name"
}
outcomes() {
    jq -r '.nodes | sort_by(.name)[] | .outcome + (.reason | if . == "" then "" else ":" + . end)' \
        "$work/out" | paste -sd ' '
}
outcomes_are() { [ "$(outcomes)" = "$1" ]; }
releases_are() { # of the records, in the order of the nodes' names
    [ "$(jq -r '.nodes | sort_by(.name)[] | "\(.opens) \(.release)"' "$work/out" | paste -sd ' ')" = "$1" ]
}

release 6.0.2 register register-backup
ask 0 "a pass with the session's service register" run -o json
is "registers all" outcomes_are "registered:new registered:new registered:new"

release 6.0.3 upgrade register-upgrade
break_images node-3
ask 1 "a pass with the service upgrade, which fails on one node" run -o json
is "registers the others again, for the release and no other primary" outcomes_are \
    "registered:release-changed registered:release-changed failed:release-changed"
ask 0 "coverage after it" coverage
has out 'the database opens on 3 of 3 ' "still has all: the old release opens there"
ask 4 "coverage --wait ends with 4" coverage --wait 1s
has err '1 nodes are not registered for the present release yet' "and says how many are missing"
ask 0 "for the nodes that have it it ends with 0" coverage --wait 1s node-1 node-2
ask 4 "for the other one with 4" coverage --wait 1s node-3
ask 0 "status" status -o json
is "has each node's release" releases_are "true cas-6.0.3 true cas-6.0.3 true cas-6.0.2"

mend_images node-3
ask 0 "the pass after it" run -o json
is "registers what is missing alone" outcomes_are "kept kept registered:retry"
ask 0 "then coverage --wait ends with 0" coverage --wait 1s
ask 0 "a further pass" run -o json
is "registers nothing" outcomes_are "kept kept kept"
is "six registrations were made in all" [ "$(registrations)" = 6 ]

release 6.0.3 register register-upgrade
ask 0 "a pass with the other service and the same release" run -o json
is "registers nothing: it is one primary" outcomes_are "kept kept kept"
is "nothing is left" until_true 30 nothing_left

# A policy that does not know the next release's CLI fails on every node alike.
for i in {4..40}; do
    add_node "node-$i"
done
release 6.0.4 upgrade register-upgrade
created=$(pods_created)
export SCONE_SANDBOX_MRENCLAVE=another
ask 1 "a pass of whose registrations none succeeds" run -o json
more=$(($(pods_created) - created))
is "makes at most give_up_after and parallel pods, $more of 40" [ "$more" -le $((16 + 4)) ]
is "and gives up the other nodes" [ "$(jq '[.nodes[] | select(.outcome == "failed" or
    .reason == "given-up")] | length' "$work/out")" = 40 ]
is "its report says what failed first" [ "$(jq -r '.cause.message | contains("Unexpected enclave measurement")' \
    "$work/out")" = true ]
is "and what may be behind it" [ "$(jq '.cause.hints | map(select(contains("policy may be older"))) |
    length' "$work/out")" = 1 ]
ask 0 "the database opens where it did before" coverage node-1 node-2 node-3
has out 'the database opens on 3 of 3 ' "on all of them"
is "no pod is left" until_true 60 nothing_left
finish
