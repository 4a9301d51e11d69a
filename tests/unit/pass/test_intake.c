/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of the nodes that a scan finds, pass after pass. */
#include "unit/unit.h"

#include "base/clock.h"
#include "base/identity.h"
#include "fakes.h"
#include "log.h"

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

static void a_node_of_two_sources_is_taken_once(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    f.sources[1] = f.sources[0];
    f.sources[1].host.source = "second";
    f.plugins.n_sources = 2;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.registered, 2);
    assert_int_equal(report_counts(f.report).nodes, 2);
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

static void another_primary_registers_each_node_once(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    snprintf(f.plugins.primary.id, sizeof f.plugins.primary.id, "primary-2");
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
    snprintf(f.plugins.primary.id, sizeof f.plugins.primary.id, "primary-2");
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
    f.settings.max_age_ns = CLOCK_S / 2; /* is not none */
    fake_record(&f, "u1")->r.registered -= 3601;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-1"), "registered: expired");
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
    assert_string_equal(fake_record(&f, "u0")->r.machine.las.text, "KEY-pod/0");

    f.world.nodes[0].boot_id = "boot-2"; /* the key stands, so this is a mere reboot */
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.nodes[0].identified, 1);
    assert_string_equal(fake_outcome(&f, "node-0"), "kept: ");
    assert_string_equal(fake_record(&f, "u0")->r.machine.boot.text, "boot-2");

    f.world.nodes[0].las_source = "pod/1";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.nodes[0].identified, 2);
    assert_string_equal(fake_outcome(&f, "node-0"), "registered: las-key-changed");

    f.world.nodes[0].las_source = "pod/2";
    f.world.nodes[0].identify_fails = true; /* the boot ID decides */
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-0"), "kept: ");
    assert_string_equal(fake_record(&f, "u0")->r.machine.las.text, "KEY-pod/1");
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
    assert_string_equal(fake_record(&f, "u0")->r.machine.las.text, "KEY-pod/0");

    f.world.nodes[0].boot_id = "boot-2"; /* it decides now */
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-0"), "registered: boot-id-changed");
    assert_false(identity_is_known(&fake_record(&f, "u0")->r.machine.las));
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.nodes[0].identified, 2);
    assert_string_equal(fake_outcome(&f, "node-0"), "kept: ");

    f.world.nodes[0].las_source = "pod/2"; /* LAS was started again */
    f.world.nodes[0].keyless = false;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.nodes[0].identified, 3);
    assert_string_equal(fake_outcome(&f, "node-0"), "kept: ");
    assert_string_equal(fake_record(&f, "u0")->r.machine.las.text, "KEY-pod/2");
    fake_done(&f);
}

static void a_las_log_that_may_get_a_key_is_read_again(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 1);
    f.world.nodes[0].las_source = "pod/0";
    f.world.nodes[0].keyless = f.world.nodes[0].starting = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-0"), "registered: new");
    assert_false(fake_record(&f, "u0")->r.las_none);
    f.world.nodes[0].keyless = false;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.nodes[0].identified, 2);
    assert_string_equal(fake_record(&f, "u0")->r.machine.las.text, "KEY-pod/0");
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
    assert_string_equal(fake_record(&f, "u0")->r.machine.las.text, "KEY-pod/0");
    assert_string_equal(fake_outcome(&f, "node-1"), "registered: boot-id-changed");
    assert_false(identity_is_known(&fake_record(&f, "u1")->r.machine.las));

    f.world.nodes[0].las_source = f.world.nodes[1].las_source = "pod/0";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-0"), "kept: ");
    assert_string_equal(fake_outcome(&f, "node-1"), "kept: ");
    assert_int_equal(f.world.nodes[0].identified, 1);
    assert_string_equal(fake_record(&f, "u1")->r.machine.las.text, "KEY-pod/0");
    fake_done(&f);
}

/* A node whose LAS was read, and then is another one. */
static void begin_registered(struct fake *f)
{
    fake_init(f, 1);
    f->world.nodes[0].las_source = "pod/0";
    assert_int_equal(fake_pass(f, PASS_RUN), 0);
    f->world.nodes[0].blocked = "unschedulable";
    f->world.nodes[0].las_source = "pod/1";
}

static void a_blocked_node_that_changed_is_noted_and_its_log_is_read_once(void **state)
{
    struct fake f;

    (void)state;
    begin_registered(&f);
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

/* LAS showed another machine, and then there is no LAS to be asked. */
static void what_las_said_is_not_taken_back_by_a_boot_id(void **state)
{
    struct fake f;

    (void)state;
    begin_registered(&f);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    f.world.nodes[0].las_source = NULL;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-0"), "skipped: unschedulable");
    assert_true(fake_record(&f, "u0")->r.changed > 0);
    f.world.nodes[0].blocked = NULL;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-0"), "registered: hardware-changed");
    assert_int_equal(fake_record(&f, "u0")->r.changed, 0);
    fake_done(&f);
}

static void what_fails_is_looked_at_until_it_is_known_to_be_another(void **state)
{
    struct fake f;

    (void)state;
    begin_registered(&f);
    fake_record(&f, "u0")->r.status = CASB_FAILED;
    f.world.nodes[0].boot_id = "another";
    for (int pass = 0; pass < 2; pass++) {
        assert_int_equal(fake_pass(&f, PASS_RUN), 0);
        assert_true(fake_record(&f, "u0")->r.changed > 0);
        assert_int_equal(f.world.nodes[0].identified, 2);
    }
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
    f.request.only = only;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(report_counts(f.report).registered, 2);
    assert_int_equal(fake_record(&f, "u1")->r.changed, 0);
    assert_true(fake_record(&f, "u1")->r.seen >= fake_record(&f, "u0")->r.seen);
    fake_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_scan_is_an_error_yet_found_nodes_are_registered),
        cmocka_unit_test(a_node_of_two_sources_is_taken_once),
        cmocka_unit_test(a_node_of_the_same_name_with_another_uid_is_a_new_one),
        cmocka_unit_test(another_primary_registers_each_node_once),
        cmocka_unit_test(plan_tells_of_another_primary_and_old_records_stand_until_replaced),
        cmocka_unit_test(what_is_older_than_max_age_is_registered_again),
        cmocka_unit_test(a_las_log_is_read_only_where_its_container_is_another),
        cmocka_unit_test(a_las_log_without_a_key_is_read_once),
        cmocka_unit_test(a_las_log_that_may_get_a_key_is_read_again),
        cmocka_unit_test(a_node_that_never_showed_a_key_is_not_asked_again_either),
        cmocka_unit_test(a_source_without_words_is_asked_each_time),
        cmocka_unit_test(las_may_be_down_everywhere_for_a_while),
        cmocka_unit_test(a_blocked_node_that_changed_is_noted_and_its_log_is_read_once),
        cmocka_unit_test(what_las_said_is_not_taken_back_by_a_boot_id),
        cmocka_unit_test(what_fails_is_looked_at_until_it_is_known_to_be_another),
        cmocka_unit_test(a_node_with_las_that_only_leaves_out_may_have_been_rebooted),
    };

    log_init(CASB_ERROR + 1, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
