#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Does the simulation see what it is there to see? Each of these changes of the source is a fault that
# it must find: `make sim-mutants`, with SIM_SCHEDULES as for the simulation.
# shellcheck disable=SC2154,SC2317 # make sets variables; functions are called by name
# shellcheck source-path=SCRIPTDIR source=../e2e/tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"

# FILE | sed's SCRIPT | what it does
mutants='
pass/pass.c | s/atomic_load(&pass->lock_lost))$/false)/ | records are written after the lock was lost
pass/orphans.c | s/r = ops->sweep(.*/r = 0;/ | what a dead pass left is not removed
pass/job.c | /^    note_machine(/d | the machine of before the spawn is recorded
pass/job.c | /values = begin_values(job)/,/else/s/if (job->succeeded)/if (true)/ | a failure is recorded as a success
pass/job.c | s/if (ops->remove(.*$/if (false) {/ | a backup CAS is not removed
pass/attempt.c | /values->unprotected = 0;/d | what was registered stays unprotected
pass/decide.c | s/!text_equal(record->primary, policy->primary)/false/ | another primary is not noticed
pass/decide.c | s/!text_equal(record->release, policy->release)/false/ | another release is not noticed
pass/decide.c | s/if (changed)/if (false)/ | other hardware is not noticed
pass/decide.c | s/return "retry";/return NULL;/ | what failed is not tried again
pass/decide.c | s/return expired(record, policy) ? "expired" : NULL;/return "expired";/ | what is kept is registered again
pass/decide.c | s/bool changed = refresh(&record->name/bool changed = !record->name \&\& refresh(\&record->name/ | a record keeps the name of before
pass/job.c | s/^    if (result) \/.*/    if (false)/ | what could not be recorded is told
pass/pass.c | s/r = news_settle(pass, err);/r = 0;/ | the label is not brought in line
pass/intake.c | s/node->uid \&\& !share_has(&scan->pass->settings->share, node->uid)/false/ | a pass works on all shares
pass/turn.c | s/(15 . CLOCK_S)/(1500 * CLOCK_S)/ | cleaning up has no end
pass/pool.c | s/^    pthread_cond_signal(&pool->changed);$// | a job may not be noticed
state/records.c | s/^            append_dirty(records, changes.i..record);$/            ;/ | a record that could not be written is lost
state/records.c | s/records->interval_ns;$/0 * records->interval_ns - INT64_C(1) * 0 + INT64_MAX \/ 2;/ | the second batch is written too late
'

is() { # NAME COMMAND...: tests that it succeeds
    local name=$1
    shift
    "$@" >"$work/err" 2>&1
    ok $? "$name"
}

mutant() { # FILE SCRIPT: builds the simulation with it
    local object=${1##*/}
    mkdir -p "$work/${1%/*}"
    sed "$2" "$srcdir/src/$1" >"$work/$1"
    ! cmp -s "$srcdir/src/$1" "$work/$1" || return
    # shellcheck disable=SC2086 # words
    $CC $compile_flags -w -c -o "$work/${object%.c}.o" "$work/$1" &&
        $CC $compile_flags -o "$work/sim" "$work/${object%.c}.o" "$builddir"/tests/{sim/*,unit/pass/kept}.o \
            "$builddir"/.libs/lib{pass,front,base}.a $sim_link_flags
}

found() { # that the simulation ends with a schedule that shows it
    "$work/sim" >"$work/out" 2>/dev/null && return 1
    grep "^not ok" "$work/out"
}

while IFS='|' read -r file script what; do
    [ -n "$file" ] || continue
    file=${file// /} script=${script# } what=${what# }
    is "built:${what:+ $what}" mutant "$file" "${script% }"
    is "found: $what" found
done <<<"$mutants"
finish
