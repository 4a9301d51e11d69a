/* SPDX-License-Identifier: Apache-2.0 */
/* Whole passes over plugins in memory: the order of things and what survives trouble. */
#include "unit.h"

#include "base/clock.h"
#include "fakes.h"
#include "log.h"

#include <unistd.h>

static void first_pass_registers_second_keeps(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 10);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-9"), "registered: new");
    assert_int_equal(report_counts(f.report).registered, 10);
    assert_int_equal(f.world.registered, 10);
    assert_int_equal(fake_alive(&f), 0);
    assert_int_equal(f.world.locks, 1);
    assert_int_equal(f.world.unlocks, 1);

    f.world.stores = 0;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-9"), "kept: ");
    assert_int_equal(f.world.registered, 10);
    assert_int_equal(f.world.stores, 0);
    fake_done(&f);
}

static void records_are_written_before_removal(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 10);
    f.world.nodes[3].spawn_fails = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.early_removals, 0);
    assert_int_equal(f.world.nodes[3].removed, 1);
    fake_done(&f);
}

static void a_failed_node_costs_only_itself(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 4);
    f.world.nodes[1].spawn_fails = true;
    f.world.nodes[2].register_fails = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-1"), "failed: new: spawn: ErrImagePull: not found");
    assert_string_equal(fake_outcome(&f, "node-2"), "failed: new: register: TCB out of date");
    assert_int_equal(report_counts(f.report).registered, 2);
    assert_string_equal(fake_record(&f, "u2")->error, "register: TCB out of date");
    assert_int_equal(fake_record(&f, "u2")->r.attempts, 1);

    f.world.nodes[2].register_fails = false;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-2"), "registered: retry");
    assert_int_equal(fake_record(&f, "u2")->r.attempts, 0);
    assert_int_equal(fake_record(&f, "u1")->r.attempts, 2);
    fake_done(&f);
}

static void both_limits_hold(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 12);
    f.world.spawn_ns = 2 * CLOCK_MS;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_in_range(f.world.most_spawning, 2, 4);
    assert_in_range(f.world.most_registering, 1, 2);
    fake_done(&f);
}

static void *cancel_when_all_hang(void *arg)
{
    struct fake *f = arg;
    uint64_t one = 1;

    for (;;) {
        bool hang;

        pthread_mutex_lock(&f->world.lock);
        hang = f->world.spawning == 4;
        pthread_mutex_unlock(&f->world.lock);
        if (hang)
            break;
        usleep(1000);
    }
    return write(f->context.cancel_fd, &one, sizeof one) == sizeof one ? NULL : arg;
}

static void cancelling_removes_everything_and_blames_nobody(void **state)
{
    struct fake f;
    pthread_t thread;
    int64_t begun;
    void *failed;

    (void)state;
    fake_init(&f, 12);
    for (size_t i = 0; i < 12; i++)
        f.world.nodes[i].spawn_hangs = true;
    assert_int_equal(pthread_create(&thread, NULL, cancel_when_all_hang, &f), 0);
    begun = clock_now_ns();
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_true(clock_now_ns() - begun < 10 * CLOCK_S);
    pthread_join(thread, &failed);
    assert_null(failed);
    assert_int_equal(fake_alive(&f), 0);
    assert_int_equal(report_counts(f.report).failed, 12);
    assert_int_equal(f.world.nodes[11].spawned, 0);
    assert_null(fake_record(&f, "u0"));
    assert_int_equal(f.world.unlocks, 1);
    fake_done(&f);
}

static void the_deadline_ends_a_pass_in_the_same_way(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    f.settings.deadline_ns = 2 * CLOCK_S;
    f.world.nodes[1].spawn_hangs = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(fake_alive(&f), 0);
    assert_int_equal(report_counts(f.report).failed, 1);
    assert_int_equal(report_counts(f.report).registered, 1);
    fake_done(&f);
}

static void what_could_not_be_looked_at_in_time_is_not_kept(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    f.settings.deadline_ns = 2 * CLOCK_S;
    f.world.nodes[1].las_source = "pod/2";
    f.world.nodes[1].identify_hangs = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-1"),
                        "failed: : the pass's deadline passed before the node's turn was over");
    assert_int_equal(report_counts(f.report).kept, 1);
    assert_int_equal(fake_pass(&f, PASS_PLAN), CASB_ETIMEOUT);

    fake_without_sweep(&f); /* what an earlier pass began there is not forgotten */
    fake_record(&f, "u1")->r.spawned = 1;
    f.world.nodes[1].remove_fails = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(fake_record(&f, "u1")->r.spawned, 1);
    fake_done(&f);
}

/* Registers a node with a LAS key; then the machine was rebooted, or is another with `key`. */
static void register_then_fail_after_reboot(struct fake *f, const char *las_source)
{
    fake_init(f, 1);
    f->world.nodes[0].las_source = "pod/0";
    assert_int_equal(fake_pass(f, PASS_RUN), 0);
    assert_true(fake_record(f, "u0")->r.registered > 0);
    f->world.nodes[0].las_source = las_source;
    f->world.nodes[0].boot_id = "another";
    f->world.nodes[0].register_fails = true;
    assert_int_equal(fake_pass(f, PASS_RUN), 0);
    assert_int_equal(report_counts(f->report).failed, 1);
    assert_int_equal(report_counts(f->report).registered, 0);
}

static void a_failure_notes_that_the_machine_may_be_another_one(void **state)
{
    struct fake f;

    (void)state;
    register_then_fail_after_reboot(&f, "pod/1");
    assert_true(fake_record(&f, "u0")->r.registered > 0);
    assert_true(fake_record(&f, "u0")->r.changed > 0);
    fake_done(&f);

    register_then_fail_after_reboot(&f, NULL); /* LAS is down */
    assert_true(fake_record(&f, "u0")->r.changed > 0);
    f.world.nodes[0].las_source = "pod/0"; /* and shows the same key again */
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(report_counts(f.report).failed, 1);
    assert_int_equal(report_counts(f.report).registered, 1);
    assert_int_equal(fake_record(&f, "u0")->r.changed, 0);
    f.world.nodes[0].register_fails = false;
    f.world.nodes[0].las_source = "pod/2";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(fake_record(&f, "u0")->r.changed, 0);
    fake_done(&f);
}

static void a_blocked_node_that_changed_is_noted_and_its_log_is_read_once(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 1);
    f.world.nodes[0].las_source = "pod/0";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    f.world.nodes[0].blocked = "unschedulable";
    f.world.nodes[0].las_source = "pod/1";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-0"), "skipped: unschedulable");
    assert_true(fake_record(&f, "u0")->r.changed > 0);
    assert_int_equal(f.world.nodes[0].identified, 2);

    fake_record(&f, "u0")->r.status = CASB_FAILED;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.nodes[0].identified, 2);
    assert_true(fake_record(&f, "u0")->r.changed > 0);
    fake_done(&f);
}

static void a_node_with_las_that_only_leaves_out_may_have_been_rebooted(void **state)
{
    const char *only[] = {"node-0", NULL};
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    f.world.nodes[1].las_source = "pod/0";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    f.world.nodes[1].las_source = "pod/1";
    f.world.nodes[1].boot_id = "another";
    fake_record(&f, "u1")->r.seen -= 2 * 24 * 3600;
    f.cli.only = only;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(report_counts(f.report).registered, 2);
    assert_int_equal(fake_record(&f, "u1")->r.changed, 0);
    assert_true(fake_record(&f, "u1")->r.seen >= fake_record(&f, "u0")->r.seen);
    fake_done(&f);
}

static void a_held_lock_is_a_conflict_with_the_holders_name(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    f.world.locked_by_other = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), CASB_ECONFLICT);
    assert_string_equal(f.err.text, "lock: held by 'somebody'");
    assert_int_equal(f.world.sweeps, 0);
    fake_done(&f);
}

static void a_lost_lock_ends_the_pass_and_writes_no_more(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 12);
    f.world.spawn_ns = 20 * CLOCK_MS;
    f.world.lock_breaks = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), CASB_EFAILED);
    assert_int_equal(f.world.stores, 1);
    assert_int_equal(fake_alive(&f), 0);
    fake_done(&f);
}

static void an_unwritable_state_fails_the_pass_but_leaves_nothing_behind(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 3);
    f.world.store_fails = true;
    assert_int_not_equal(fake_pass(&f, PASS_RUN), 0);
    assert_non_null(strstr(f.err.text, "the disk is full"));
    assert_int_equal(f.world.registered, 3);
    assert_int_equal(fake_alive(&f), 0);
    fake_done(&f);
}

static void a_broken_scan_is_an_error_yet_found_nodes_are_registered(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 3);
    f.world.scan_fails = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), CASB_EUNREACHABLE);
    assert_string_equal(f.err.text, "scan source 'fake': the API is gone");
    assert_int_equal(f.world.registered, 3);
    fake_done(&f);
}

static void plan_changes_nothing(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 3);
    f.world.nodes[1].blocked = "unschedulable";
    f.world.nodes[2].control_plane = true;
    assert_int_equal(fake_pass(&f, PASS_PLAN), 0);
    assert_string_equal(fake_outcome(&f, "node-0"), "register: new");
    assert_string_equal(fake_outcome(&f, "node-1"), "skipped: unschedulable");
    assert_string_equal(fake_outcome(&f, "node-2"), "skipped: control-plane");
    assert_int_equal(f.world.locks + f.world.sweeps + f.world.stores + f.world.nodes[0].spawned, 0);
    assert_int_equal(report_counts(f.report).selected, 2);
    fake_done(&f);
}

static void cleanup_removes_what_was_left_and_scans_nothing(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    f.world.nodes[1].alive = true;
    assert_int_equal(fake_pass(&f, PASS_CLEANUP), 0);
    assert_int_equal(fake_alive(&f), 0);
    assert_int_equal(report_counts(f.report).nodes, 0);
    fake_done(&f);
}

static void a_las_log_is_read_only_where_its_container_is_another(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 1);
    f.world.nodes[0].las_source = "pod/0";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.nodes[0].identified, 1);
    assert_string_equal(fake_record(&f, "u0")->las_key, "KEY-pod/0");

    f.world.nodes[0].boot_id = "boot-2"; /* the key stands, so this is a mere reboot */
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.nodes[0].identified, 1);
    assert_string_equal(fake_outcome(&f, "node-0"), "kept: ");
    assert_string_equal(fake_record(&f, "u0")->boot_id, "boot-2");

    f.world.nodes[0].las_source = "pod/1";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.nodes[0].identified, 2);
    assert_string_equal(fake_outcome(&f, "node-0"), "registered: las-key-changed");

    f.world.nodes[0].las_source = "pod/2";
    f.world.nodes[0].identify_fails = true; /* the boot ID decides */
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-0"), "kept: ");
    assert_string_equal(fake_record(&f, "u0")->las_key, "KEY-pod/1");
    fake_done(&f);
}

static void a_las_log_without_a_key_is_read_once(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 1);
    f.world.nodes[0].las_source = "pod/0";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    f.world.nodes[0].las_source = "pod/1";
    f.world.nodes[0].keyless = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.nodes[0].identified, 2);
    assert_string_equal(fake_outcome(&f, "node-0"), "kept: ");
    assert_string_equal(fake_record(&f, "u0")->las_key, "KEY-pod/0");

    f.world.nodes[0].boot_id = "boot-2"; /* it decides now */
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-0"), "registered: boot-id-changed");
    assert_null(fake_record(&f, "u0")->r.las_key);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.nodes[0].identified, 2);
    assert_string_equal(fake_outcome(&f, "node-0"), "kept: ");

    f.world.nodes[0].las_source = "pod/2"; /* LAS was started again */
    f.world.nodes[0].keyless = false;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.nodes[0].identified, 3);
    assert_string_equal(fake_outcome(&f, "node-0"), "kept: ");
    assert_string_equal(fake_record(&f, "u0")->las_key, "KEY-pod/2");
    fake_done(&f);
}

static void a_node_that_never_showed_a_key_is_not_asked_again_either(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    f.world.nodes[0].las_source = f.world.nodes[1].las_source = "pod/0";
    f.world.nodes[0].keyless = f.world.nodes[1].keyless = true;
    f.world.nodes[1].register_fails = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-0"), "kept: ");
    assert_string_equal(fake_outcome(&f, "node-1"), "failed: retry: register: TCB out of date");
    assert_int_equal(f.world.nodes[0].identified, 1);
    assert_int_equal(f.world.nodes[1].identified, 1);
    fake_done(&f);
}

static void a_source_without_words_is_asked_each_time(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 1);
    f.world.nodes[0].las_source = "";
    f.world.nodes[0].keyless = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.nodes[0].identified, 2);
    assert_null(fake_record(&f, "u0")->r.las_source);
    fake_done(&f);
}

static void a_source_that_cannot_list_has_its_spawns_noted(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 3);
    fake_without_sweep(&f);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.sweeps, 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(f.world.records[i].r.spawned, 0);

    fake_record(&f, "u1")->r.spawned = 1; /* a pass that was killed there */
    f.world.nodes[1].alive = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(fake_alive(&f), 0);
    assert_int_equal(f.world.nodes[1].spawned, 1);
    assert_int_equal(fake_record(&f, "u1")->r.spawned, 0);
    fake_done(&f);
}

static void a_noted_spawn_is_not_forgotten_until_it_is_removed(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    fake_without_sweep(&f);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    fake_record(&f, "u1")->r.spawned = 1;
    fake_record(&f, "u1")->r.seen -= 91 * 24 * 3600;
    f.world.nodes[1].remove_fails = true;
    f.world.n_nodes = 1; /* taken from the list */
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(fake_record(&f, "u1")->r.spawned, 1);
    f.world.nodes[1].remove_fails = false;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_null(fake_record(&f, "u1"));
    fake_done(&f);
}

static void cleanup_tries_each_node_of_a_source_that_cannot_list(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 3);
    fake_without_sweep(&f);
    f.world.nodes[2].alive = true;
    assert_int_equal(fake_pass(&f, PASS_CLEANUP), 0);
    assert_int_equal(fake_alive(&f), 0);
    assert_int_equal(f.world.nodes[0].removed, 1);
    assert_int_equal(f.world.stores, 0);
    f.world.nodes[1].remove_fails = true;
    assert_int_equal(fake_pass(&f, PASS_CLEANUP), CASB_EFAILED);
    assert_string_equal(f.err.text, "1 backup CAS could not be removed");
    fake_done(&f);
}

static void vanished_nodes_are_kept_then_dropped(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 3);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    f.world.n_nodes = 1;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(report_counts(f.report).absent, 2);
    assert_int_equal(f.world.drops, 0);

    fake_record(&f, "u2")->r.seen -= 91 * 24 * 3600;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.drops, 1);
    assert_null(fake_record(&f, "u2"));

    f.world.n_nodes = 2; /* it comes back under its uid, and is itself */
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-1"), "kept: ");
    fake_done(&f);
}

static void a_node_that_was_skipped_for_long_is_not_dropped_when_it_vanishes(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    fake_record(&f, "u1")->r.status = CASB_FAILED;
    fake_record(&f, "u1")->r.seen -= 91 * 24 * 3600;
    f.world.nodes[1].blocked = "unschedulable";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-1"), "skipped: unschedulable");
    f.world.n_nodes = 1;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(report_counts(f.report).absent, 1);
    assert_int_equal(f.world.drops, 0);
    fake_done(&f);
}

static void another_primary_registers_each_node_once(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    snprintf(f.tool.primary.id, sizeof f.tool.primary.id, "primary-2");
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-1"), "registered: primary-changed");
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-1"), "kept: ");
    fake_done(&f);
}

static void plan_tells_of_another_primary_and_old_records_stand_until_replaced(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    snprintf(f.tool.primary.id, sizeof f.tool.primary.id, "primary-2");
    assert_int_equal(fake_pass(&f, PASS_PLAN), 0);
    assert_string_equal(fake_outcome(&f, "node-1"), "register: primary-changed");
    assert_int_equal(report_counts(f.report).registered, 0);

    f.world.nodes[1].register_fails = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_record(&f, "u0")->primary, "primary-2");
    assert_string_equal(fake_record(&f, "u1")->primary, "primary-1");
    assert_true(fake_record(&f, "u1")->r.registered > 0);

    f.world.nodes[1].register_fails = false;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-0"), "kept: ");
    assert_string_equal(fake_outcome(&f, "node-1"), "registered: retry");
    assert_string_equal(fake_record(&f, "u1")->primary, "primary-2");
    fake_done(&f);
}

static void a_node_of_the_same_name_with_another_uid_is_a_new_one(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    f.world.nodes[1].uid = "u9";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-1"), "registered: new");
    assert_int_equal(report_counts(f.report).absent, 1);
    assert_int_equal(fake_record(&f, "u1")->r.status, CASB_REGISTERED);
    fake_done(&f);
}

static void what_is_older_than_max_age_is_registered_again(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    f.settings.max_age_ns = 3600 * CLOCK_S;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    fake_record(&f, "u1")->r.registered -= 3601;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-0"), "kept: ");
    assert_string_equal(fake_outcome(&f, "node-1"), "registered: expired");
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-1"), "kept: ");
    fake_done(&f);
}

static void las_may_be_down_everywhere_for_a_while(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    f.world.nodes[0].las_source = f.world.nodes[1].las_source = "pod/0";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    f.world.nodes[0].las_source = f.world.nodes[1].las_source = NULL;
    f.world.nodes[1].boot_id = "boot-2"; /* with LAS down there is nothing else to go by */
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-0"), "kept: ");
    assert_string_equal(fake_record(&f, "u0")->las_key, "KEY-pod/0");
    assert_string_equal(fake_outcome(&f, "node-1"), "registered: boot-id-changed");
    assert_null(fake_record(&f, "u1")->r.las_key);

    f.world.nodes[0].las_source = f.world.nodes[1].las_source = "pod/0";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-0"), "kept: ");
    assert_string_equal(fake_outcome(&f, "node-1"), "kept: ");
    assert_int_equal(f.world.nodes[0].identified, 1);
    assert_string_equal(fake_record(&f, "u1")->las_key, "KEY-pod/0");
    fake_done(&f);
}

static void only_and_force_take_names_and_refuse_unknown_ones(void **state)
{
    const char *only[] = {"node-1", NULL}, *force[] = {"u1", NULL}, *wrong[] = {"nod-1", NULL};
    struct fake f;

    (void)state;
    fake_init(&f, 3);
    f.cli.only = only;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.registered, 1);
    assert_int_equal(report_counts(f.report).nodes, 3);
    assert_int_equal(report_counts(f.report).selected, 1);
    f.cli.force = force;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-1"), "registered: forced");
    f.cli.only = wrong;
    assert_int_equal(fake_pass(&f, PASS_RUN), CASB_EINVALID);
    assert_string_equal(f.err.text, "--only: no source has a node 'nod-1'");
    fake_done(&f);
}

static void a_node_of_two_sources_is_taken_once(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    f.sources[1] = f.sources[0];
    f.sources[1].host.source = "second";
    f.tool.n_sources = 2;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.registered, 2);
    assert_int_equal(report_counts(f.report).nodes, 2);
    fake_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_pass_registers_second_keeps),
        cmocka_unit_test(records_are_written_before_removal),
        cmocka_unit_test(a_failed_node_costs_only_itself),
        cmocka_unit_test(both_limits_hold),
        cmocka_unit_test(cancelling_removes_everything_and_blames_nobody),
        cmocka_unit_test(the_deadline_ends_a_pass_in_the_same_way),
        cmocka_unit_test(what_could_not_be_looked_at_in_time_is_not_kept),
        cmocka_unit_test(a_failure_notes_that_the_machine_may_be_another_one),
        cmocka_unit_test(a_blocked_node_that_changed_is_noted_and_its_log_is_read_once),
        cmocka_unit_test(a_node_with_las_that_only_leaves_out_may_have_been_rebooted),
        cmocka_unit_test(a_held_lock_is_a_conflict_with_the_holders_name),
        cmocka_unit_test(a_lost_lock_ends_the_pass_and_writes_no_more),
        cmocka_unit_test(an_unwritable_state_fails_the_pass_but_leaves_nothing_behind),
        cmocka_unit_test(a_broken_scan_is_an_error_yet_found_nodes_are_registered),
        cmocka_unit_test(plan_changes_nothing),
        cmocka_unit_test(cleanup_removes_what_was_left_and_scans_nothing),
        cmocka_unit_test(a_las_log_is_read_only_where_its_container_is_another),
        cmocka_unit_test(a_las_log_without_a_key_is_read_once),
        cmocka_unit_test(a_node_that_never_showed_a_key_is_not_asked_again_either),
        cmocka_unit_test(a_source_without_words_is_asked_each_time),
        cmocka_unit_test(a_source_that_cannot_list_has_its_spawns_noted),
        cmocka_unit_test(a_noted_spawn_is_not_forgotten_until_it_is_removed),
        cmocka_unit_test(cleanup_tries_each_node_of_a_source_that_cannot_list),
        cmocka_unit_test(vanished_nodes_are_kept_then_dropped),
        cmocka_unit_test(a_node_that_was_skipped_for_long_is_not_dropped_when_it_vanishes),
        cmocka_unit_test(another_primary_registers_each_node_once),
        cmocka_unit_test(plan_tells_of_another_primary_and_old_records_stand_until_replaced),
        cmocka_unit_test(a_node_of_the_same_name_with_another_uid_is_a_new_one),
        cmocka_unit_test(what_is_older_than_max_age_is_registered_again),
        cmocka_unit_test(las_may_be_down_everywhere_for_a_while),
        cmocka_unit_test(only_and_force_take_names_and_refuse_unknown_ones),
        cmocka_unit_test(a_node_of_two_sources_is_taken_once),
    };

    log_init(CASB_ERROR + 1, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
