/* SPDX-License-Identifier: Apache-2.0 */
/* Passes that share the nodes. */
#include "unit/unit.h"

#include "base/share.h"
#include "fakes.h"
#include "report/verdict.h"

#define NODES  12
#define SHARES 4

static int pass_of_share(struct fake *f, uint32_t index)
{
    f->settings.share = (struct casb_share){index, SHARES};
    return fake_pass(f, PASS_RUN);
}

static size_t nodes_of(uint32_t index)
{
    char uid[8];
    size_t count = 0;

    for (int i = 0; i < NODES; i++) {
        snprintf(uid, sizeof uid, "u%d", i);
        count += share_of(uid, SHARES) == index;
    }
    return count;
}

static void each_node_is_registered_once_by_its_share(void **state)
{
    struct fake f;
    size_t before = 0;

    (void)state;
    fake_init(&f, NODES);
    for (uint32_t i = 0; i < SHARES; i++) {
        assert_int_equal(pass_of_share(&f, i), 0);
        assert_int_equal(report_counts(f.report).new, nodes_of(i));
        assert_int_equal(report_counts(f.report).nodes, nodes_of(i));
        assert_int_equal(report_counts(f.report).elsewhere, before);
        before += nodes_of(i);
    }
    assert_int_equal(before, NODES);
    for (int i = 0; i < NODES; i++)
        assert_int_equal(f.world.nodes[i].spawned, 1);
    fake_done(&f);
}

static void too_few_is_judged_over_all_shares(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, NODES);
    f.settings.min_registered = NODES;
    for (uint32_t i = 0; i < SHARES; i++) {
        struct report_counts counts;

        assert_int_equal(pass_of_share(&f, i), 0);
        counts = report_counts(f.report);
        assert_int_equal(verdict_of_pass(&f.settings, NULL, &counts).status,
                         i + 1 < SHARES ? EXIT_TOO_FEW : EXIT_DONE);
    }
    assert_int_equal(f.world.pass.registered, NODES);
    fake_done(&f);
}

/* One that was registered with another primary, is absent, or is the same machine counts for none.
 */
static void only_machines_that_open_the_database_count_elsewhere(void **state)
{
    struct fake f;
    uint32_t own = share_of("u0", SHARES);
    int others = 0;

    (void)state;
    fake_init(&f, NODES);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    for (int i = 1; i < NODES; i++) {
        struct casb_record *r = &fake_record(&f, f.world.nodes[i].uid)->r;

        if (share_of(r->uid, SHARES) == own)
            continue;
        others++;
        if (others == 1)
            r->primary = "another";
        else if (others == 2)
            r->absent = 1;
        else if (others == 3)
            r->machine.boot = fake_record(&f, "u0")->r.machine.boot;
        else if (others == 4) /* of which LAS tells more */
            r->machine = (struct casb_machine){.las = {CASB_LAS_KEY, "KEY"},
                                               .boot = fake_record(&f, "u0")->r.machine.boot};
    }
    assert_true(others > 4);
    assert_int_equal(pass_of_share(&f, own), 0);
    assert_int_equal(report_counts(f.report).elsewhere, others - 4);
    fake_done(&f);
}

static void only_the_shares_own_nodes_are_absent(void **state)
{
    struct fake f;
    uint32_t share = share_of("u11", SHARES);

    (void)state;
    fake_init(&f, NODES);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    f.world.n_nodes = NODES - 1;
    f.settings.absent_after_ns = 0;
    for (uint32_t i = 0; i < SHARES; i++) {
        if (i == share)
            continue;
        assert_int_equal(pass_of_share(&f, i), 0);
        assert_int_equal(report_counts(f.report).absent, 0);
    }
    assert_int_equal(f.world.drops, 0);
    assert_int_equal(pass_of_share(&f, share), 0);
    assert_int_equal(f.world.drops, 1);
    assert_null(fake_record(&f, "u11"));
    fake_done(&f);
}

static void only_the_shares_own_spawns_are_removed(void **state)
{
    struct fake f;
    uint32_t share = share_of("u3", SHARES);

    (void)state;
    fake_init(&f, NODES);
    fake_without_sweep(&f);
    assert_int_equal(fake_pass(&f, PASS_RUN), 0);
    fake_record(&f, "u3")->r.spawned = 1;
    f.world.nodes[3].removed = 0;
    assert_int_equal(pass_of_share(&f, (share + 1) % SHARES), 0);
    assert_int_equal(f.world.nodes[3].removed, 0);
    assert_int_equal(pass_of_share(&f, share), 0);
    assert_int_equal(f.world.nodes[3].removed, 1);
    fake_done(&f);
}

static void a_node_of_another_share_may_be_named(void **state)
{
    static const char *force[] = {"node-3", NULL}, *unknown[] = {"node-99", NULL};
    struct fake f;
    uint32_t share = share_of("u3", SHARES);

    (void)state;
    fake_init(&f, NODES);
    f.request.force = force;
    assert_int_equal(pass_of_share(&f, (share + 1) % SHARES), 0);
    assert_int_equal(f.world.nodes[3].spawned, 0);
    assert_int_equal(pass_of_share(&f, share), 0);
    assert_int_equal(f.world.nodes[3].spawned, 1);
    f.request.force = unknown;
    assert_int_equal(pass_of_share(&f, share), CASB_EINVALID);
    fake_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_node_is_registered_once_by_its_share),
        cmocka_unit_test(too_few_is_judged_over_all_shares),
        cmocka_unit_test(only_machines_that_open_the_database_count_elsewhere),
        cmocka_unit_test(only_the_shares_own_nodes_are_absent),
        cmocka_unit_test(only_the_shares_own_spawns_are_removed),
        cmocka_unit_test(a_node_of_another_share_may_be_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
