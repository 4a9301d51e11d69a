/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that are one machine under several names. */
#include "unit/unit.h"

#include "fakes.h"
#include "log.h"

/* Four nodes of which the second and the fourth are one machine. */
static void begin(struct fake *f)
{
    fake_init(f, 4);
    f->world.nodes[3].boot_id = f->world.nodes[1].boot_id;
}

static void one_machine_under_two_names_counts_once(void **state)
{
    struct fake f;

    (void)state;
    begin(&f);
    for (int i = 0; i < 3; i++) { /* as it is registered, kept, and looked at */
        assert_int_equal(fake_pass(&f, i < 2 ? PASS_RUN : PASS_PLAN), 0);
        assert_int_equal(report_counts(f.report).registered, 3);
        assert_int_equal(report_counts(f.report).nodes, 4);
    }
    fake_done(&f);
}

static void it_counts_once_where_only_leaves_it_out_too(void **state)
{
    const char *only[] = {"node-0", NULL};
    struct fake f;

    (void)state;
    begin(&f);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    f.request.only = only;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(report_counts(f.report).registered, 3);
    fake_done(&f);
}

/* Its old record has its boot ID, but does not count: so there is nothing to count once. */
static void a_node_that_was_created_again_counts(void **state)
{
    struct fake f;

    (void)state;
    begin(&f);
    f.world.n_nodes = 2;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    f.world.nodes[1].uid = "u1-again";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(report_counts(f.report).registered, 2);
    assert_int_equal(report_counts(f.report).absent, 1);
    fake_done(&f);
}

/* A machine that went over to another node is not the one any more that its old node has. */
static void a_node_whose_machine_changed_is_no_twin(void **state)
{
    struct fake f;

    (void)state;
    begin(&f);
    f.world.nodes[3].boot_id = "boot-3";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(report_counts(f.report).registered, 4);
    f.world.nodes[1].blocked = "not-ready"; /* so its record stays as it is */
    f.world.nodes[1].boot_id = "another";
    f.world.nodes[3].boot_id = "boot-1";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(report_counts(f.report).registered, 3);
    fake_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_machine_under_two_names_counts_once),
        cmocka_unit_test(it_counts_once_where_only_leaves_it_out_too),
        cmocka_unit_test(a_node_that_was_created_again_counts),
        cmocka_unit_test(a_node_whose_machine_changed_is_no_twin),
    };

    log_init(CASB_ERROR + 1, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
