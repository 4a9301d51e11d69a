/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/file.h"
#include "report/report.h"
#include "report/table.h"

static struct report *sample(void)
{
    static const struct report_node nodes[] = {
        {"kubernetes", "node-10", "u10", REPORT_REGISTERED, "new", NULL, 2.0004, true},
        {"kubernetes", "node-2", "u2", REPORT_FAILED, "retry",
         "ErrImagePull: \033[31mno, cut within \303", 1.5, false},
        {"kubernetes", "node-1", "u1", REPORT_KEPT, "", NULL, 0, true},
        {"static", "server-b", "ub", REPORT_SKIPPED, "unschedulable", NULL, 0, true},
        {"kubernetes", "master", "um", REPORT_SKIPPED, "control-plane", NULL, 0, false, NULL, true},
    };
    struct report *report;

    assert_int_equal(report_new("mycas", "abc", &report, NULL), 0);
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++)
        report_add(report, &nodes[i]);
    report_add_unselected(report, true);
    report_add_absent(report);
    report_finish(report, 1);
    return report;
}

static void counts_follow_the_outcomes(void **state)
{
    struct report *report = sample();
    struct report_counts c = report_counts(report);

    (void)state;
    assert_int_equal(c.nodes, 6);
    assert_int_equal(c.selected, 4);
    assert_int_equal(c.registered, 4);
    assert_int_equal(c.new, 1);
    assert_int_equal(c.kept, 1);
    assert_int_equal(c.failed, 1);
    assert_int_equal(c.skipped, 2);
    assert_int_equal(c.absent, 1);
    report_free(report);
}

static void json_has_every_member_and_nodes_in_natural_order(void **state)
{
    struct report *report = sample();
    json_t *json = report_json(report);
    const char *instance, *primary, *started, *finished, *name, *outcome, *message;
    int version, exit_status;
    double seconds;
    json_t *counts, *nodes;

    (void)state;
    assert_non_null(json);
    assert_int_equal(json_unpack_ex(json, NULL, JSON_STRICT,
                                    "{s:i, s:s, s:s, s:s, s:s, s:F, s:i, s:o, s:o}", "version",
                                    &version, "instance", &instance, "primary", &primary, "started",
                                    &started, "finished", &finished, "seconds", &seconds, "exit",
                                    &exit_status, "counts", &counts, "nodes", &nodes),
                     0);
    assert_int_equal(version, 1);
    assert_int_equal(exit_status, 1);
    assert_int_equal(strlen(started), strlen("2026-11-25T12:00:00.000Z"));
    assert_int_equal(json_array_size(nodes), 5);
    assert_string_equal(json_string_value(json_object_get(json_array_get(nodes, 3), "name")),
                        "node-10");
    assert_int_equal(json_unpack(json_array_get(nodes, 2), "{s:s, s:s, s:s, s:F}", "name", &name,
                                 "outcome", &outcome, "message", &message, "seconds", &seconds),
                     0);
    assert_string_equal(name, "node-2");
    assert_string_equal(outcome, "failed");
    assert_true(seconds > 1.49 && seconds < 1.51);
    assert_null(json_object_get(json_array_get(nodes, 1), "message"));
    json_decref(json);
    report_free(report);
}

/* What report_print() prints, in memory of the caller's. */
static char *printed(struct report *report, bool open_only)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_int_equal(report_print(report, open_only, out), 0);
    fclose(out);
    return text;
}

static void the_table_of_open_nodes_leaves_out_what_needs_no_care(void **state)
{
    struct report *report = sample();
    char *text = printed(report, true);

    (void)state;
    assert_string_equal(
        text, "NODE      SOURCE      OUTCOME  REASON         MESSAGE\n"
              "node-2    kubernetes  failed   retry          ErrImagePull: no, cut within ?\n"
              "server-b  static      skipped  unschedulable  -\n");
    free(text);
    report_free(report);
}

static void the_whole_table_has_every_node(void **state)
{
    struct report *report = sample();
    char *text = printed(report, false);

    (void)state;
    assert_non_null(strstr(text, "master"));
    assert_non_null(strstr(text, "node-1 "));
    assert_non_null(strstr(text, "node-10"));
    free(text);
    report_free(report);
}

static void an_empty_report_prints_no_table(void **state)
{
    struct report *report;
    char *text;

    (void)state;
    assert_int_equal(report_new("mycas", "abc", &report, NULL), 0);
    text = printed(report, false);
    assert_string_equal(text, "");
    free(text);
    report_free(report);
}

static void json_is_printed_with_seconds_as_people_write_them(void **state)
{
    struct report *report;
    const struct report_node node = {.source = "s",
                                     .name = "n",
                                     .uid = "u",
                                     .reason = "",
                                     .outcome = REPORT_REGISTERED,
                                     .seconds = 0.0514};
    char text[1024] = "";
    FILE *out = fmemopen(text, sizeof text, "w");

    (void)state;
    assert_int_equal(report_new("mycas", "abc", &report, NULL), 0);
    report_add(report, &node);
    assert_int_equal(report_print_json(report, out), 0);
    fclose(out);
    assert_non_null(strstr(text, "\"seconds\": 0.051\n"));
    report_free(report);
}

static void writing_names_the_path_that_fails(void **state)
{
    struct report *report = sample();
    struct casb_error err = {0};

    (void)state;
    assert_int_not_equal(report_write(report, "/nonexistent/report.json", &err), 0);
    assert_non_null(strstr(err.text, "/nonexistent"));
    report_free(report);
}

static void a_report_replaces_nothing_but_reports(void **state)
{
    static const struct {
        const char *text;
        int want;
    } rows[] = {
        {"", 0},
        {"{\n  \"version\": 1,\n  \"instance\": \"a\",\n", 0},
        {"{\n  \"version\": 12,\n  \"instance\": \"a\"", 0},
        {"{\"version\":1,\"records\":{}}", CASB_EINVALID},
        {"{\n  \"version\": \"1\",\n  \"instance\": \"a\"", CASB_EINVALID},
        {"{\n  \"version\": 1,\n", CASB_EINVALID},
        {"{\"default_cas\": \"c\", \"identity\": \"key\"}", CASB_EINVALID},
        {"discovery: []\n", CASB_EINVALID},
        {"\n", CASB_EINVALID},
    };
    struct report *report = sample();
    char path[] = "/tmp/test_report.XXXXXX";

    (void)state;
    close(mkstemp(path));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct casb_error err = {0};

        assert_int_equal(file_write(path, rows[i].text, strlen(rows[i].text), 0600, NULL), 0);
        if (report_check_path(path, &err) != rows[i].want)
            fail_msg("%s: %s", rows[i].text, err.text);
        /* it may have come there since it was asked */
        assert_int_equal(report_write(report, path, NULL), rows[i].want);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(report_write(report, path, NULL), 0);
    assert_int_equal(report_check_path(path, NULL), 0);
    assert_int_equal(report_check_path("/dev/full", NULL), 0);
    assert_int_equal(report_check_path("/tmp/none/here", NULL), 0);
    unlink(path);
    report_free(report);
}

static void what_registered_is_in_the_report_where_it_is_known(void **state)
{
    static const struct {
        struct casb_registrar registrar;
        const char *want;
    } rows[] = {
        {{"scone 6.0.3", 1635979782},
         "{\"plugin\": \"scone-cli\", \"version\": \"scone 6.0.3\","
         " \"chain_not_after\": \"2021-11-03T22:49:42Z\"}"},
        {{"a\033[31m\nb", 0}, "{\"plugin\": \"scone-cli\", \"version\": \"a b\"}"},
        {{"", 0}, "{\"plugin\": \"scone-cli\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct report *report = sample();
        json_t *want = json_loads(rows[i].want, 0, NULL), *json;

        report_set_registrar(report, "other", &rows[0].registrar);
        report_set_registrar(report, "scone-cli", &rows[i].registrar);
        json = report_json(report);
        assert_true(json_equal(json_object_get(json, "registration"), want));
        json_decref(want);
        json_decref(json);
        report_free(report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_follow_the_outcomes),
        cmocka_unit_test(json_has_every_member_and_nodes_in_natural_order),
        cmocka_unit_test(the_table_of_open_nodes_leaves_out_what_needs_no_care),
        cmocka_unit_test(the_whole_table_has_every_node),
        cmocka_unit_test(an_empty_report_prints_no_table),
        cmocka_unit_test(json_is_printed_with_seconds_as_people_write_them),
        cmocka_unit_test(writing_names_the_path_that_fails),
        cmocka_unit_test(a_report_replaces_nothing_but_reports),
        cmocka_unit_test(what_registered_is_in_the_report_where_it_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
