/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/jsonx.h"
#include "base/record.h"
#include "state/values.h"
#include "unit/chaos.h"

static const struct casb_record full = {
    .uid = "u",
    .name = "node",
    .source = "kubernetes",
    .status = CASB_FAILED,
    .primary = "p",
    .release = "r",
    .machine = {{CASB_LAS_QE_ID, "0123"}, {CASB_BOOT_ID, "boot"}},
    .las_source = "las",
    .las_none = true,
    .registered = 1,
    .attempted = 2,
    .seen = 3,
    .spawned = 4,
    .changed = 5,
    .absent = 6,
    .missed = 7,
    .absent_s = UINT32_MAX,
    .attempts = 9,
    .told = 10,
    .unprotected = INT64_C(253402300799),
    .reason = "retry",
    .error = "why",
};

/* As text, which has all of it. */
static char *text_of(const struct casb_record *record)
{
    json_auto_t *json = NULL;
    char *text = NULL;

    assert_int_equal(record_to_json(record, &json, NULL), 0);
    assert_int_equal(jsonx_dump(json, &text, NULL), 0);
    return text;
}

static void check(const struct casb_record *from)
{
    _cleanup_(freep) char *before = text_of(from), *after = NULL;
    struct words words = {0};
    struct values *v = values_new(&words, from);
    struct casb_record record;

    assert_non_null(v);
    values_read(v, from->uid, &record);
    after = text_of(&record);
    assert_string_equal(after, before);
    assert_ptr_equal(record.uid, from->uid);
    values_unref(v);
    words_done(&words);
}

static void what_is_packed_is_what_is_unpacked(void **state)
{
    struct casb_record part = {.uid = "u", .error = "", .attempts = 1};

    (void)state;
    check(&full);
    check(&part);
    check(&(struct casb_record){.uid = "u"});
}

static void some_of_it_can_be_read_where_it_is(void **state)
{
    struct casb_record record = full;
    enum casb_identity_kind kind = CASB_UNIDENTIFIED;
    struct words words = {0};
    struct values *v = values_new(&words, &record);

    (void)state;
    assert_string_equal(values_name(v), "node");
    assert_string_equal(values_las(v, &kind), "0123");
    assert_int_equal(kind, CASB_LAS_QE_ID);
    assert_string_equal(values_boot(v), "boot");
    values_unref(v);
    record.machine.las = (struct casb_identity){0};
    v = values_new(&words, &record);
    assert_null(values_las(v, &kind));
    assert_string_equal(values_boot(v), "boot");
    assert_string_equal(values_name(v), "node");
    values_unref(v);
    words_done(&words);
}

static void what_many_have_in_common_is_kept_once(void **state)
{
    struct words words = {0};
    struct values *a = values_new(&words, &full), *b = values_new(&words, &full);
    struct casb_record x, y;

    (void)state;
    values_read(a, "a", &x);
    values_read(b, "b", &y);
    assert_ptr_equal(x.primary, y.primary);
    assert_ptr_not_equal(x.name, y.name);
    values_unref(a);
    values_unref(b);
    words_done(&words);
}

static void without_memory_there_are_none(void **state)
{
    struct values *v = NULL;

    (void)state;
    for (int left = 0; !v; left++) {
        struct words words = {0};

        assert_true(left < 100);
        chaos_left = left;
        v = values_new(&words, &full);
        chaos_left = -1;
        values_unref(v);
        words_done(&words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_is_what_is_unpacked),
        cmocka_unit_test(some_of_it_can_be_read_where_it_is),
        cmocka_unit_test(what_many_have_in_common_is_kept_once),
        cmocka_unit_test(without_memory_there_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
