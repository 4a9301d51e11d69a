/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/jsonx.h"
#include "base/record.h"

/* 2026-11-25T12:00:00Z */
#define NOON INT64_C(1795608000)

static const struct casb_record full = {
    .uid = "6c1f",
    .name = "node-a",
    .source = "kubernetes",
    .status = CASB_FAILED,
    .primary = "0a1b",
    .release = "register-upgrade cas:6",
    .machine = {.las = {CASB_LAS_KEY, "A470"}, .boot = {CASB_BOOT_ID, "4d1e"}},
    .las_source = "pod/1@x",
    .las_none = true,
    .registered = NOON,
    .attempted = NOON + 1,
    .seen = NOON + 2,
    .spawned = NOON + 3,
    .changed = NOON + 4,
    .absent = NOON + 5,
    .missed = NOON + 6,
    .absent_s = 86400,
    .attempts = 4294967295,
    .unprotected = NOON + 7,
    .told = NOON + 8,
    .reason = "unschedulable",
    .error = "it failed",
};

static const char full_text[] =
    "{\"status\":\"failed\",\"name\":\"node-a\",\"source\":\"kubernetes\","
    "\"primary\":\"0a1b\",\"release\":\"register-upgrade "
    "cas:6\",\"las_source\":\"pod/1@x\",\"reason\":\"unschedulable\",\"error\":\"it failed\","
    "\"las_key\":\"A470\",\"boot_id\":\"4d1e\","
    "\"registered\":\"2026-11-25T12:00:00Z\","
    "\"attempted\":\"2026-11-25T12:00:01Z\","
    "\"seen\":\"2026-11-25T12:00:02Z\","
    "\"spawned\":\"2026-11-25T12:00:03Z\",\"changed\":\"2026-11-25T12:00:04Z\","
    "\"absent\":\"2026-11-25T12:00:05Z\",\"missed\":\"2026-11-25T12:00:06Z\","
    "\"unprotected\":\"2026-11-25T12:00:07Z\",\"told\":\"2026-11-25T12:00:08Z\","
    "\"las_none\":true,\"absent_s\":86400,\"attempts\":4294967295}";

static void assert_text(const struct casb_record *record, const char *want)
{
    json_auto_t *json = NULL;
    _cleanup_(freep) char *text = NULL;

    assert_int_equal(record_to_json(record, &json, NULL), 0);
    assert_int_equal(jsonx_dump(json, &text, NULL), 0);
    assert_string_equal(text, want);
}

static void every_member_has_its_key(void **state)
{
    (void)state;
    assert_text(&full, full_text);
}

static void what_is_unknown_is_left_out(void **state)
{
    (void)state;
    assert_text(&(struct casb_record){.uid = "x"}, "{}");
    assert_text(&(struct casb_record){.uid = "x", .las_source = "", .status = CASB_REGISTERED},
                "{\"status\":\"registered\",\"las_source\":\"\"}");
}

static void assert_same(const struct casb_record *a, const struct casb_record *b)
{
    assert_string_equal(a->uid, b->uid);
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->source, b->source);
    assert_int_equal(a->status, b->status);
    assert_string_equal(a->primary, b->primary);
    assert_string_equal(a->release, b->release);
    assert_memory_equal(&a->machine, &b->machine, sizeof a->machine);
    assert_string_equal(a->las_source, b->las_source);
    assert_int_equal(a->las_none, b->las_none);
    assert_int_equal(a->registered, b->registered);
    assert_int_equal(a->attempted, b->attempted);
    assert_int_equal(a->seen, b->seen);
    assert_int_equal(a->spawned, b->spawned);
    assert_int_equal(a->changed, b->changed);
    assert_int_equal(a->absent, b->absent);
    assert_int_equal(a->missed, b->missed);
    assert_int_equal(a->absent_s, b->absent_s);
    assert_int_equal(a->attempts, b->attempts);
    assert_int_equal(a->unprotected, b->unprotected);
    assert_int_equal(a->told, b->told);
    assert_string_equal(a->reason, b->reason);
    assert_string_equal(a->error, b->error);
}

static void a_record_comes_back_as_it_was(void **state)
{
    json_auto_t *json = json_loads(full_text, 0, NULL);
    struct casb_record record;

    (void)state;
    assert_int_equal(record_from_json("6c1f", json, &record, NULL), 0);
    assert_same(&record, &full);
}

static void an_empty_object_is_a_record_about_nothing(void **state)
{
    json_auto_t *json = json_object();
    struct casb_record record;

    (void)state;
    assert_int_equal(record_from_json("x", json, &record, NULL), 0);
    assert_int_equal(record.status, CASB_NONE);
    assert_null(record.name);
    assert_int_equal(record.attempts, 0);
}

static void a_mark_before_a_word_is_the_flag_of_today(void **state)
{
    static const struct {
        const char *json, *source;
        bool none;
    } rows[] = {
        {"{\"las_source\":\"!pod/1\",\"las_key\":\"A470\"}", "pod/1", true},
        {"{\"las_source\":\"pod/1\",\"las_none\":true}", "pod/1", true},
        {"{\"las_source\":\"pod/1\",\"las_none\":false}", "pod/1", false},
        {"{\"las_source\":\"pod/1!\"}", "pod/1!", false},
        {"{\"las_source\":\"\"}", "", false},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        json_auto_t *json = json_loads(rows[i].json, 0, NULL);
        struct casb_record record;

        assert_int_equal(record_from_json("x", json, &record, NULL), 0);
        assert_string_equal(record.las_source, rows[i].source);
        assert_int_equal(record.las_none, rows[i].none);
    }
}

#define LONG_16 "0123456789abcdef"
#define LONG_64 LONG_16 LONG_16 LONG_16 LONG_16
#define LONG    LONG_64 LONG_16 LONG_16 LONG_16 "0123456789abcde"

static const struct {
    const char *json, *want; /* the error's text; NULL: it is read */
} values[] = {
    {"{\"a key of tomorrow\":[1]}", NULL},
    {"{\"registered\":\"2026-11-25T13:00:00+01:00\"}", NULL},
    {"[]", "it is no JSON object"},
    {"{\"name\":1}", "its 'name' is damaged"},
    {"{\"error\":null}", "its 'error' is damaged"},
    {"{\"las_qe_id\":\"eee9\"}", NULL},
    {"{\"las_qe_id\":1}", "its 'las_qe_id' is damaged"},
    {"{\"las_key\":1}", "its 'las_key' is damaged"},
    {"{\"boot_id\":\"\"}", "its 'boot_id' is damaged"},
    {"{\"boot_id\":\"" LONG "\"}", NULL},
    {"{\"boot_id\":\"" LONG "0\"}", "its 'boot_id' is damaged"},
    {"{\"status\":\"great\"}", "its 'status' is damaged"},
    {"{\"status\":1}", "its 'status' is damaged"},
    {"{\"seen\":1764072000}", "its 'seen' is damaged"},
    {"{\"spawned\":\"yesterday\"}", "its 'spawned' is damaged"},
    {"{\"las_none\":\"yes\"}", "its 'las_none' is damaged"},
    {"{\"absent\":0}", "its 'absent' is damaged"},
    {"{\"absent_s\":1.5}", "its 'absent_s' is damaged"},
    {"{\"attempts\":-1}", "its 'attempts' is damaged"},
    {"{\"attempts\":4294967296}", "its 'attempts' is damaged"},
    {"{\"attempts\":\"3\"}", "its 'attempts' is damaged"},
};

static void damaged_values_are_refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS(values); i++) {
        json_auto_t *json = json_loads(values[i].json, 0, NULL);
        struct casb_record record = {.uid = "untouched"};
        struct casb_error err = {0};
        int r = record_from_json("x", json, &record, &err);

        print_message("# %s\n", values[i].json);
        assert_int_equal(r, values[i].want ? CASB_EINVALID : 0);
        assert_string_equal(err.text, values[i].want ? values[i].want : "");
        assert_string_equal(record.uid, values[i].want ? "untouched" : "x");
    }
}

static void a_uid_is_what_a_configmap_takes_as_key(void **state)
{
    char longest[RECORD_UID_LENGTH + 2];

    (void)state;
    assert_true(record_is_uid("7b8c-1"));
    assert_true(record_is_uid("static.Server_b"));
    assert_true(record_is_uid(".x"));
    assert_false(record_is_uid(""));
    assert_false(record_is_uid("."));
    assert_false(record_is_uid(".."));
    assert_false(record_is_uid("..x"));
    assert_false(record_is_uid("a/b"));
    assert_false(record_is_uid("a b"));
    assert_false(record_is_uid("\xc3\xa4"));
    memset(longest, 'x', sizeof longest);
    longest[RECORD_UID_LENGTH + 1] = '\0';
    assert_false(record_is_uid(longest));
    longest[RECORD_UID_LENGTH] = '\0';
    assert_true(record_is_uid(longest));
}

static void what_cannot_be_stored_is_an_error(void **state)
{
    json_t *json = NULL;
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(record_to_json(&(struct casb_record){.uid = "a/b"}, &json, &err),
                     CASB_EINVALID);
    assert_string_equal(err.text, "'a/b' cannot be a uid");
    err = (struct casb_error){0};
    assert_int_equal(record_to_json(&(struct casb_record){.uid = "a", .name = "\xff"}, &json, &err),
                     CASB_EINVALID);
    assert_string_equal(err.text, "record 'a', 'name': cannot build JSON: Invalid UTF-8 string");
    assert_null(json);
}

static void an_error_text_is_cleaned_and_cut(void **state)
{
    char text[2 * CASB_RECORD_ERROR_BYTES];
    json_auto_t *json = NULL;
    const char *stored;

    (void)state;
    memset(text, 'e', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    text[1] = '\n';
    text[2] = '\xff';
    assert_int_equal(record_to_json(&(struct casb_record){.uid = "a", .error = text}, &json, NULL),
                     0);
    stored = jsonx_string(json, "error");
    assert_int_equal(strncmp(stored, "e ?e", 4), 0);
    assert_int_equal(strlen(stored), CASB_RECORD_ERROR_BYTES - 1);
}

static void changes_have_a_text_a_uid_and_null_for_a_drop(void **state)
{
    const struct casb_record records[] = {{.uid = "a", .name = "n"}, {.uid = "b"}};
    const char *const uids[] = {"a", "c"};
    json_auto_t *changes = NULL;
    json_auto_t *drops = NULL;

    (void)state;
    assert_int_equal(record_changes(records, 2, &changes, NULL), 0);
    assert_int_equal(json_object_size(changes), 2);
    assert_string_equal(json_string_value(json_object_get(changes, "a")), "{\"name\":\"n\"}");
    assert_string_equal(json_string_value(json_object_get(changes, "b")), "{}");
    assert_int_equal(record_drops(uids, 2, &drops, NULL), 0);
    assert_int_equal(json_object_size(drops), 2);
    assert_true(json_is_null(json_object_get(drops, "c")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_has_its_key),
        cmocka_unit_test(what_is_unknown_is_left_out),
        cmocka_unit_test(a_record_comes_back_as_it_was),
        cmocka_unit_test(a_mark_before_a_word_is_the_flag_of_today),
        cmocka_unit_test(an_empty_object_is_a_record_about_nothing),
        cmocka_unit_test(damaged_values_are_refused_by_name),
        cmocka_unit_test(a_uid_is_what_a_configmap_takes_as_key),
        cmocka_unit_test(what_cannot_be_stored_is_an_error),
        cmocka_unit_test(an_error_text_is_cleaned_and_cut),
        cmocka_unit_test(changes_have_a_text_a_uid_and_null_for_a_drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
