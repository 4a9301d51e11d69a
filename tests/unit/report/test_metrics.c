/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "report/metrics.h"

#include "base/cleanup.h"

#define LIMIT 65536

static const struct casb_pass sample_pass = {
    .started = 1000,
    .version = "1.2",
    .primary = "this",
    .min_registered = 2,
    .finished = 1090,
    .succeeded = 940,
    .duration_ms = 90007,
    .exit = 1,
    .registered = 3,
    .newly = 1,
    .kept = 2,
    .failed = 1,
    .absent = 4,
    .chain_not_after = 2000,
};

/* The metrics of some records, without comments. */
static char *write_metrics(const struct metrics_input *with, const struct casb_record *list,
                           size_t count)
{
    _cleanup_(buf_free) struct buf out = BUF_INIT(LIMIT);
    _cleanup_(buf_free) struct buf samples = BUF_INIT(LIMIT);
    _cleanup_(records_freep) struct records *records = NULL;
    struct metrics_input input = *with;
    char *rest, *line;

    assert_int_equal(records_new(&records, NULL), 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(records_add(records, &list[i], NULL), 0);
    input.records = records;
    input.primary = "this";
    assert_int_equal(metrics_write(&input, &out, NULL), 0);
    rest = out.data;
    while ((line = strsep(&rest, "\n")))
        if (*line && *line != '#')
            assert_int_equal(buf_printf(&samples, "%s\n", line), 0);
    return buf_take(&samples);
}

static const struct casb_record all_kinds[] = {
    {.uid = "u1",
     .name = "a",
     .source = "kubernetes",
     .status = CASB_REGISTERED,
     .primary = "this",
     .registered = 11},
    {.uid = "u2",
     .name = "b",
     .source = "static",
     .status = CASB_FAILED,
     .unprotected = 22,
     .attempts = 3,
     .reason = "retry",
     .error = "spawn: no \"image\""},
    {.uid = "u3", .name = "c", .status = CASB_REGISTERED, .primary = "this", .absent = 5},
};

static const char all_samples[] =
    "cas_backup_build_info{version=\"1.2\",abi=\"2\"} 1\n"
    "cas_backup_pass_last_start_timestamp_seconds 1000\n"
    "cas_backup_pass_last_completion_timestamp_seconds 1090\n"
    "cas_backup_pass_last_success_timestamp_seconds 940\n"
    "cas_backup_nodes_protected 1\n"
    "cas_backup_nodes_unprotected 1\n"
    "cas_backup_min_registered 2\n"
    "cas_backup_oldest_unprotected_timestamp_seconds 22\n"
    "cas_backup_primary_chain_not_after_timestamp_seconds 2000\n"
    "cas_backup_pass_duration_seconds 90.007\n"
    "cas_backup_pass_exit_status 1\n"
    "cas_backup_nodes{outcome=\"registered\"} 1\n"
    "cas_backup_nodes{outcome=\"kept\"} 2\n"
    "cas_backup_nodes{outcome=\"failed\"} 1\n"
    "cas_backup_nodes{outcome=\"skipped\"} 0\n"
    "cas_backup_nodes{outcome=\"absent\"} 4\n"
    "cas_backup_node_protected{node=\"a\",source=\"kubernetes\",uid=\"u1\"} 1\n"
    "cas_backup_node_protected{node=\"b\",source=\"static\",uid=\"u2\"} 0\n"
    "cas_backup_node_unprotected_since_timestamp_seconds"
    "{node=\"a\",source=\"kubernetes\",uid=\"u1\"} 0\n"
    "cas_backup_node_unprotected_since_timestamp_seconds"
    "{node=\"b\",source=\"static\",uid=\"u2\"} 22\n"
    "cas_backup_node_registered_timestamp_seconds"
    "{node=\"a\",source=\"kubernetes\",uid=\"u1\"} 11\n"
    "cas_backup_node_registered_timestamp_seconds"
    "{node=\"b\",source=\"static\",uid=\"u2\"} 0\n"
    "cas_backup_node_failed_attempts{node=\"a\",source=\"kubernetes\",uid=\"u1\"} 0\n"
    "cas_backup_node_failed_attempts{node=\"b\",source=\"static\",uid=\"u2\"} 3\n"
    "cas_backup_node_unprotected_reason"
    "{node=\"b\",source=\"static\",uid=\"u2\",reason=\"retry: spawn: no \\\"image\\\"\"} 1\n"
    "scone_cas_num_migratable_nodes{cr_name=\"cas\",cr_namespace=\"scone\"} 1\n"
    "scone_cas_migration_node_alert{cr_name=\"cas\",cr_namespace=\"scone\"} 1\n";

static void everything_has_its_name(void **state)
{
    const struct metrics_input with = {
        .last = &sample_pass, .per_node = true, .cr_name = "cas", .cr_namespace = "scone"};
    _cleanup_(freep) char *got = write_metrics(&with, all_kinds, ELEMENTS(all_kinds));

    (void)state;
    assert_string_equal(got, all_samples);
}

static void what_is_not_asked_for_is_not_written(void **state)
{
    static const struct casb_record list[] = {{.uid = "u1", .name = "a"}};
    const struct metrics_input with = {.last = &sample_pass};
    _cleanup_(freep) char *got = write_metrics(&with, list, ELEMENTS(list));

    (void)state;
    assert_null(strstr(got, "cas_backup_node_"));
    assert_null(strstr(got, "scone_"));
}

/* What a record says of its node, and the series that follow. */
static const struct {
    struct casb_record record;
    const char *protection, *reason; /* NULL: no such series */
} standings[] = {
    {{.status = CASB_REGISTERED, .primary = "this", .registered = 1}, "1", NULL},
    /* the last attempt failed, and the registration of before holds all the same */
    {{.status = CASB_FAILED, .primary = "this", .registered = 1, .error = "no"}, "1", NULL},
    {{.status = CASB_REGISTERED, .primary = "old", .registered = 1},
     "0",
     "registered with another primary"},
    {{.status = CASB_REGISTERED, .primary = "this", .registered = 1, .changed = 2},
     "0",
     "its hardware changed since"},
    {{.unprotected = 5, .reason = "unschedulable"}, "0", "unschedulable"},
    {{.unprotected = 5, .reason = "untolerated-taint (a\\b)"}, "0", "untolerated-taint (a\\\\b)"},
    {{.status = CASB_FAILED, .unprotected = 5, .reason = "retry", .error = "two\nlines"},
     "0",
     "retry: two lines"},
    /* begun by a pass that died */
    {{.spawned = 5}, "0", "never registered"},
    {{.reason = "control-plane"}, NULL, NULL},
    {{.reason = "pod-node-selector"}, NULL, NULL},
    {{.status = CASB_REGISTERED, .primary = "this", .registered = 1, .absent = 2}, NULL, NULL},
    {{.unprotected = 5, .absent = 2}, NULL, NULL},
};

static void a_node_is_protected_or_not_or_takes_no_part(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS(standings); i++) {
        const struct metrics_input with = {.last = &sample_pass, .per_node = true};
        struct casb_record record = standings[i].record;
        _cleanup_(freep) char *got = NULL;
        char want[256];

        record.uid = record.name = "n";
        got = write_metrics(&with, &record, 1);
        snprintf(want, sizeof want,
                 "cas_backup_node_protected{node=\"n\",source=\"\",uid=\"n\"} %s\n",
                 standings[i].protection ? standings[i].protection : "");
        assert_int_equal(strstr(got, want) != NULL, standings[i].protection != NULL);
        assert_int_equal(strstr(got, "cas_backup_node_protected{") != NULL,
                         standings[i].protection != NULL);
        snprintf(want, sizeof want, ",reason=\"%s\"} 1\n",
                 standings[i].reason ? standings[i].reason : "");
        assert_int_equal(strstr(got, want) != NULL, standings[i].reason != NULL);
        assert_int_equal(strstr(got, "reason=") != NULL, standings[i].reason != NULL);
    }
}

static void a_machine_with_two_nodes_protects_once(void **state)
{
    static const struct casb_record list[] = {
        {.uid = "u1",
         .name = "a",
         .primary = "this",
         .registered = 1,
         .machine.boot = {CASB_BOOT_ID, "one"}},
        {.uid = "u2",
         .name = "b",
         .primary = "this",
         .registered = 2,
         .machine.boot = {CASB_BOOT_ID, "one"}},
    };
    const struct metrics_input with = {.last = &sample_pass};
    _cleanup_(freep) char *got = write_metrics(&with, list, ELEMENTS(list));

    (void)state;
    assert_non_null(strstr(got, "cas_backup_nodes_protected 1\n"));
    assert_non_null(strstr(got, "cas_backup_nodes_unprotected 0\n"));
}

static void the_oldest_unprotected_node_is_named_by_its_time(void **state)
{
    static const struct casb_record list[] = {
        {.uid = "u1", .name = "a", .unprotected = 30},
        {.uid = "u2", .name = "b", .unprotected = 20},
        {.uid = "u3", .name = "c", .unprotected = 10, .absent = 15},
        {.uid = "u4", .name = "d", .spawned = 5},
    };
    const struct metrics_input with = {.last = &sample_pass};
    _cleanup_(freep) char *got = write_metrics(&with, list, ELEMENTS(list));

    (void)state;
    assert_non_null(strstr(got, "cas_backup_oldest_unprotected_timestamp_seconds 20\n"));
}

static void before_the_first_end_of_a_pass_there_is_no_end(void **state)
{
    const struct metrics_input with = {
        .last = &(struct casb_pass){.started = 7}, .cr_name = "cas", .cr_namespace = "scone"};
    _cleanup_(freep) char *got = write_metrics(&with, NULL, 0);

    (void)state;
    assert_non_null(strstr(got, "cas_backup_pass_last_start_timestamp_seconds 7\n"));
    assert_non_null(strstr(got, "cas_backup_pass_last_success_timestamp_seconds 0\n"));
    assert_null(strstr(got, "cas_backup_pass_exit_status"));
    assert_null(strstr(got, "cas_backup_pass_duration_seconds"));
    assert_non_null(strstr(got, "scone_cas_migration_node_alert{cr_name=\"cas\","
                                "cr_namespace=\"scone\"} -1\n"));
}

static void metrics_are_known_by_their_beginning(void **state)
{
    static const char *const others[] = {
        "",
        "# HELP cas_backup",
        "# HELP node_load1 1m load average.\n",
        "# TYPE cas_backup_nodes gauge\n",
        "cas_backup_nodes 1\n",
        "{\"version\":1,\"records\":{}}",
    };
    _cleanup_(records_freep) struct records *records = NULL;

    (void)state;
    assert_int_equal(records_new(&records, NULL), 0);
    for (int passes = 0; passes < 2; passes++) {
        const struct casb_pass none = {0};
        const struct metrics_input input = {.last = passes ? &sample_pass : &none,
                                            .records = records};
        _cleanup_(buf_free) struct buf out = BUF_INIT(LIMIT);

        assert_int_equal(metrics_write(&input, &out, NULL), 0);
        assert_true(metrics_is_begin(out.data));
    }
    for (size_t i = 0; i < ELEMENTS(others); i++)
        if (metrics_is_begin(others[i]))
            fail_msg("%s", others[i]);
}

static void a_text_that_passes_the_limit_is_an_error(void **state)
{
    _cleanup_(buf_free) struct buf out = BUF_INIT(500);
    _cleanup_(records_freep) struct records *records = NULL;
    struct metrics_input input = {.last = &sample_pass};
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(records_new(&records, NULL), 0);
    input.records = records;
    assert_int_equal(metrics_write(&input, &out, &err), CASB_EINVALID);
    assert_string_equal(err.text, "the metrics have more than 500 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_has_its_name),
        cmocka_unit_test(what_is_not_asked_for_is_not_written),
        cmocka_unit_test(a_node_is_protected_or_not_or_takes_no_part),
        cmocka_unit_test(a_machine_with_two_nodes_protects_once),
        cmocka_unit_test(the_oldest_unprotected_node_is_named_by_its_time),
        cmocka_unit_test(before_the_first_end_of_a_pass_there_is_no_end),
        cmocka_unit_test(metrics_are_known_by_their_beginning),
        cmocka_unit_test(a_text_that_passes_the_limit_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
