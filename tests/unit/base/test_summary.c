/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/jsonx.h"
#include "base/summary.h"

/* 2026-11-25T12:00:00Z */
#define NOON INT64_C(1795608000)

static const struct casb_pass full = {
    .started = NOON,
    .version = "1.0",
    .address = "mycas",
    .primary = "0a1b",
    .release = "register-backup",
    .min_registered = 2,
    .finished = NOON + 1,
    .succeeded = NOON + 2,
    .duration_ms = 1250,
    .exit = 143,
    .nodes = 10,
    .selected = 9,
    .registered = 8,
    .newly = 7,
    .kept = 6,
    .failed = 5,
    .skipped = 4,
    .absent = 3,
    .chain_not_after = NOON + 3,
};

static const char full_text[] =
    "{\"release\":\"register-backup\",\"version\":\"1.0\",\"address\":\"mycas\","
    "\"primary\":\"0a1b\",\"started\":\"2026-11-25T12:00:00Z\","
    "\"finished\":\"2026-11-25T12:00:01Z\",\"succeeded\":\"2026-11-25T12:00:02Z\","
    "\"chain_not_after\":\"2026-11-25T12:00:03Z\",\"duration_ms\":1250,\"exit\":143,\"nodes\":10,"
    "\"selected\":9,\"registered\":8,\"newly\":7,\"kept\":6,\"failed\":5,\"skipped\":4,"
    "\"absent\":3,\"min_registered\":2}";

static void every_member_has_its_key_and_comes_back(void **state)
{
    _cleanup_(freep) char *text = NULL, *again = NULL;
    json_auto_t *json = NULL;
    struct casb_pass pass;

    (void)state;
    assert_int_equal(summary_to_text(&full, &text, NULL), 0);
    assert_string_equal(text, full_text);
    assert_int_equal(jsonx_parse(text, strlen(text), NULL, &json, NULL), 0);
    summary_from_json(json, &pass);
    assert_int_equal(summary_to_text(&pass, &again, NULL), 0);
    assert_string_equal(again, full_text);
}

static void what_is_damaged_is_unknown(void **state)
{
    static const char *const rows[] = {
        "{\"started\":1,\"exit\":\"0\",\"version\":[],\"nodes\":-1,\"finished\":\"soon\"}",
        "{\"of\":\"tomorrow\"}",
        "[]",
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        json_auto_t *json = NULL;
        struct casb_pass pass = full, none = {0};

        assert_int_equal(jsonx_parse(rows[i], strlen(rows[i]), NULL, &json, NULL), 0);
        summary_from_json(json, &pass);
        assert_memory_equal(&pass, &none, sizeof pass);
    }
}

static void what_is_no_utf_8_is_an_error(void **state)
{
    const struct casb_pass pass = {.release = "\xff"};
    char *text = NULL;

    (void)state;
    assert_int_equal(summary_to_text(&pass, &text, NULL), CASB_EINVALID);
    assert_null(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_has_its_key_and_comes_back),
        cmocka_unit_test(what_is_damaged_is_unknown),
        cmocka_unit_test(what_is_no_utf_8_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
