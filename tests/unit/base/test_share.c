/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "base/share.h"

#define NODES 10000

static char *uid_of(char out[static 40], unsigned i)
{
    snprintf(out, 40, "6b1ae4a4-0d58-4c35-9d0c-%012x", i);
    return out;
}

/* The figures come from another program: nodes must not move when this one changes. */
static void nodes_are_in_these_shares(void **state)
{
    static const uint32_t counts[] = {1, 2, 4, 10, 1000};
    static const struct {
        const char *uid;
        uint32_t want[ELEMENTS(counts)];
    } cases[] = {
        {"", {0, 1, 1, 1, 266}},       {"a", {0, 1, 2, 2, 163}},
        {"foobar", {0, 1, 1, 5, 635}}, {"6b1ae4a4-0d58-4c35-9d0c-2d4a0b6b4f0e", {0, 0, 3, 3, 558}},
        {"node-1", {0, 0, 3, 7, 981}},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++)
        for (size_t k = 0; k < ELEMENTS(counts); k++)
            assert_int_equal(share_of(cases[i].uid, counts[k]), cases[i].want[k]);
}

static void shares_are_of_about_one_size(void **state)
{
    size_t sizes[7] = {0};
    char uid[40];

    (void)state;
    for (unsigned i = 0; i < NODES; i++)
        sizes[share_of(uid_of(uid, i), ELEMENTS(sizes))]++;
    for (size_t i = 0; i < ELEMENTS(sizes); i++)
        assert_in_range(sizes[i], NODES / 7 * 9 / 10, NODES / 7 * 11 / 10);
}

static void with_one_share_more_nodes_move_to_it_only(void **state)
{
    size_t moved = 0;
    char uid[40];

    (void)state;
    for (unsigned i = 0; i < NODES; i++) {
        uint32_t before = share_of(uid_of(uid, i), 4), after = share_of(uid, 5);

        assert_true(after == before || after == 4);
        moved += after != before;
    }
    assert_in_range(moved, NODES / 5 * 9 / 10, NODES / 5 * 11 / 10);
}

static void a_node_is_in_one_share(void **state)
{
    static const struct casb_share none = {0}, all = {0, 1};
    char uid[40];

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        int found = 0;

        for (uint32_t k = 0; k < 3; k++)
            found += share_has(&(struct casb_share){k, 3}, uid_of(uid, i));
        assert_int_equal(found, 1);
        assert_true(share_has(&none, uid) && share_has(&all, uid));
    }
    assert_false(share_is_partial(&none) || share_is_partial(&all));
    assert_true(share_is_partial(&(struct casb_share){0, 2}));
}

static void shares_are_read(void **state)
{
    static const struct {
        const char *index, *count, *want; /* want: the error; NULL: none */
    } cases[] = {
        {"0", "1", NULL},
        {"3", "4", NULL},
        {"999", "1000", NULL},
        {"4", "4", "expected the number of a share from 0 to 3, got '4'"},
        {"-1", "4", "expected the number of a share from 0 to 3, got '-1'"},
        {"", "4", "expected the number of a share from 0 to 3, got ''"},
        {"1x", "4", "expected the number of a share from 0 to 3, got '1x'"},
        {"0", "0", "expected a number of shares from 1 to 1000, got '0'"},
        {"0", "1001", "expected a number of shares from 1 to 1000, got '1001'"},
        {"0", "99999999999999999999",
         "expected a number of shares from 1 to 1000, got '99999999999999999999'"},
        {"0", " 2", "expected a number of shares from 1 to 1000, got ' 2'"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct casb_share share = {7, 7};
        struct casb_error err = {0};
        int r = share_parse(cases[i].index, cases[i].count, &share, &err);

        assert_string_equal(err.text, cases[i].want ? cases[i].want : "");
        assert_int_equal(r, cases[i].want ? CASB_EINVALID : 0);
        assert_int_equal(share.count, r ? 7 : strtol(cases[i].count, NULL, 10));
        assert_int_equal(share.index, r ? 7 : strtol(cases[i].index, NULL, 10));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_are_in_these_shares),
        cmocka_unit_test(shares_are_of_about_one_size),
        cmocka_unit_test(with_one_share_more_nodes_move_to_it_only),
        cmocka_unit_test(a_node_is_in_one_share),
        cmocka_unit_test(shares_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
