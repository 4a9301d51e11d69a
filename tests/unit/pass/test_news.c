/* SPDX-License-Identifier: Apache-2.0 */
/* What sources are told of their nodes, and when. */
#include "unit/unit.h"

#include "fakes.h"
#include "log.h"
#include "pass/news.h"

/* One more pass: what it told, of all nodes. Static until the next one. */
static const char *news_of_pass(struct fake *f)
{
    f->world.news[0] = 0;
    assert_int_equal(fake_pass(f, PASS_RUN), 0);
    assert_int_equal(f->world.early_news, 0);
    return f->world.news;
}

static void what_becomes_of_a_node_is_told_once(void **state)
{
    struct fake f;

    (void)state;
    for (int sweeps = 0; sweeps < 2; sweeps++) {
        fake_init(&f, 1);
        if (!sweeps)
            fake_without_sweep(&f);
        assert_string_equal(news_of_pass(&f), "node-0 registered: new (1)\n");
        assert_string_equal(news_of_pass(&f), "");

        f.world.nodes[0].boot_id = "another";
        assert_string_equal(news_of_pass(&f), "node-0 changed: boot-id-changed (1)\n"
                                              "node-0 registered: boot-id-changed (1)\n");
        f.world.nodes[0].boot_id = "a third";
        f.world.nodes[0].blocked = "unschedulable";
        assert_string_equal(news_of_pass(&f), "node-0 changed: unschedulable (1)\n");
        assert_string_equal(news_of_pass(&f), "");
        f.world.nodes[0].blocked = "not-ready";
        assert_string_equal(news_of_pass(&f), "node-0 unprotected: not-ready (1)\n");
        f.world.nodes[0].blocked = NULL;
        f.world.nodes[0].register_fails = true;
        assert_string_equal(news_of_pass(&f), "node-0 failed: register: TCB out of date (1)\n");
        fake_done(&f);
    }
}

static void a_node_that_is_never_tried_is_told_of(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    f.world.nodes[0].blocked = "no-sgx-resource";
    f.world.nodes[1].control_plane = true;
    assert_string_equal(news_of_pass(&f), "node-0 unprotected: no-sgx-resource (1)\n");
    assert_string_equal(news_of_pass(&f), "");
    fake_done(&f);
}

static void a_failure_that_repeats_is_told_every_half_hour(void **state)
{
    struct fake f;
    int64_t since;

    (void)state;
    fake_init(&f, 1);
    f.world.nodes[0].register_fails = true;
    assert_string_equal(news_of_pass(&f), "node-0 failed: register: TCB out of date (1)\n");
    assert_string_equal(news_of_pass(&f), "");
    since = fake_record(&f, "u0")->r.told -= 29 * 60;
    assert_string_equal(news_of_pass(&f), "");
    assert_int_equal(fake_record(&f, "u0")->r.told, since);
    fake_record(&f, "u0")->r.told -= 60;
    assert_string_equal(news_of_pass(&f), "node-0 failed: register: TCB out of date (4)\n");
    assert_string_equal(news_of_pass(&f), "");
    f.world.nodes[0].register_fails = false;
    assert_string_equal(news_of_pass(&f), "node-0 registered: retry (1)\n");
    assert_int_equal(fake_record(&f, "u0")->r.told, 0);
    fake_done(&f);
}

static void when_a_failure_is_due(void **state)
{
    static const struct {
        uint32_t attempts;
        int64_t told, attempted;
        bool due;
    } rows[] = {
        {1, 0, 5000, true},
        {1, 4999, 5000, true},
        {2, 4999, 5000, false},
        {2, 5000, 5000, false},
        {9, 0, 5000, true},
        {9, 5000, 6799, false},
        {9, 5000, 6800, true},
        {9, 5000, 4990, false}, /* two clocks differ a little */
        {9, 5000 + 86400, 5000, true},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        const struct casb_record record = {
            .attempts = rows[i].attempts, .told = rows[i].told, .attempted = rows[i].attempted};

        assert_int_equal(news_is_due(&record), rows[i].due);
    }
}

static void what_is_not_written_is_not_told(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    f.world.nodes[1].blocked = "unschedulable";
    f.world.store_fails = true;
    assert_int_not_equal(fake_pass(&f, PASS_RUN), 0);
    assert_string_equal(f.world.news, "");
    assert_int_equal(f.world.settles, 0);
    fake_done(&f);
}

static void a_dropped_node_is_told_of(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    (void)news_of_pass(&f);
    f.settings.absent_after_ns = 0;
    f.world.n_nodes = 1;
    assert_string_equal(news_of_pass(&f), "node-1 dropped (1)\n");
    fake_done(&f);
}

static void what_is_shown_is_brought_in_line_after_each_complete_scan(void **state)
{
    const char *only[] = {"node-0", NULL};
    struct fake f;

    (void)state;
    fake_init(&f, 4);
    f.world.nodes[2].register_fails = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.protected, 3);
    f.request.only = only; /* what is left out stays protected */
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.protected, 3);
    f.request.only = NULL;
    f.world.nodes[0].blocked = f.world.nodes[1].blocked = "unschedulable";
    f.world.nodes[1].boot_id = "another";  /* it has lost what it held */
    f.world.nodes[3].control_plane = true; /* and this one takes no part any more */
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.protected, 1);
    f.world.n_nodes = 0; /* one that is not selected is protected no more */
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(f.world.protected, 0);
    assert_int_equal(f.world.settles, 4);

    f.world.scan_fails = true;
    assert_int_not_equal(fake_pass(&f, PASS_RUN), 0);
    f.world.scan_fails = false;
    assert_int_equal(fake_pass(&f, PASS_PLAN), 0);
    assert_int_equal(fake_pass(&f, PASS_CLEANUP), 0);
    assert_int_equal(f.world.settles, 4);
    fake_done(&f);
}

static void only_a_cleanup_that_is_for_it_fails_by_it(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, 2);
    f.world.deaf = true;
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    assert_int_equal(report_counts(f.report).registered, 2);
    f.request.label = true;
    assert_int_equal(fake_pass(&f, PASS_CLEANUP), CASB_EDENIED);
    assert_string_equal(f.err.text, "source 'fake': nobody may look");
    f.world.deaf = false;
    assert_int_equal(fake_pass(&f, PASS_CLEANUP), 0);
    assert_int_equal(f.world.settles, 3);
    assert_int_equal(f.world.protected, 0);
    fake_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_becomes_of_a_node_is_told_once),
        cmocka_unit_test(a_node_that_is_never_tried_is_told_of),
        cmocka_unit_test(a_failure_that_repeats_is_told_every_half_hour),
        cmocka_unit_test(when_a_failure_is_due),
        cmocka_unit_test(what_is_not_written_is_not_told),
        cmocka_unit_test(a_dropped_node_is_told_of),
        cmocka_unit_test(what_is_shown_is_brought_in_line_after_each_complete_scan),
        cmocka_unit_test(only_a_cleanup_that_is_for_it_fails_by_it),
    };

    log_init(CASB_ERROR + 1, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
