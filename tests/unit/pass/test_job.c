/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to one node: spawn, register, write the record, remove. */
#include "unit/unit.h"

#include "base/clock.h"
#include "base/identity.h"
#include "fakes.h"
#include "log.h"

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

static void the_boot_id_of_where_the_backup_ran_is_recorded(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    f.world.nodes[0].spawn_boot = f.world.nodes[1].spawn_boot = "boot-2"; /* since the scan */
    f.world.nodes[1].register_fails = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_record(&f, "u0")->r.machine.boot.text, "boot-2");
    assert_false(identity_is_known(&fake_record(&f, "u1")->r.machine.boot));
    f.world.nodes[0].boot_id = "boot-2";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-0"), "kept: ");
    fake_done(&f);
}

/* The LAS key was read before the machine was another one. */
static void what_another_boot_showed_is_not_recorded(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    f.world.nodes[0].las_source = f.world.nodes[1].las_source = "pod/0";
    f.world.nodes[0].spawn_boot = "boot-2";
    f.world.nodes[1].spawn_boot = f.world.nodes[1].boot_id;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_false(identity_is_known(&fake_record(&f, "u0")->r.machine.las));
    assert_null(fake_record(&f, "u0")->r.las_source);
    assert_string_equal(fake_record(&f, "u0")->r.machine.boot.text, "boot-2");
    assert_string_equal(fake_record(&f, "u1")->r.machine.las.text, "KEY-pod/0");
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

static void a_mistake_that_all_nodes_share_is_not_made_on_all(void **state)
{
    static const struct {
        int64_t after;
        int succeeds; /* one node that does; -1: none */
        size_t failed, skipped;
    } rows[] = {{3, -1, 3, 9}, {0, -1, 12, 0}, {12, -1, 12, 0}, {3, 0, 11, 0}};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        struct fake f;

        fake_init(&f, 12);
        f.settings.parallel = 1;
        f.settings.give_up_after = rows[i].after;
        for (int k = 0; k < 12; k++)
            f.world.nodes[k].register_fails = k != rows[i].succeeds;
        assert_int_equal(fake_pass(&f, PASS_RUN), 0);
        assert_int_equal(report_counts(f.report).failed, rows[i].failed);
        assert_int_equal(report_counts(f.report).skipped, rows[i].skipped);
        if (rows[i].skipped)
            assert_string_equal(fake_outcome(&f, "node-11"), "skipped: given-up");
        assert_int_equal(f.world.nodes[11].spawned, rows[i].skipped == 0);
        assert_int_equal(fake_alive(&f), 0);
        fake_done(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_written_before_removal),
        cmocka_unit_test(a_failed_node_costs_only_itself),
        cmocka_unit_test(both_limits_hold),
        cmocka_unit_test(the_boot_id_of_where_the_backup_ran_is_recorded),
        cmocka_unit_test(what_another_boot_showed_is_not_recorded),
        cmocka_unit_test(a_failure_notes_that_the_machine_may_be_another_one),
        cmocka_unit_test(a_mistake_that_all_nodes_share_is_not_made_on_all),
    };

    log_init(CASB_ERROR + 1, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
