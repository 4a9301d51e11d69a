/* SPDX-License-Identifier: Apache-2.0 */
/* What a pass remembers of nodes that it did not register. */
#include "unit/unit.h"

#include "base/clock.h"
#include "fakes.h"
#include "log.h"

static const struct casb_record *record_of(struct fake *f, const char *uid)
{
    const struct kept_record *record = fake_record(f, uid);

    assert_non_null(record);
    return &record->r;
}

static void a_node_that_was_only_ever_skipped_has_a_record(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    f.world.nodes[0].blocked = "unschedulable";
    f.world.nodes[1].control_plane = true;
    assert_int_equal(fake_pass(&f, PASS_PLAN), 0);
    assert_null(fake_record(&f, "u0"));
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(record_of(&f, "u0")->name, "node-0");
    assert_string_equal(record_of(&f, "u0")->source, "fake");
    assert_int_equal(record_of(&f, "u0")->status, CASB_NONE);
    assert_string_equal(record_of(&f, "u0")->reason, "unschedulable");
    assert_int_equal(record_of(&f, "u0")->unprotected, record_of(&f, "u0")->seen);
    assert_null(fake_record(&f, "u1")); /* it is not selected */
    fake_done(&f);
}

static void a_node_is_unprotected_from_the_first_pass_on_that_sees_it(void **state)
{
    struct fake f;
    int64_t since;

    (void)state;
    fake_init(&f, 1);
    f.world.nodes[0].blocked = "not-ready";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    since = fake_record(&f, "u0")->r.unprotected -= 3600;
    f.world.nodes[0].blocked = NULL;
    f.world.nodes[0].register_fails = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(record_of(&f, "u0")->unprotected, since);
    assert_string_equal(record_of(&f, "u0")->reason, "new");
    f.world.nodes[0].register_fails = false;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(record_of(&f, "u0")->unprotected, 0);
    assert_null(record_of(&f, "u0")->reason);
    fake_done(&f);
}

static void what_still_opens_there_is_no_lack_of_protection(void **state)
{
    const char *force[] = {"all", NULL};
    struct fake f;

    (void)state;
    fake_init(&f, 1);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    f.request.force = force;
    f.world.nodes[0].register_fails = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(record_of(&f, "u0")->status, CASB_FAILED);
    assert_string_equal(record_of(&f, "u0")->reason, "forced");
    assert_int_equal(record_of(&f, "u0")->unprotected, 0);
    fake_done(&f);
}

static void a_lack_of_protection_that_is_to_come_begins_now(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 1);
    f.world.nodes[0].blocked = "not-ready";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    fake_record(&f, "u0")->r.unprotected += 3600 * 24;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_true(record_of(&f, "u0")->unprotected <= clock_wall_ms() / 1000);
    fake_done(&f);
}

static void a_control_plane_node_lacks_nothing_once_it_takes_no_part(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 1);
    f.world.nodes[0].control_plane = true;
    f.world.nodes[0].blocked = "not-ready";
    f.settings.include_control_plane = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_true(record_of(&f, "u0")->unprotected > 0);
    f.settings.include_control_plane = false;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(record_of(&f, "u0")->unprotected, 0);
    assert_string_equal(record_of(&f, "u0")->reason, "control-plane");
    fake_done(&f);
}

static void an_excluded_node_lacks_nothing(void **state)
{
    struct report_counts counts;
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    f.world.nodes[0].blocked = "not-ready";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_true(record_of(&f, "u0")->unprotected > 0);
    f.world.nodes[0].excluded = f.world.nodes[1].excluded = "pod-node-selector";
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(record_of(&f, "u0")->unprotected, 0);
    assert_string_equal(record_of(&f, "u0")->reason, "pod-node-selector");
    counts = report_counts(f.report);
    assert_int_equal(counts.nodes, 2);
    assert_int_equal(counts.selected, 0);
    assert_int_equal(counts.registered, 1); /* what was registered before still opens there */
    fake_done(&f);
}

static void what_only_leaves_out_keeps_its_reason_and_gets_no_record(void **state)
{
    const char *only[] = {"node-0", NULL};
    struct fake f;

    (void)state;
    fake_init(&f, 3);
    f.world.nodes[1].blocked = "unschedulable";
    f.world.n_nodes = 2;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    f.world.n_nodes = 3;
    f.world.nodes[1].blocked = NULL;
    f.request.only = only;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(record_of(&f, "u1")->reason, "unschedulable");
    assert_null(fake_record(&f, "u2"));
    fake_done(&f);
}

static void an_unchanged_cluster_writes_no_record(void **state)
{
    struct fake f;
    int stores;

    (void)state;
    fake_init(&f, 4);
    f.world.nodes[1].blocked = "unschedulable";
    f.world.nodes[2].control_plane = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    stores = f.world.stores;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.stores, stores);
    fake_done(&f);
}

/* The second of two nodes waits for the first one's backup CAS, which is never Ready. */
static void cancel_once_both_are_queued(struct pass *pass, void *arg)
{
    if (turn_look(pass).open == 2)
        fake_cancel(arg);
}

static void a_node_whose_turn_never_came_is_remembered(void **state)
{
    struct fake f;
    const struct pass_view view = {.draw = cancel_once_both_are_queued, .arg = &f};

    (void)state;
    fake_init(&f, 2);
    f.settings.parallel = 1;
    f.world.nodes[0].spawn_hangs = true;
    f.view = &view;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_true(record_of(&f, "u1")->unprotected > 0);
    assert_int_equal(record_of(&f, "u1")->attempted, 0);
    assert_string_equal(record_of(&f, "u1")->reason, "new");
    fake_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_that_was_only_ever_skipped_has_a_record),
        cmocka_unit_test(a_node_is_unprotected_from_the_first_pass_on_that_sees_it),
        cmocka_unit_test(what_still_opens_there_is_no_lack_of_protection),
        cmocka_unit_test(a_lack_of_protection_that_is_to_come_begins_now),
        cmocka_unit_test(a_control_plane_node_lacks_nothing_once_it_takes_no_part),
        cmocka_unit_test(an_excluded_node_lacks_nothing),
        cmocka_unit_test(what_only_leaves_out_keeps_its_reason_and_gets_no_record),
        cmocka_unit_test(an_unchanged_cluster_writes_no_record),
        cmocka_unit_test(a_node_whose_turn_never_came_is_remembered),
    };

    log_init(CASB_ERROR + 1, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
