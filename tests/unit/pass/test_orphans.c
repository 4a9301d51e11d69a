/* SPDX-License-Identifier: Apache-2.0 */
/* What a dead pass left. */
#include "unit/unit.h"

#include "fakes.h"
#include "log.h"

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
    f.settings.absent_after_ns = 0;
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

static void what_does_not_go_matters_to_cleanup_alone(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 1);
    f.world.stuck = "pod 'a' does not go";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(fake_pass(&f, PASS_CLEANUP), CASB_EFAILED);
    assert_non_null(strstr(f.err.text, "pod 'a' does not go"));
    fake_done(&f);
}

static void what_could_not_be_removed_in_its_turn_is_swept_at_the_end(void **state)
{
    static const struct {
        bool remove_fails, lists, lock_breaks;
        int sweeps;
        size_t alive;
    } rows[] = {
        {false, true, false, 1, 0},
        {true, true, false, 2, 0},
        {true, false, false, 0, 1},
        {true, true, true, 1, 1}, /* what is there may be another pass's */
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        struct fake f;

        fake_init(&f, 2);
        if (!rows[i].lists)
            fake_without_sweep(&f);
        f.world.nodes[1].remove_fails = rows[i].remove_fails;
        f.world.lock_breaks = rows[i].lock_breaks;
        assert_int_equal(fake_pass(&f, PASS_RUN), rows[i].lock_breaks ? CASB_EFAILED : 0);
        assert_int_equal(f.world.sweeps, rows[i].sweeps);
        assert_int_equal(fake_alive(&f), rows[i].alive);
        fake_done(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cleanup_removes_what_was_left_and_scans_nothing),
        cmocka_unit_test(a_source_that_cannot_list_has_its_spawns_noted),
        cmocka_unit_test(a_noted_spawn_is_not_forgotten_until_it_is_removed),
        cmocka_unit_test(cleanup_tries_each_node_of_a_source_that_cannot_list),
        cmocka_unit_test(what_does_not_go_matters_to_cleanup_alone),
        cmocka_unit_test(what_could_not_be_removed_in_its_turn_is_swept_at_the_end),
    };

    log_init(CASB_ERROR + 1, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
