#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# LAS is updated from 6 to 7, shows another machine, and shows nothing that is known.
# shellcheck disable=SC2119,SC2317 # functions are called by name
# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "${srcdir:-.}/tests/e2e/cluster.sh"
E2E_CLUSTER=sandbox
start_cluster
add_node node-3
key() { printf '%s%063d' "$1" 0; }
qe_id() { printf '%s%031d' "$1" 0; }
outcomes() {
    jq -r '.nodes | sort_by(.name)[] | .outcome + (.reason | if . == "" then "" else ":" + . end)' \
        "$work/out" | paste -sd ' '
}
outcomes_are() { [ "$(outcomes)" = "$1" ]; }
identities() { # of the records, in the order of the nodes' names
    records 'sort_by(.name)[] | "\(.las_key // "-") \(.las_qe_id // "-")"' | paste -sd ' '
}
known() { [ "$(identities)" = "$1" ]; }
warns() { # TIMES: that LAS shows nothing, and what that means
    [ "$(grep -c 'no log of it holds an identity' "$work/err")" = "$1" ]
}

write_settings 'las: {selector: app=las}'
for i in 1 2 3; do
    start_las "node-$i" 6 "$(key $i)"
done
pass 0 "the keys of LAS 6" run -o json
is "are registered" outcomes_are "registered:new registered:new registered:new"
is "and recorded" known "$(key 1) - $(key 2) - $(key 3) -"
is "without a warning" warns 0

for i in 1 2 3; do
    restart_las "node-$i" 7 "$(qe_id $i)"
done
pass 0 "the QE IDs of LAS 7" run -o json
is "register nothing on the same boot" outcomes_are "kept kept kept"
is "and are recorded" known "- $(qe_id 1) - $(qe_id 2) - $(qe_id 3)"
restart_las node-2 7 "$(qe_id b)"
pass 0 "another QE ID of one node" run -o json
is "registers that one" outcomes_are "kept registered:las-qe-id-changed kept"
is "and is recorded" known "- $(qe_id 1) - $(qe_id b) - $(qe_id 3)"
pass 0 "the pass after it" run -o json
is "keeps all" outcomes_are "kept kept kept"

# Logs without an identity.
for i in 1 2 3; do
    restart_las "node-$i" 7
done
pass 0 "logs without an identity" run -o json
is "register nothing on the same boot" outcomes_are "kept kept kept"
is "and are one warning" warns 1
has err "LAS runs on 3 nodes, but no log of it holds an identity that is known: boot IDs decide" \
    "that says what boot IDs mean then"
set_boot_id node-3 booted-again
pass 0 "a node that was rebooted" run -o json
is "is registered again" outcomes_are "kept kept registered:boot-id-changed"
is "with the warning" warns 1
restart_las node-1 7 "$(qe_id 1)"
pass 0 "where one log has an identity" run -o json
is "all are kept" outcomes_are "kept kept kept"
is "and there is no such warning" warns 0
finish
