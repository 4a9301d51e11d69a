/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "base/identity.h"
#include "report/machines.h"

#define MOST 4

/* What identifies a node: "" where nothing does. */
struct node {
    const char *key, *boot;
};

/* Which node, counted from 1, each one is the same machine as; 0: none. */
static const struct {
    const char *what;
    struct node nodes[MOST];
    size_t same_as[MOST];
} rows[] = {
    {"different machines", {{"A", "1"}, {"B", "2"}, {"", "3"}, {"C", ""}}, {0, 0, 0, 0}},
    {"one key", {{"A", "1"}, {"A", "2"}, {"B", "3"}, {"", ""}}, {0, 1, 0, 0}},
    {"one boot ID", {{"", "1"}, {"", "1"}, {"", "1"}, {"", "2"}}, {0, 1, 1, 0}},
    {"nothing is known of either", {{"", ""}, {"", ""}, {"", ""}, {"", ""}}, {0, 0, 0, 0}},
    {"copies of one memory", {{"A", "1"}, {"B", "1"}, {"C", "1"}, {"D", "1"}}, {0, 0, 0, 0}},
    {"a key of one alone", {{"", "1"}, {"A", "1"}, {"", "1"}, {"B", ""}}, {2, 0, 2, 0}},
    {"a key and a boot ID", {{"A", "1"}, {"A", "2"}, {"", "2"}, {"", "1"}}, {0, 1, 1, 1}},
};

static void nodes_of_one_identity_are_one_machine(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        struct casb_machine known[MOST] = {0};
        struct machine machines[MOST];

        print_message("# %s\n", rows[i].what);
        for (size_t k = 0; k < MOST; k++) {
            (void)!identity_set(&known[k].las, CASB_LAS_KEY, rows[i].nodes[k].key);
            (void)!identity_set(&known[k].boot, CASB_BOOT_ID, rows[i].nodes[k].boot);
            machines[k] = machine_of("n", &known[k]);
        }
        assert_int_equal(machines_match(machines, MOST), 0);
        for (size_t k = 0; k < MOST; k++)
            assert_ptr_equal(machines[k].same_as,
                             rows[i].same_as[k] ? &machines[rows[i].same_as[k] - 1] : NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_of_one_identity_are_one_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
