/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "pass/selection.h"

static const struct casb_node a = {.uid = "u-a", .name = "a"}, b = {.uid = "u-b", .name = "b"};

static struct selection begin(const struct request *request)
{
    struct selection selection;

    assert_int_equal(selection_init(&selection, request, NULL), 0);
    return selection;
}

static void without_only_nobody_is_left_out(void **state)
{
    const char *none[] = {NULL};
    const struct request requests[] = {{0}, {.only = none}};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(requests); i++) {
        struct selection selection = begin(&requests[i]);

        assert_false(selection_leaves_out(&selection, &a));
        assert_false(selection_forces(&selection, &a));
        assert_int_equal(selection_check(&selection, NULL), 0);
        selection_done(&selection);
    }
}

static void a_node_is_named_by_its_name_or_uid(void **state)
{
    const char *only[] = {"a", NULL}, *force[] = {"x", "u-b", NULL};
    const struct request request = {.only = only, .force = force};
    struct selection selection = begin(&request);

    (void)state;
    assert_false(selection_leaves_out(&selection, &a));
    assert_true(selection_leaves_out(&selection, &b));
    assert_false(selection_forces(&selection, &a));
    assert_true(selection_forces(&selection, &b));
    selection_done(&selection);
}

static void all_is_everybody_and_no_name_that_can_be_missing(void **state)
{
    const char *all[] = {"all", NULL};
    const struct request request = {.force = all};
    struct selection selection = begin(&request);

    (void)state;
    assert_int_equal(selection_check(&selection, NULL), 0);
    assert_true(selection_forces(&selection, &a));
    selection_done(&selection);
}

static void a_name_that_no_node_has_is_refused_with_its_option(void **state)
{
    static const struct {
        const char *only, *force, *want;
    } rows[] = {
        {"a", NULL, ""},
        {"c", NULL, "--only: no source has a node 'c'"},
        {NULL, "u-a", ""},
        {NULL, "c", "--force: no source has a node 'c'"},
        {"c", "d", "--only: no source has a node 'c'"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        const char *only[] = {rows[i].only, NULL}, *force[] = {rows[i].force, NULL};
        const struct request request = {.only = only, .force = force};
        struct selection selection = begin(&request);
        struct casb_error err = {0};

        (void)selection_leaves_out(&selection, &a);
        (void)selection_forces(&selection, &a);
        assert_int_equal(selection_check(&selection, &err), rows[i].want[0] ? CASB_EINVALID : 0);
        assert_string_equal(err.text, rows[i].want);
        selection_done(&selection);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_only_nobody_is_left_out),
        cmocka_unit_test(a_node_is_named_by_its_name_or_uid),
        cmocka_unit_test(all_is_everybody_and_no_name_that_can_be_missing),
        cmocka_unit_test(a_name_that_no_node_has_is_refused_with_its_option),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
