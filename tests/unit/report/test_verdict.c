/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "report/verdict.h"

#define ALL "[\"failed\", \"too-few\", \"overdue\", \"locked\"]"

static struct verdict judge(const char *fail_on, const struct casb_error *err,
                            const struct report_counts *counts)
{
    json_auto_t *words = fail_on ? json_loads(fail_on, 0, NULL) : NULL;
    const struct settings settings = {.min_registered = 2, .fail_on = words};

    return verdict_of_pass(&settings, err, counts);
}

static void a_pass_ends_with_the_gravest_that_fail_on_names(void **state)
{
    static const struct {
        size_t registered, overdue, failed;
        const char *fail_on; /* NULL: not set */
        int status, found;
    } rows[] = {
        {2, 0, 0, NULL, EXIT_DONE, EXIT_DONE},
        {2, 0, 1, NULL, EXIT_NODE_FAILED, EXIT_NODE_FAILED},
        {2, 1, 1, NULL, EXIT_OVERDUE, EXIT_OVERDUE},
        {1, 1, 1, NULL, EXIT_TOO_FEW, EXIT_TOO_FEW},
        {1, 1, 1, ALL, EXIT_TOO_FEW, EXIT_TOO_FEW},
        {2, 0, 1, "[\"too-few\", \"overdue\"]", EXIT_DONE, EXIT_NODE_FAILED},
        {2, 1, 1, "[\"too-few\", \"overdue\"]", EXIT_OVERDUE, EXIT_OVERDUE},
        {1, 1, 1, "[\"failed\", \"overdue\"]", EXIT_OVERDUE, EXIT_OVERDUE},
        {1, 1, 1, "[\"failed\"]", EXIT_NODE_FAILED, EXIT_NODE_FAILED},
        {1, 1, 1, "[]", EXIT_DONE, EXIT_TOO_FEW},
        {2, 1, 1, "[\"locked\"]", EXIT_DONE, EXIT_OVERDUE},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        const struct report_counts counts = {
            .registered = rows[i].registered, .overdue = rows[i].overdue, .failed = rows[i].failed};
        const struct verdict verdict = judge(rows[i].fail_on, NULL, &counts);

        if (verdict.status != rows[i].status || verdict.found != rows[i].found)
            fail_msg("row %zu: %d, found %d", i, verdict.status, verdict.found);
        assert_int_equal(verdict.why[0] != 0, verdict.found != EXIT_DONE);
    }
}

static void an_error_ends_it_by_its_class(void **state)
{
    static const struct {
        int code;
        const char *fail_on;
        int status, found;
    } rows[] = {
        {CASB_EDENIED, "[]", EXIT_PASS_FAILED, EXIT_PASS_FAILED},
        {CASB_EINVALID, "[]", EXIT_USAGE, EXIT_USAGE},
        {CASB_ECONFLICT, NULL, EXIT_LOCKED, EXIT_LOCKED},
        {CASB_ECONFLICT, "[\"locked\"]", EXIT_LOCKED, EXIT_LOCKED},
        {CASB_ECONFLICT, "[\"too-few\"]", EXIT_DONE, EXIT_LOCKED},
    };
    const struct report_counts none = {0};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        const struct casb_error err = {.code = rows[i].code, .text = "why"};
        const struct verdict verdict = judge(rows[i].fail_on, &err, &none);

        assert_int_equal(verdict.status, rows[i].status);
        assert_int_equal(verdict.found, rows[i].found);
        assert_string_equal(verdict.why, "why");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pass_ends_with_the_gravest_that_fail_on_names),
        cmocka_unit_test(an_error_ends_it_by_its_class),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
