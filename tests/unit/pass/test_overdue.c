/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that are unprotected for longer than they may be. */
#include "unit/unit.h"

#include "base/clock.h"
#include "fakes.h"
#include "log.h"

#define DAY_S (24 * 60 * 60)

/* Three nodes of which the second cannot be registered, since `ago_s` ago. */
static void begin(struct fake *f, int64_t ago_s)
{
    fake_init(f, 3);
    f->settings.overdue_after_ns = DAY_S * CLOCK_S;
    f->world.nodes[1].register_fails = true;
    assert_int_equal(fake_pass(f, PASS_RUN), 0);
    assert_int_equal(report_counts(f->report).overdue, 0);
    fake_record(f, "u1")->r.unprotected -= ago_s;
}

static void a_node_is_overdue_once_it_was_unprotected_for_longer(void **state)
{
    static const struct {
        int64_t ago_s;
        size_t overdue;
    } rows[] = {{0, 0}, {DAY_S - 60, 0}, {DAY_S + 60, 1}, {-DAY_S * 40, 0}};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        struct fake f;

        begin(&f, rows[i].ago_s);
        assert_int_equal(fake_pass(&f, PASS_RUN), 0);
        assert_int_equal(report_counts(f.report).overdue, rows[i].overdue);
        fake_done(&f);
    }
}

static void none_is_where_the_setting_is_off(void **state)
{
    struct fake f;

    (void)state;
    begin(&f, 100 * DAY_S);
    f.settings.overdue_after_ns = 0;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(report_counts(f.report).overdue, 0);
    fake_done(&f);
}

static void whom_the_pass_registers_or_does_not_find_or_leaves_out_is_not(void **state)
{
    struct fake f;

    (void)state;
    begin(&f, 2 * DAY_S);
    f.world.nodes[1].control_plane = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(report_counts(f.report).overdue, 0);
    fake_done(&f);

    begin(&f, 2 * DAY_S);
    f.world.nodes[1].register_fails = false;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(report_counts(f.report).overdue, 0);
    fake_done(&f);

    begin(&f, 2 * DAY_S);
    f.world.nodes[1] = f.world.nodes[2];
    f.world.n_nodes = 2;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(report_counts(f.report).overdue, 0);
    fake_done(&f);
}

static void the_longest_is_in_the_report(void **state)
{
    struct fake f;
    json_t *json, *overdue;

    (void)state;
    begin(&f, 3 * DAY_S);
    f.world.nodes[2].boot_id = "another";
    f.world.nodes[2].blocked = "unschedulable";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    fake_record(&f, "u2")->r.unprotected -= 2 * DAY_S;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    json = report_json(f.report);
    overdue = json_object_get(json, "overdue");
    assert_int_equal(json_integer_value(json_object_get(overdue, "nodes")), 2);
    assert_string_equal(json_string_value(json_object_get(overdue, "longest")), "node-1");
    json_decref(json);
    fake_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_is_overdue_once_it_was_unprotected_for_longer),
        cmocka_unit_test(none_is_where_the_setting_is_off),
        cmocka_unit_test(whom_the_pass_registers_or_does_not_find_or_leaves_out_is_not),
        cmocka_unit_test(the_longest_is_in_the_report),
    };

    log_init(CASB_ERROR + 1, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
