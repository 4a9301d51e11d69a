/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/error.h"
#include "discovery-kubernetes/selector.h"

#define LONG63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01234567890"

static int make(const char *selector, const char *labels, char **ret, struct casb_error *err)
{
    json_auto_t *tree = labels ? json_loads(labels, 0, NULL) : NULL;

    assert_true(!labels || tree);
    return selector_make(selector, tree, ret, err);
}

static void labels_become_a_selector(void **state)
{
    static const struct {
        const char *selector, *labels, *want;
    } cases[] = {
        {NULL, NULL, NULL},
        {"a!=b,c in (d)", NULL, "a!=b,c in (d)"},
        {NULL, "{}", NULL},
        {NULL, "{\"a\": \"b\"}", "a=b"},
        {NULL, "{\"las.scontain.com/capable\": \"true\", \"las.scontain.com/ok\": \"true\"}",
         "las.scontain.com/capable=true,las.scontain.com/ok=true"},
        {NULL, "{\"a\": \"\"}", "a="},
        {NULL, "{\"A_b.c-d\": \"" LONG63 "\"}", "A_b.c-d=" LONG63},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        _cleanup_(freep) char *got = NULL;

        assert_int_equal(make(cases[i].selector, cases[i].labels, &got, NULL), 0);
        if (cases[i].want)
            assert_string_equal(got, cases[i].want);
        else
            assert_null(got);
    }
}

/* Each of these, put together, would select other nodes than are meant, or every node. */
static void what_is_no_label_is_refused(void **state)
{
    static const struct {
        const char *selector, *labels, *text;
    } cases[] = {
        {"a", "{\"b\": \"c\"}",
         "selector_labels: selector (SELECTOR_LABEL) is set, too, "
         "and only one of them can be meant"},
        {"a", "{}",
         "selector_labels: selector (SELECTOR_LABEL) is set, too, "
         "and only one of them can be meant"},
        {NULL, "{\"\": \"b\"}", "selector_labels: '' is not a label's name"},
        {NULL, "{\"a,b\": \"c\"}", "selector_labels: 'a,b' is not a label's name"},
        {NULL, "{\"-a\": \"c\"}", "selector_labels: '-a' is not a label's name"},
        {NULL, "{\"a/b/c\": \"d\"}", "selector_labels: 'a/b/c' is not a label's name"},
        {NULL, "{\"/b\": \"d\"}", "selector_labels: '/b' is not a label's name"},
        {NULL, "{\"b/\": \"d\"}", "selector_labels: 'b/' is not a label's name"},
        {NULL, "{\"A/b\": \"d\"}", "selector_labels: 'A/b' is not a label's name"},
        {NULL, "{\"a\": true}", "selector_labels: the value of 'a' is not a label's"},
        {NULL, "{\"a\": 1}", "selector_labels: the value of 'a' is not a label's"},
        {NULL, "{\"a\": null}", "selector_labels: the value of 'a' is not a label's"},
        {NULL, "{\"a\": [\"b\"]}", "selector_labels: the value of 'a' is not a label's"},
        {NULL, "{\"a\": \"b,c\"}", "selector_labels: the value of 'a' is not a label's"},
        {NULL, "{\"a\": \"b \"}", "selector_labels: the value of 'a' is not a label's"},
        {NULL, "{\"a\": \"" LONG63 "x\"}", "selector_labels: the value of 'a' is not a label's"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct casb_error err = {0};
        char *got = NULL;

        assert_int_equal(make(cases[i].selector, cases[i].labels, &got, &err), CASB_EINVALID);
        assert_string_equal(err.text, cases[i].text);
        assert_null(got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_become_a_selector),
        cmocka_unit_test(what_is_no_label_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
