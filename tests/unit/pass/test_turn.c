/* SPDX-License-Identifier: Apache-2.0 */
/* The turns of nodes, and the end of a pass before they are over. */
#include "unit/unit.h"

#include "base/clock.h"
#include "base/cond.h"
#include "fakes.h"
#include "log.h"

/* A pass that nothing but turns is known of. */
static void begin(struct pass *pass)
{
    *pass =
        (struct pass){.call = {.deadline_ns = clock_now_ns() + 3600 * CLOCK_S, .cancel_fd = -1}};
    pthread_mutex_init(&pass->lock, NULL);
    assert_int_equal(cond_init(&pass->ended), 0);
}

static void done(struct pass *pass)
{
    pthread_cond_destroy(&pass->ended);
    pthread_mutex_destroy(&pass->lock);
}

static void an_overview_counts_the_open_turns_by_stage(void **state)
{
    struct turn turns[3];
    struct turn_overview o;
    struct pass pass;

    (void)state;
    begin(&pass);
    turn_begin(&turns[0], &pass, "a");
    turn_begin(&turns[1], &pass, "b\nb");
    turn_begin(&turns[2], &pass, "c");
    o = turn_look(&pass);
    assert_int_equal(o.open, 3);
    assert_int_equal(o.stages[TURN_WAITING], 3);
    assert_string_equal(o.oldest, ""); /* who only waits does nothing for long */

    turn_enter(&turns[1], TURN_SPAWNING);
    turn_enter(&turns[0], TURN_REMOVING);
    turns[1].since_ns -= 5 * CLOCK_S;
    turn_end(&turns[2]);
    o = turn_look(&pass);
    assert_int_equal(o.open, 2);
    assert_int_equal(o.stages[TURN_SPAWNING], 1);
    assert_int_equal(o.stages[TURN_REMOVING], 1);
    assert_string_equal(o.oldest, "b b");
    assert_int_equal(o.oldest_stage, TURN_SPAWNING);
    assert_true(o.oldest_ns >= 5 * CLOCK_S);

    turn_end(&turns[0]);
    turn_end(&turns[1]);
    assert_int_equal(turn_look(&pass).open, 0);
    turn_wait(&pass);
    done(&pass);
}

static void cleaning_up_may_take_15_s_from_the_end_on(void **state)
{
    struct casb_call first, second;
    struct pass pass;
    int64_t now_ns;

    (void)state;
    begin(&pass);
    assert_false(turn_is_over(&pass));
    first = turn_cleanup_call(&pass);
    assert_int_equal(first.cancel_fd, -1);
    pass.call.deadline_ns = 1;
    now_ns = clock_now_ns();
    assert_true(turn_is_over(&pass));
    first = turn_cleanup_call(&pass);
    assert_true(first.deadline_ns >= now_ns + 15 * CLOCK_S);
    second = turn_cleanup_call(&pass); /* it does not begin anew */
    assert_int_equal(second.deadline_ns, first.deadline_ns);
    assert_true(second.deadline_ns <= clock_now_ns() + 15 * CLOCK_S);
    done(&pass);
}

/* Ends the pass once so many turns are open, and so many of them hang in spawn(). */
struct watch {
    struct fake *fake;
    size_t open, hanging;
    struct turn_overview seen;
};

static void cancel_when_they_hang(struct pass *pass, void *arg)
{
    struct watch *watch = arg;
    struct turn_overview o = turn_look(pass);

    if (o.open < watch->open || o.stages[TURN_SPAWNING] < watch->hanging)
        return;
    watch->seen = o;
    fake_cancel(watch->fake);
}

static void cancelling_removes_everything_and_blames_nobody(void **state)
{
    struct fake f;
    struct watch watch = {.fake = &f, .open = 12, .hanging = 4};
    const struct pass_view view = {.draw = cancel_when_they_hang, .arg = &watch};
    int64_t begun;

    (void)state;
    fake_init(&f, 12);
    f.view = &view;
    for (size_t i = 0; i < 12; i++)
        f.world.nodes[i].spawn_hangs = true;
    begun = clock_now_ns();
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_true(clock_now_ns() - begun < 10 * CLOCK_S);
    assert_int_equal(watch.seen.stages[TURN_WAITING], 8);
    assert_int_equal(fake_alive(&f), 0);
    assert_int_equal(report_counts(f.report).failed, 12);
    assert_int_equal(f.world.nodes[11].spawned, 0);
    assert_int_equal(fake_record(&f, "u0")->r.status, CASB_NONE);
    assert_int_equal(fake_record(&f, "u0")->r.attempted, 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_overview_counts_the_open_turns_by_stage),
        cmocka_unit_test(cleaning_up_may_take_15_s_from_the_end_on),
        cmocka_unit_test(cancelling_removes_everything_and_blames_nobody),
        cmocka_unit_test(the_deadline_ends_a_pass_in_the_same_way),
        cmocka_unit_test(what_could_not_be_looked_at_in_time_is_not_kept),
    };

    log_init(CASB_ERROR + 1, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
