/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/jsonx.h"

static json_t *parse(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

    assert_non_null(value);
    return value;
}

/* RFC 7386, Appendix A. */
static void merge_patch_follows_the_rfc(void **state)
{
    static const char *const table[][3] = {
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
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        json_t *target = parse(table[i][0]);
        json_auto_t *patch = parse(table[i][1]), *want = parse(table[i][2]);

        assert_int_equal(jsonx_merge_patch(&target, patch), 0);
        assert_true(json_equal(target, want));
        json_decref(target);
    }
}

static void getters_walk_paths_and_mind_types(void **state)
{
    json_auto_t *root =
        parse("{\"metadata\":{\"name\":\"n\",\"generation\":3},\"ok\":true,\"l\":[]}");

    (void)state;
    assert_string_equal(jsonx_string(root, "metadata.name"), "n");
    assert_null(jsonx_string(root, "metadata.generation"));
    assert_null(jsonx_string(root, "metadata.name.more"));
    assert_int_equal(jsonx_int(root, "metadata.generation", 0), 3);
    assert_int_equal(jsonx_int(root, "metadata.name", 7), 7);
    assert_true(jsonx_bool(root, "ok", false));
    assert_true(jsonx_bool(root, "missing", true));
    assert_non_null(jsonx_object(root, "metadata"));
    assert_null(jsonx_object(root, "l"));
    assert_non_null(jsonx_array(root, "l"));
    assert_null(jsonx_get(NULL, "a"));
    assert_ptr_equal(jsonx_get(root, ""), root);
}

static void damaged_text_is_refused_with_its_place(void **state)
{
    static const char *const bad[] = {"{\"a\":1,\"a\":2}", "{", "", "nonsense", "{} x", "\"text\""};
    struct casb_error err;
    json_t *value = NULL;

    (void)state;
    for (size_t i = 0; i < ELEMENTS(bad); i++) {
        err = (struct casb_error){0};
        assert_int_equal(jsonx_parse(bad[i], strlen(bad[i]), "answer", &value, &err),
                         CASB_EINVALID);
        assert_non_null(strstr(err.text, "answer: line 1, column"));
        assert_null(value);
    }
    assert_int_equal(jsonx_parse("[1] ", 4, "answer", &value, NULL), 0);
    json_decref(value);
}

static void packing_says_which_string_is_missing(void **state)
{
    struct casb_error err = {0};
    json_t *value = NULL;
    char *text;

    (void)state;
    assert_int_equal(jsonx_pack(&value, &err, "{s:s}", "a", (const char *)NULL), CASB_EINVALID);
    assert_null(value);
    assert_int_equal(jsonx_pack(&value, NULL, "{s:s, s:i}", "a", "b", "c", 1), 0);
    assert_int_equal(jsonx_dump(value, &text, NULL), 0);
    assert_string_equal(text, "{\"a\":\"b\",\"c\":1}");
    free(text);
    json_decref(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merge_patch_follows_the_rfc),
        cmocka_unit_test(getters_walk_paths_and_mind_types),
        cmocka_unit_test(damaged_text_is_refused_with_its_place),
        cmocka_unit_test(packing_says_which_string_is_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
