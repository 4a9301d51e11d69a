/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/text.h"
#include "report/coverage.h"

static struct records *sample_records(void)
{
    static const struct casb_record list[] = {
        {.uid = "u1", .name = "a", .status = CASB_REGISTERED, .primary = "this", .registered = 11},
        {.uid = "u2", .name = "b", .status = CASB_REGISTERED, .primary = "old", .registered = 12},
        {.uid = "u3", .name = "c", .status = CASB_FAILED, .attempted = 13},
        {.uid = "u4", .name = "d", .status = CASB_REGISTERED, .primary = "this", .registered = 14},
        {.uid = "u5", .name = "d", .status = CASB_REGISTERED, .primary = "this", .registered = 15},
        {.uid = "u6",
         .name = "e",
         .status = CASB_REGISTERED,
         .primary = "this",
         .machine.boot = {CASB_BOOT_ID, "one"},
         .registered = 16},
        {.uid = "u7",
         .name = "f",
         .status = CASB_REGISTERED,
         .primary = "this",
         .machine.boot = {CASB_BOOT_ID, "one"},
         .registered = 17},
    };
    struct records *records;

    assert_int_equal(records_new(&records, NULL), 0);
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        assert_int_equal(records_add(records, &list[i], NULL), 0);
    return records;
}

static struct report *sample_report(bool holds)
{
    struct report *report;

    assert_int_equal(report_new("i", "this", &report, NULL), 0);
    report_add(report, &(struct report_node){"s", "a", "u1", REPORT_KEPT, "", NULL, 0, holds});
    report_add(report,
               &(struct report_node){"s", "new", "u9", REPORT_PLANNED, "new", NULL, 0, false});
    return report;
}

struct want {
    const char *name;
    bool opens;
    int64_t since;
    const char *reason;
};

static void check(const char *const *names, bool holds, const struct want *want, size_t count,
                  size_t opens)
{
    struct records *records = sample_records();
    struct report *report = sample_report(holds);
    struct plugins plugins = {.primary.id = "this"};
    struct coverage coverage = {0};

    assert_int_equal(coverage_make(records, report, &plugins, names, &coverage, NULL), 0);
    assert_int_equal(coverage.count, count);
    assert_int_equal(coverage.opens, opens);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(coverage.rows[i].name, want[i].name);
        assert_int_equal(coverage.rows[i].opens, want[i].opens);
        assert_int_equal(coverage.rows[i].since_s, want[i].since);
        if (want[i].reason)
            assert_string_equal(coverage.rows[i].reason, want[i].reason);
        else
            assert_null(coverage.rows[i].reason);
    }
    coverage_done(&coverage);
    report_free(report);
    records_free(records);
}

static void without_names_the_scanned_nodes_answer(void **state)
{
    static const struct want want[] = {{"a", true, 11, NULL}, {"new", false, 0, "unknown"}};

    (void)state;
    check(NULL, true, want, 2, 1);
}

static void a_node_that_changed_does_not_open(void **state)
{
    static const struct want want[] = {{"a", false, 11, "its hardware changed since"}};

    (void)state;
    check((const char *const[]){"a", NULL}, false, want, 1, 0);
}

static void nodes_that_are_away_answer_by_their_records(void **state)
{
    static const struct want want[] = {
        {"b", false, 12, "registered with another primary"},
        {"c", false, 0, "registration failed"},
        {"nobody", false, 0, "unknown"},
        {"a", true, 11, NULL},
    };

    (void)state;
    check((const char *const[]){"u2", "c", "nobody", "a", NULL}, true, want, 4, 1);
}

static void without_a_primary_no_database_opens(void **state)
{
    const struct casb_record record = {.registered = 1, .primary = "this"};

    (void)state;
    assert_null(coverage_reason(&record, "this"));
    assert_string_equal(coverage_reason(&record, "other"), "registered with another primary");
    assert_string_equal(coverage_reason(&record, ""), "it is unknown which primary is meant");
}

static void every_machine_of_a_name_gets_a_row(void **state)
{
    static const struct want want[] = {{"d", true, 14, NULL}, {"d", true, 15, NULL}};

    (void)state;
    check((const char *const[]){"d", NULL}, true, want, 2, 2);
}

/* "d" comes back as another machine, of which the records alone tell. */
static void a_name_means_the_machine_that_is_there_now(void **state)
{
    static const struct casb_record list[] = {
        {.uid = "v1", .name = "d", .primary = "this", .registered = 1, .absent = 9},
        {.uid = "v2", .name = "d", .status = CASB_FAILED, .attempted = 2},
        {.uid = "v3", .name = "e", .primary = "this", .registered = 3, .absent = 9},
        {.uid = "v4", .name = "e", .primary = "this", .registered = 4, .absent = 9},
        {.uid = "d", .name = "f", .primary = "this", .registered = 5, .absent = 9},
    };
    static const struct {
        const char *name, *uids[3];
        size_t opens;
    } cases[] = {
        {"d", {"d", "v2"}, 1}, {"v1", {"v1"}, 1}, {"e", {"v3", "v4"}, 2},
        {"f", {"d"}, 1},       {"v2", {"v2"}, 0}, {"g", {NULL}, 0},
    };
    _cleanup_(records_freep) struct records *records = NULL;
    struct plugins plugins = {.primary.id = "this"};

    (void)state;
    assert_int_equal(records_new(&records, NULL), 0);
    for (size_t i = 0; i < ELEMENTS(list); i++)
        assert_int_equal(records_add(records, &list[i], NULL), 0);
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        const char *const names[] = {cases[i].name, NULL};
        struct coverage coverage = {0};

        assert_int_equal(coverage_make(records, NULL, &plugins, names, &coverage, NULL), 0);
        assert_int_equal(coverage.opens, cases[i].opens);
        for (size_t j = 0; j < coverage.count; j++)
            if (!text_equal(coverage.rows[j].uid, cases[i].uids[j]))
                fail_msg("'%s' means '%s'", cases[i].name, coverage.rows[j].uid);
        assert_null(cases[i].uids[coverage.count]);
        coverage_done(&coverage);
    }
}

static void one_machine_under_two_names_counts_once(void **state)
{
    static const struct want want[] = {{"f", true, 17, NULL}, {"e", true, 16, NULL}};

    (void)state;
    check((const char *const[]){"f", "e", NULL}, true, want, 2, 1);
}

static void a_machine_that_is_named_twice_counts_once(void **state)
{
    static const struct want want[] = {{"a", true, 11, NULL}, {"d", true, 14, NULL}};

    (void)state;
    check((const char *const[]){"a", "u4", "u1", "a", "u4", NULL}, true, want, 2, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_names_the_scanned_nodes_answer),
        cmocka_unit_test(a_node_that_changed_does_not_open),
        cmocka_unit_test(nodes_that_are_away_answer_by_their_records),
        cmocka_unit_test(without_a_primary_no_database_opens),
        cmocka_unit_test(every_machine_of_a_name_gets_a_row),
        cmocka_unit_test(a_name_means_the_machine_that_is_there_now),
        cmocka_unit_test(one_machine_under_two_names_counts_once),
        cmocka_unit_test(a_machine_that_is_named_twice_counts_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
