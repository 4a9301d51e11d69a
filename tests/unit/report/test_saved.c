/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/file.h"
#include "report/coverage.h"
#include "report/saved.h"

#include <stdlib.h>
#include <unistd.h>

#define PASS "\"pass\": {\"primary\": \"p1\", \"address\": \"mycas\", \"min_registered\": 2}"

/* Loads a file with that text. */
static int load(const char *text, struct records **ret, struct plugins *plugins, int64_t *ret_min,
                struct casb_error *err)
{
    char path[] = "/tmp/saved.XXXXXX";
    int fd = mkstemp(path), r;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    r = saved_load(path, ret, &plugins->primary, ret_min, err);
    unlink(path);
    return r;
}

static void the_records_answer_by_themselves(void **state)
{
    static const char text[] =
        "{" PASS ", \"nodes\": ["
        "{\"uid\": \"u1\", \"name\": \"a\", \"status\": \"registered\", \"primary\": \"p1\","
        " \"release\": \"r\", \"registered\": \"2026-11-25T16:12:58Z\"},"
        "{\"uid\": \"u2\", \"name\": \"b\", \"status\": \"registered\", \"primary\": \"p2\","
        " \"registered\": \"2026-11-25T16:12:58Z\"},"
        "{\"uid\": \"u3\", \"name\": \"c\", \"status\": \"registered\", \"primary\": \"p1\","
        " \"registered\": \"2026-11-25T16:12:58Z\", \"absent\": \"2026-11-26T16:12:58Z\"},"
        "{\"uid\": \"u4\", \"name\": \"d\", \"status\": \"none\"}]}";
    static const struct {
        const char *names[3];
        size_t count, opens;
    } rows[] = {{{NULL}, 3, 1}, {{"a", "c"}, 2, 2}, {{"u1", "b"}, 2, 1}, {{"d", "nobody"}, 2, 0}};
    _cleanup_(records_freep) struct records *records = NULL;
    struct plugins plugins = {0};
    int64_t wanted;

    (void)state;
    assert_int_equal(load(text, &records, &plugins, &wanted, NULL), 0);
    assert_int_equal(wanted, 2);
    assert_string_equal(plugins.primary.address, "mycas");
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        struct coverage coverage = {0};

        assert_int_equal(coverage_make(records, NULL, &plugins, rows[i].names, &coverage, NULL), 0);
        assert_int_equal(coverage.count, rows[i].count);
        assert_int_equal(coverage.opens, rows[i].opens);
        for (size_t k = 0; k < coverage.count; k++)
            assert_int_equal(coverage.rows[k].current, coverage.rows[k].opens);
        coverage_done(&coverage);
    }
}

static void what_is_something_else_is_refused(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"[]", "it is not what `status -o json` prints"},
        {"{" PASS "}", "it is not what `status -o json` prints"},
        {"{\"nodes\": []}", "it is not what `status -o json` prints"},
        {"{" PASS ", \"nodes\": [{\"name\": \"a\"}]}", "a node has no uid"},
        {"{" PASS ", \"nodes\": [{\"uid\": \"../a\"}]}", "a node has no uid"},
        {"{" PASS ", \"nodes\": [{\"uid\": \"a\", \"registered\": 1}]}", "node 'a'"},
        {"{" PASS ", \"nodes\": [", "--records: "},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        struct plugins plugins = {0};
        struct casb_error err = {0};
        struct records *records = NULL;
        int64_t wanted;

        assert_int_equal(load(rows[i].text, &records, &plugins, &wanted, &err), CASB_EINVALID);
        assert_null(records);
        if (!strstr(err.text, rows[i].want))
            fail_msg("row %zu: %s", i, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_records_answer_by_themselves),
        cmocka_unit_test(what_is_something_else_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
