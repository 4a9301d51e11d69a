/* SPDX-License-Identifier: Apache-2.0 */
/* What the state remembers of a pass, whatever becomes of it. */
#include "unit/unit.h"

#include "base/clock.h"
#include "fakes.h"
#include "log.h"

static void a_pass_is_remembered_when_it_begins_and_when_it_ends(void **state)
{
    struct fake f;
    const struct casb_pass *last;

    (void)state;
    fake_init(&f, 3);
    f.world.nodes[0].blocked = "not-ready";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    last = &f.world.pass;
    assert_int_equal(f.world.pass_stores, 2);
    assert_true(last->started > 0);
    assert_true(last->finished >= last->started);
    assert_int_equal(last->succeeded, last->finished);
    assert_int_equal(last->exit, 0);
    assert_int_equal(last->nodes, 3);
    assert_int_equal(last->newly, 2);
    assert_int_equal(last->skipped, 1);
    assert_int_equal(last->registered, 2);
    assert_int_equal(last->min_registered, f.settings.min_registered);
    assert_int_equal(last->chain_not_after, 1800000000);
    assert_string_equal(f.world.pass_primary, "primary-1");
    fake_done(&f);
}

static void a_pass_that_cannot_be_made_leaves_the_last_success(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    f.world.pass.started = f.world.pass.finished = f.world.pass.succeeded = 1000;
    f.world.scan_fails = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), CASB_EUNREACHABLE);
    assert_int_equal(f.world.pass.exit, 3);
    assert_true(f.world.pass.finished > 1000);
    assert_int_equal(f.world.pass.succeeded, 1000);
    assert_int_equal(f.world.pass.chain_not_after, 1800000000);
    fake_done(&f);
}

static void too_few_are_remembered_as_such(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    f.settings.min_registered = 3;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.pass.exit, 4);
    assert_int_equal(f.world.pass.succeeded, 0);
    fake_done(&f);
}

static void only_a_run_that_has_the_lock_is_remembered(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    assert_int_equal(fake_pass(&f, PASS_PLAN), 0);
    assert_int_equal(fake_pass(&f, PASS_CLEANUP), 0);
    f.world.locked_by_other = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), CASB_ECONFLICT);
    assert_int_equal(f.world.pass_stores, 0);
    f.world.locked_by_other = false;
    f.world.lock_breaks = true;
    assert_true(fake_pass(&f, PASS_RUN) < 0);
    assert_int_equal(f.world.pass_stores, 1); /* its beginning */
    fake_done(&f);
}

static void what_cannot_be_remembered_costs_nothing_else(void **state)
{
    static const int classes[] = {CASB_EUNREACHABLE, CASB_ETIMEOUT, CASB_EDENIED};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(classes); i++) {
        struct fake f;

        fake_init(&f, 2);
        f.world.pass_fails = classes[i];
        assert_int_equal(fake_pass(&f, PASS_RUN), 0);
        assert_int_equal(report_counts(f.report).registered, 2);
        fake_done(&f);
    }
}

static void nothing_is_begun_where_the_state_keeps_nothing(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    f.world.pass_fails = CASB_EFAILED;
    assert_int_equal(fake_pass(&f, PASS_RUN), CASB_EFAILED);
    assert_string_equal(f.err.text, "remember the pass: the disk is full");
    assert_int_equal(f.world.nodes[0].spawned + f.world.nodes[1].spawned, 0);
    assert_int_equal(f.world.unlocks, 1);
    fake_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pass_is_remembered_when_it_begins_and_when_it_ends),
        cmocka_unit_test(a_pass_that_cannot_be_made_leaves_the_last_success),
        cmocka_unit_test(too_few_are_remembered_as_such),
        cmocka_unit_test(only_a_run_that_has_the_lock_is_remembered),
        cmocka_unit_test(what_cannot_be_remembered_costs_nothing_else),
        cmocka_unit_test(nothing_is_begun_where_the_state_keeps_nothing),
    };

    log_init(CASB_ERROR + 1, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
