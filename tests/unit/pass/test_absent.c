/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that vanished. */
#include "unit/unit.h"

#include "base/clock.h"
#include "fakes.h"
#include "log.h"

#define DAY_S INT64_C(86400)

/* A world of two nodes, registered, of which the second then vanished. */
static void begin(struct fake *f)
{
    fake_init(f, 2);
    assert_int_equal(fake_pass(f, PASS_RUN), 0);
    f->world.n_nodes = 1;
    assert_int_equal(fake_pass(f, PASS_RUN), 0);
}

/* As if all that the record of the second node says had been said so much earlier. */
static void turn_back(struct fake *f, int64_t seconds)
{
    struct casb_record *r = &fake_record(f, "u1")->r;

    r->registered -= seconds;
    r->attempted -= seconds;
    r->seen -= seconds;
    r->absent -= seconds;
    r->missed -= seconds;
}

static int64_t now_s(void)
{
    return clock_wall_ms() / 1000;
}

static void a_vanished_node_is_kept_and_then_dropped(void **state)
{
    struct fake f;
    int days = 0;

    (void)state;
    begin(&f);
    assert_int_equal(report_counts(f.report).absent, 1);
    assert_true(fake_record(&f, "u1")->r.absent >= now_s() - 60);
    for (; days < 200 && fake_record(&f, "u1"); days++) {
        turn_back(&f, DAY_S + 1);
        assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    }
    assert_int_equal(days, 91);
    assert_int_equal(f.world.drops, 1);
    assert_int_equal(report_counts(f.report).absent, 0);
    fake_done(&f);
}

static void what_is_dropped_at_once_needs_no_time(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    f.settings.absent_after_ns = 0;
    f.world.n_nodes = 1;
    assert_int_equal(fake_pass(&f, PASS_PLAN), 0);
    assert_non_null(fake_record(&f, "u1"));
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_null(fake_record(&f, "u1"));
    fake_done(&f);
}

static void a_part_of_a_second_is_not_at_once(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    f.settings.absent_after_ns = CLOCK_S / 2;
    f.world.n_nodes = 1;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(report_counts(f.report).absent, 1);
    assert_non_null(fake_record(&f, "u1"));
    fake_done(&f);
}

static void a_node_that_comes_back_is_itself_and_counts_from_the_beginning(void **state)
{
    struct fake f;

    (void)state;
    begin(&f);
    turn_back(&f, 40 * DAY_S);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(fake_record(&f, "u1")->r.absent_s, DAY_S);
    f.world.n_nodes = 2;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-1"), "kept: ");
    assert_int_equal(fake_record(&f, "u1")->r.absent, 0);
    assert_int_equal(fake_record(&f, "u1")->r.absent_s, 0);
    fake_done(&f);
}

/* A time without passes, or a clock that jumps: one pass after it drops nothing, nor does the next.
 */
static void a_gap_or_a_jump_drops_nothing(void **state)
{
    static const int64_t jumps_days[] = {1, 91, 3650, 20000, -1, -91, -3650};
    static const int64_t after_s[] = {1800, DAY_S, 90 * DAY_S};

    (void)state;
    for (size_t i = 0; i < 2 * ELEMENTS(jumps_days) * ELEMENTS(after_s); i++) {
        int64_t jump_s = jumps_days[i / 2 % ELEMENTS(jumps_days)] * DAY_S;
        struct fake f;

        begin(&f);
        f.settings.absent_after_ns = after_s[i / 2 / ELEMENTS(jumps_days)] * CLOCK_S;
        turn_back(&f, jump_s);
        if (i % 2) /* nor where it is missed for the first time after the jump */
            fake_record(&f, "u1")->r.absent = fake_record(&f, "u1")->r.missed = 0;
        assert_int_equal(fake_pass(&f, PASS_RUN), 0);
        assert_int_equal(fake_pass(&f, PASS_RUN), 0);
        assert_int_equal(f.world.drops, 0);
        assert_true(fake_record(&f, "u1")->r.absent <= now_s() + 600);
        assert_true(fake_record(&f, "u1")->r.missed <= now_s() + 600);
        assert_true(fake_record(&f, "u1")->r.absent_s <= after_s[i / 2 / ELEMENTS(jumps_days)] / 2);
        fake_done(&f);
    }
}

static void an_idle_pass_writes_nothing_of_absent_nodes(void **state)
{
    struct fake f;
    int stores;

    (void)state;
    begin(&f);
    stores = f.world.stores;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    turn_back(&f, DAY_S / 2);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.stores, stores);
    assert_int_equal(report_counts(f.report).absent, 1);
    fake_done(&f);
}

static void a_node_that_was_skipped_for_long_is_not_dropped_when_it_vanishes(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    fake_record(&f, "u1")->r.status = CASB_FAILED;
    fake_record(&f, "u1")->r.seen -= 91 * DAY_S;
    f.world.nodes[1].blocked = "unschedulable";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(fake_outcome(&f, "node-1"), "skipped: unschedulable");
    f.world.n_nodes = 1;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(report_counts(f.report).absent, 1);
    assert_int_equal(f.world.drops, 0);
    fake_done(&f);
}

static void nothing_is_dropped_without_the_lock(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 3);
    f.world.nodes[2].blocked = "unschedulable"; /* so that there is something to write */
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    f.world.nodes[2].blocked = NULL;
    f.world.nodes[1] = f.world.nodes[2];
    f.world.n_nodes = 2;
    f.settings.absent_after_ns = 0;
    f.world.lock_breaks = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), CASB_EFAILED);
    assert_int_equal(f.world.drops, 0);
    fake_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vanished_node_is_kept_and_then_dropped),
        cmocka_unit_test(what_is_dropped_at_once_needs_no_time),
        cmocka_unit_test(a_part_of_a_second_is_not_at_once),
        cmocka_unit_test(a_node_that_comes_back_is_itself_and_counts_from_the_beginning),
        cmocka_unit_test(a_gap_or_a_jump_drops_nothing),
        cmocka_unit_test(nothing_is_dropped_without_the_lock),
        cmocka_unit_test(an_idle_pass_writes_nothing_of_absent_nodes),
        cmocka_unit_test(a_node_that_was_skipped_for_long_is_not_dropped_when_it_vanishes),
    };

    log_init(CASB_ERROR + 1, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
