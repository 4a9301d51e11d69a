/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/jsonx.h"
#include "unit/chaos.h"

static json_t *parse(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

    assert_non_null(value);
    return value;
}

static void members_are_found_by_path(void **state)
{
    json_auto_t *root = parse("{\"a\":{\"b\":{\"s\":\"text\",\"i\":7,\"t\":true,\"f\":false,"
                              "\"l\":[1],\"n\":null}}}");

    (void)state;
    assert_string_equal(jsonx_string(root, "a.b.s"), "text");
    assert_int_equal(jsonx_int(root, "a.b.i", 1), 7);
    assert_true(jsonx_bool(root, "a.b.t", false));
    assert_false(jsonx_bool(root, "a.b.f", true));
    assert_int_equal(json_array_size(jsonx_array(root, "a.b.l")), 1);
    assert_int_equal(json_object_size(jsonx_object(root, "a.b")), 6);
    assert_true(json_is_null(jsonx_get(root, "a.b.n")));
}

static void what_is_absent_or_of_another_type_is_the_fallback(void **state)
{
    json_auto_t *root = parse("{\"a\":{\"s\":\"text\",\"i\":7,\"r\":1.5,\"t\":true}}");

    (void)state;
    assert_null(jsonx_get(root, "b"));
    assert_null(jsonx_get(root, "a.b.c"));
    assert_null(jsonx_get(root, "a.s.c"));
    assert_ptr_equal(jsonx_get(root, ""), root);
    assert_null(jsonx_get(NULL, "a"));
    assert_null(jsonx_string(root, "a.i"));
    assert_null(jsonx_object(root, "a.s"));
    assert_null(jsonx_array(root, "a"));
    assert_int_equal(jsonx_int(root, "a.s", -3), -3);
    assert_int_equal(jsonx_int(root, "a.r", -3), -3);
    assert_int_equal(jsonx_int(root, "a.t", -3), -3);
    assert_true(jsonx_bool(root, "a.i", true));
    assert_false(jsonx_bool(NULL, "a", false));
}

static void valid_json_is_parsed(void **state)
{
    static const char text[] = "{\"a\": [1, \"\\u00e9\"]} bytes beyond the length";
    json_auto_t *root = NULL;
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(jsonx_parse(text, strcspn(text, "}") + 1, "it", &root, &err), 0);
    assert_string_equal(json_string_value(json_array_get(jsonx_array(root, "a"), 1)), "\303\251");
    assert_int_equal(err.code, 0);
}

static void a_byte_order_mark_is_passed_over(void **state)
{
    static const char text[] = "\357\273\277{\"a\":7}";
    json_auto_t *root = NULL;
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(jsonx_parse(text, strlen(text), "it", &root, &err), 0);
    assert_int_equal(jsonx_int(root, "a", 0), 7);
    assert_int_equal(jsonx_parse(text, strlen(text) - 1, "it", &root, &err), CASB_EINVALID);
    assert_non_null(strstr(err.text, "it: line 1, column 7"));
}

static void invalid_json_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", "it: line 1, column 1: premature end of input"},
        {"7", "it: line 1, column 1: '[' or '{' expected"},
        {"{\"a\":\n secret}", "it: line 2, column 2: a value expected"},
        {"{} {}", "it: line 1, column 4: end of file expected"},
        {"[\"\303\251\"] x", "it: line 1, column 7: end of file expected"},
        {"{\"a\":1,\"a\":2}", "it: line 1, column 8: duplicate object key"},
    };
    json_t *root = NULL;

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct casb_error err = {0};

        assert_int_equal(jsonx_parse(cases[i].text, strlen(cases[i].text), "it", &root, &err),
                         CASB_EINVALID);
        assert_string_equal(err.text, cases[i].want);
        assert_null(root);
    }
}

static void a_string_with_nul_is_kept_whole_and_read_up_to_it(void **state)
{
    static const char text[] = "{\"a\":\"b\\u0000c\"}";
    _cleanup_(freep) char *again = NULL;
    json_auto_t *root = NULL;

    (void)state;
    assert_int_equal(jsonx_parse(text, strlen(text), "it", &root, NULL), 0);
    assert_string_equal(jsonx_string(root, "a"), "b");
    assert_int_equal(jsonx_dump(root, &again, NULL), 0);
    assert_string_equal(again, text);
}

static void nothing_and_nul_bytes_are_refused(void **state)
{
    json_t *root = NULL;

    (void)state;
    assert_int_equal(jsonx_parse(NULL, 0, "it", &root, NULL), CASB_EINVALID);
    assert_int_equal(jsonx_parse("{}\0", 3, "it", &root, NULL), CASB_EINVALID);
    assert_int_equal(jsonx_parse("{\"a\0b\":1}", 9, "it", &root, NULL), CASB_EINVALID);
}

static void deep_nesting_is_refused(void **state)
{
    size_t len = 100000;
    _cleanup_(freep) char *text = malloc(len);
    json_t *root = NULL;

    (void)state;
    memset(text, '[', len);
    assert_int_equal(jsonx_parse(text, len, "it", &root, NULL), CASB_EINVALID);
}

/* The cases of RFC 7386, appendix A, and what the text of the RFC adds. */
static void merge_patch_does_as_rfc_7386_says(void **state)
{
    static const struct {
        const char *target, *patch, *want;
    } cases[] = {
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
        {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
        {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
        {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
        {"{\"a\":\"foo\"}", "null", "null"},
        {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
        {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
        {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
        {"{\"a\":1}", "{}", "{\"a\":1}"},
        {"{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"c\":null},\"d\":[null]}",
         "{\"a\":{\"b\":1},\"d\":[null]}"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        json_auto_t *target = parse(cases[i].target);
        json_auto_t *patch = parse(cases[i].patch);
        json_auto_t *same_patch = parse(cases[i].patch);
        json_auto_t *want = parse(cases[i].want);

        assert_int_equal(jsonx_merge_patch(&target, patch), 0);
        if (!json_equal(target, want))
            fail_msg("case %zu differs", i);
        assert_true(json_equal(patch, same_patch));
    }
}

static void merge_patch_makes_a_target(void **state)
{
    json_auto_t *target = NULL;
    json_auto_t *patch = parse("{\"a\":{\"b\":1,\"c\":null}}");

    (void)state;
    assert_int_equal(jsonx_merge_patch(&target, patch), 0);
    assert_int_equal(jsonx_int(target, "a.b", 0), 1);
    assert_null(jsonx_get(target, "a.c"));
}

static void merge_patch_shares_nothing_with_the_patch(void **state)
{
    json_auto_t *target = parse("{}");
    json_auto_t *patch = parse("{\"a\":[{\"b\":1}]}");

    (void)state;
    assert_int_equal(jsonx_merge_patch(&target, patch), 0);
    assert_ptr_not_equal(jsonx_get(target, "a"), jsonx_get(patch, "a"));
    json_array_clear((json_t *)jsonx_array(target, "a"));
    assert_int_equal(json_array_size(jsonx_array(patch, "a")), 1);
}

static void merge_patch_changes_nothing_that_others_hold(void **state)
{
    json_auto_t *before = parse("{\"a\":{\"b\":1,\"c\":[]},\"d\":{}}");
    json_auto_t *same = json_deep_copy(before), *target = json_incref(before);
    json_auto_t *patch = parse("{\"a\":{\"b\":2},\"e\":{\"f\":3}}");
    json_auto_t *want = parse("{\"a\":{\"b\":2,\"c\":[]},\"d\":{},\"e\":{\"f\":3}}");

    (void)state;
    assert_int_equal(jsonx_merge_patch(&target, patch), 0);
    assert_true(json_equal(target, want));
    assert_true(json_equal(before, same));
    assert_ptr_equal(jsonx_get(target, "a.c"), jsonx_get(before, "a.c"));
    assert_ptr_equal(jsonx_get(target, "d"), jsonx_get(before, "d"));
}

static void objects_are_packed(void **state)
{
    json_auto_t *value = NULL;
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(jsonx_pack(&value, &err, "{s:s, s:i, s:s?}", "a", "b", "c", 1, "d", NULL), 0);
    assert_string_equal(jsonx_string(value, "a"), "b");
    assert_int_equal(jsonx_int(value, "c", 0), 1);
}

static void packing_nonsense_is_invalid(void **state)
{
    json_t *value = NULL;
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(jsonx_pack(&value, &err, "{s:s}", "a", NULL), CASB_EINVALID);
    assert_int_equal(err.code, CASB_EINVALID);
    assert_int_equal(jsonx_pack(&value, NULL, "{s:s}", "a", "\377"), CASB_EINVALID);
    assert_int_equal(jsonx_pack(&value, NULL, "{s:", "a"), CASB_EINVALID);
    assert_null(value);
}

static void values_are_dumped_compactly(void **state)
{
    json_auto_t *value = parse("{\"b\": [1, null], \"a\": \"x\"}");
    json_auto_t *scalar = parse("\"x\"");
    _cleanup_(freep) char *text = NULL, *word = NULL;

    (void)state;
    assert_int_equal(jsonx_dump(value, &text, NULL), 0);
    assert_string_equal(text, "{\"b\":[1,null],\"a\":\"x\"}");
    assert_int_equal(jsonx_dump(scalar, &word, NULL), 0);
    assert_string_equal(word, "\"x\"");
}

/* Parses, merges, packs and dumps with only some allocations left. */
static int work(struct casb_error *err)
{
    static const char text[] = "{\"a\":{\"b\":[1,2,{\"c\":\"d\"}]},\"e\":null,\"long key\":\"x\"}";
    json_auto_t *target = NULL, *patch = NULL, *object = NULL;
    _cleanup_(freep) char *dump = NULL;
    int rc;

    rc = jsonx_parse(text, strlen(text), "it", &patch, err);
    if (!rc)
        rc = jsonx_pack(&object, err, "{s:{s:i}, s:s*}", "a", "b", 1, "kept", "it is");
    if (!rc)
        assert_string_equal(jsonx_string(object, "kept"), "it is");
    if (!rc)
        rc = jsonx_merge_patch(&target, object);
    if (!rc)
        rc = jsonx_merge_patch(&target, patch);
    return rc ? rc : jsonx_dump(target, &dump, err);
}

static void memory_may_run_out_anywhere(void **state)
{
    int failures = 0, rc;

    (void)state;
    json_set_alloc_funcs(malloc, free);
    do {
        struct casb_error err = {0};

        chaos_left = failures;
        rc = work(&err);
        chaos_left = -1;
        if (rc) {
            assert_int_equal(rc, CASB_ENOMEM);
            assert_true(err.code == 0 || err.code == rc);
            failures++;
        }
    } while (rc);
    assert_in_range(failures, 20, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_found_by_path),
        cmocka_unit_test(what_is_absent_or_of_another_type_is_the_fallback),
        cmocka_unit_test(valid_json_is_parsed),
        cmocka_unit_test(a_byte_order_mark_is_passed_over),
        cmocka_unit_test(invalid_json_is_refused_with_its_place),
        cmocka_unit_test(a_string_with_nul_is_kept_whole_and_read_up_to_it),
        cmocka_unit_test(nothing_and_nul_bytes_are_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(merge_patch_does_as_rfc_7386_says),
        cmocka_unit_test(merge_patch_makes_a_target),
        cmocka_unit_test(merge_patch_shares_nothing_with_the_patch),
        cmocka_unit_test(merge_patch_changes_nothing_that_others_hold),
        cmocka_unit_test(objects_are_packed),
        cmocka_unit_test(packing_nonsense_is_invalid),
        cmocka_unit_test(values_are_dumped_compactly),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
