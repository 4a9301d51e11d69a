/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "report/conclusion.h"

/* A node for each letter: how it fares. Lower case: it holds no valid registration. */
static struct report *made_of(const char *letters)
{
    struct report *report;

    assert_int_equal(report_new("mycas", "abc", &report, NULL), 0);
    for (size_t i = 0; letters[i]; i++) {
        const char name[] = {'n', (char)('0' + i), '\0'};
        struct report_node node = {"static", name, name, REPORT_SKIPPED, "unschedulable"};

        node.holds = letters[i] >= 'A' && letters[i] <= 'Z';
        if (letters[i] == 'F' || letters[i] == 'f') {
            node.outcome = REPORT_FAILED;
            node.message = "no\nanswer";
        } else if (letters[i] == 'R') {
            node.outcome = REPORT_REGISTERED;
        } else if (letters[i] == 'c') {
            node.unselected = true;
        }
        report_add(report, &node);
    }
    return report;
}

static void the_worst_node_is_named_with_its_reason(void **state)
{
    static const struct {
        const char *letters, *want; /* "": no node is worth a word */
    } rows[] = {
        {"", ""},
        {"RRc", ""},
        {"S", "; node 'n0' skipped: unschedulable"},
        {"Ss", "; node 'n1' skipped: unschedulable"},
        {"sF", "; node 'n1' failed: no answer"},
        {"sFf", "; node 'n2' failed: no answer"},
        {"fRfsf", "; node 'n0' (and 2 more) failed: no answer"},
    };
    char line[CONCLUSION_BYTES];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        _cleanup_(report_freep) struct report *report = made_of(rows[i].letters);
        const char *absent = " absent";

        conclusion_write(line, 1, 1, report, NULL);
        assert_string_equal(strstr(line, absent) + strlen(absent), rows[i].want);
    }
}

static void the_exit_status_and_the_counts_are_said(void **state)
{
    _cleanup_(report_freep) struct report *report = made_of("Rf");
    char line[CONCLUSION_BYTES];

    (void)state;
    assert_string_equal(conclusion_write(line, 1, 1, report, NULL),
                        "exit status 1: at least one registration failed; 2 nodes, 2 selected: 1 "
                        "registered (1 new, 0 kept), 1 failed, 0 skipped, 0 absent; node 'n1' "
                        "failed: no answer");
}

static void what_fail_on_leaves_out_is_said(void **state)
{
    char line[CONCLUSION_BYTES];

    (void)state;
    assert_string_equal(conclusion_write(line, 0, 5, NULL, "lock: held"),
                        "exit status 0: another pass holds the lock (fail_on leaves that out): "
                        "lock: held");
}

static void a_pass_that_could_not_be_made_says_why(void **state)
{
    char line[CONCLUSION_BYTES];

    (void)state;
    assert_string_equal(conclusion_write(line, 3, 3, NULL, "lock: denied\n"),
                        "exit status 3: the pass could not be made: lock: denied");
    assert_string_equal(conclusion_write(line, 143, 143, NULL, NULL),
                        "exit status 143: it was ended by a signal");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_node_is_named_with_its_reason),
        cmocka_unit_test(the_exit_status_and_the_counts_are_said),
        cmocka_unit_test(what_fail_on_leaves_out_is_said),
        cmocka_unit_test(a_pass_that_could_not_be_made_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
