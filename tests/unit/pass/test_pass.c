/* SPDX-License-Identifier: Apache-2.0 */
/* Whole passes over plugins in memory: the order of things and what survives trouble. */
#include "unit/unit.h"

#include "base/clock.h"
#include "fakes.h"
#include "log.h"

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

static void a_held_lock_is_waited_for(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    f.world.locked_by_other = true;
    f.world.freed_at_try = 2;
    f.settings.lock_wait_ns = 60 * CLOCK_S;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.lock_tries, 2);
    assert_int_equal(report_counts(f.report).registered, 2);

    f.settings.lock_wait_ns = CLOCK_S / 2;
    f.world.lock_tries = f.world.freed_at_try = 0;
    assert_int_equal(fake_pass(&f, PASS_RUN), CASB_ECONFLICT);
    assert_string_equal(f.err.text, "lock: held by 'somebody'");
    fake_done(&f);
}

static void a_wait_for_the_lock_ends_with_the_pass(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    f.world.locked_by_other = true;
    f.settings.lock_wait_ns = 3600 * CLOCK_S;
    f.settings.deadline_ns = CLOCK_S / 10;
    assert_int_equal(fake_pass(&f, PASS_RUN), CASB_ETIMEOUT);
    assert_string_equal(
        f.err.text, "the pass's deadline passed while it waited for the lock: held by 'somebody'");
    f.settings.deadline_ns = 600 * CLOCK_S;
    fake_cancel(&f);
    assert_int_equal(fake_pass(&f, PASS_RUN), CASB_ECANCELLED);
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

static void another_release_registers_all_again_and_the_old_one_holds_until_then(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    fake_record(&f, "u1")->r.release = NULL; /* as the version before wrote it */
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(report_counts(f.report).kept, 2);
    assert_string_equal(fake_record(&f, "u1")->r.release, "register-backup cas:5");
    f.sources[0].release = (char *)"register-upgrade cas:6";
    assert_int_equal(fake_pass(&f, PASS_PLAN), 0);
    assert_string_equal(fake_outcome(&f, "node-1"),
                        "register: release-changed: it is registered for 'register-backup cas:5'");
    assert_int_equal(report_counts(f.report).registered, 2);
    f.world.nodes[1].register_fails = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-0"), "registered: release-changed");
    assert_int_equal(report_counts(f.report).registered, 2);
    assert_string_equal(fake_record(&f, "u0")->r.release, "register-upgrade cas:6");
    assert_string_equal(fake_record(&f, "u1")->r.release, "register-backup cas:5");
    f.world.nodes[1].register_fails = false;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-1"), "registered: retry");
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(report_counts(f.report).kept, 2);
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

static void only_and_force_take_names_and_refuse_unknown_ones(void **state)
{
    const char *only[] = {"node-1", NULL}, *force[] = {"u1", NULL}, *wrong[] = {"nod-1", NULL};
    struct fake f;

    (void)state;
    fake_init(&f, 3);
    f.request.only = only;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.registered, 1);
    assert_int_equal(report_counts(f.report).nodes, 3);
    assert_int_equal(report_counts(f.report).selected, 1);
    f.request.force = force;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-1"), "registered: forced");
    f.request.only = wrong;
    assert_int_equal(fake_pass(&f, PASS_RUN), CASB_EINVALID);
    assert_string_equal(f.err.text, "--only: no source has a node 'nod-1'");
    fake_done(&f);
}

static void settings_that_are_refused_spawn_nothing(void **state)
{
    static const enum pass_mode modes[] = {PASS_RUN, PASS_PLAN};
    struct fake f;

    (void)state;
    fake_init(&f, 3);
    f.world.refuses_settings = true;
    for (size_t i = 0; i < ELEMENTS(modes); i++) {
        assert_int_equal(fake_pass(&f, modes[i]), CASB_EINVALID);
        assert_string_equal(f.err.text, "registration plugin 'fake': no such option");
    }
    assert_int_equal(f.world.nodes[0].spawned, 0);
    assert_int_equal(f.world.locks, f.world.unlocks);
    assert_int_equal(f.world.described, 0);
    assert_int_equal(fake_pass(&f, PASS_CLEANUP), 0);
    fake_done(&f);
}

static void what_registers_is_asked_once_and_at_the_end(void **state)
{
    struct fake f;
    json_t *json;

    (void)state;
    fake_init(&f, 3);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.prepared, 1);
    assert_int_equal(f.world.described, 1);
    json = report_json(f.report);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(json, "registration"), "version")),
        "fake 3");
    json_decref(json);
    assert_int_equal(fake_pass(&f, PASS_PLAN), 0);
    assert_int_equal(f.world.prepared, 2);
    assert_int_equal(f.world.described, 1);
    fake_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_pass_registers_second_keeps),
        cmocka_unit_test(a_held_lock_is_a_conflict_with_the_holders_name),
        cmocka_unit_test(a_held_lock_is_waited_for),
        cmocka_unit_test(a_wait_for_the_lock_ends_with_the_pass),
        cmocka_unit_test(a_lost_lock_ends_the_pass_and_writes_no_more),
        cmocka_unit_test(an_unwritable_state_fails_the_pass_but_leaves_nothing_behind),
        cmocka_unit_test(another_release_registers_all_again_and_the_old_one_holds_until_then),
        cmocka_unit_test(plan_changes_nothing),
        cmocka_unit_test(only_and_force_take_names_and_refuse_unknown_ones),
        cmocka_unit_test(settings_that_are_refused_spawn_nothing),
        cmocka_unit_test(what_registers_is_asked_once_and_at_the_end),
    };

    log_init(CASB_ERROR + 1, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
