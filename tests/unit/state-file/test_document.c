/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "state-file/document.h"

struct seen {
    struct buf list; /* "UID=MEMBER;" of each */
    int stop_after;  /* records; 0: never */
};

static int note(const char *uid, const json_t *value, const char *text, size_t len, void *arg)
{
    struct seen *seen = arg;

    assert_non_null(value);
    assert_int_equal(buf_printf(&seen->list, "%s=%.*s;", uid, (int)len, text), 0);
    return seen->stop_after > 0 && --seen->stop_after == 0 ? 42 : 0;
}

/* `error` NULL: it is sound. */
static const struct {
    const char *text, *records, *error;
} documents[] = {
    {"{\"version\":1,\"records\":{\n\"a\":{\"name\":\"x\"},\n\"b\":{}\n}}\n",
     "a=\"a\":{\"name\":\"x\"};b=\"b\":{};", NULL},
    {"{\"version\":1,\"records\":{}}", "", NULL},
    {"{\"version\":1}", "", NULL},
    {" {\t\"records\" : { \"a\" : { \"n\" : [ 1 , {} ] } } ,\r\n \"version\" : 1 } \n",
     "a=\"a\" : { \"n\" : [ 1 , {} ] };", NULL},
    {"{\"version\":1,\"more\":{\"records\":{\"z\":1}},\"records\":{\"a\":\"odd\"}}",
     "a=\"a\":\"odd\";", NULL},
    {"{\"version\":1,\"records\":{\"a\":1.5e3,\"b\":true,\"c\":null}}",
     "a=\"a\":1.5e3;b=\"b\":true;c=\"c\":null;", NULL},
    {"{\"version\":1,\"records\":{\"\\u00e4\\\"\":{}}}", "\xc3\xa4\"=\"\\u00e4\\\"\":{};", NULL},
    {"", "", "line 1: expected an object"},
    {" \n", "", "line 2: expected an object"},
    {"{\"version\":2,\"records\":{\"a\":{}}}", "", "its version is not known here"},
    {"{\"version\":2,\"records\":{\"a\":{}", "", "line 1: premature end of input"},
    {"{\"version\":1,\"more\":{},", "", "line 1: premature end of input"},
    {"{\"ver", "", "line 1: premature end of input"},
    {"{\"version\":1,\"records\":[]}", "", "line 1: expected an object"},
    {"{\"version\":1,\"records\":{\n\"a\":{},\n\"b\":{\"na", "a=\"a\":{};",
     "line 3: premature end of input"},
    {"{\"version\":1,\"records\":{\n\"a\":{}\n\"b\":{}}}", "a=\"a\":{};",
     "line 3: expected a comma or the end of an object"},
    {"{\"version\":1,\"records\":{\"a\":{},}}", "a=\"a\":{};", "line 1: a value expected"},
    {"{\"version\":1,\"records\":{\"a\"{}}}", "", "line 1: expected a key and a colon"},
    {"{\"version\":1,\"records\":{1:{}}}", "", "line 1: expected a key and a colon"},
    {"{\"version\":1,\"records\":{\"a\":{\"n\":1,\"n\":2}}}", "", "line 1: duplicate object key"},
    {"{\"version\":1}x", "", "line 1: something follows the end"},
};

/* Files that somebody may have named by mistake. */
static const char *const others[] = {
    "{}",
    "[]",
    "x",
    "# hosts\nserver-1 192.0.2.1\n",
    "discovery:\n- plugin: static\n",
    "{\"default_cas\":\"c\",\"cas_db\":{},\"identity\":\"secret\"}",
    "{\"default_cas\":\"c\",\"cas_db\":{",
    "{\"records\":{}}",
    "{\"version\":\"1\"}",
    "{\"version\":\"1.0.0\",\"records\":{}}",
    "{\"version\":1,\"instance\":\"a report\",\"nodes\":[]}",
    "{\"version\":4,\"terraform_version\":\"1.9.0\",\"resources\":[]}",
    "{\"version\":4,\"terraform_version\":",
    "{\"version\":null}",
    "{\"versions\":",
};

static void another_files_text_is_no_damaged_state(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS(others); i++) {
        struct seen seen = {.list = BUF_INIT(4096)};
        struct casb_error err = {0};

        print_message("# %s\n", others[i]);
        assert_int_equal(document_read(others[i], strlen(others[i]), note, &seen, NULL, &err),
                         CASB_EINVALID);
        assert_string_equal(err.text, "it is no state of ours");
        assert_string_equal(buf_text(&seen.list), "");
    }
}

static void records_are_given_up_to_the_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS(documents); i++) {
        const char *text = documents[i].text;
        struct seen seen = {.list = BUF_INIT(4096)};
        struct casb_error err = {0};
        int r = document_read(text, strlen(text), note, &seen, NULL, &err);

        print_message("# %zu\n", i);
        assert_string_equal(buf_text(&seen.list), documents[i].records);
        assert_string_equal(err.text, documents[i].error ? documents[i].error : "");
        assert_int_equal(r, documents[i].error ? CASB_EFAILED : 0);
        buf_free(&seen.list);
    }
}

static void a_document_cut_anywhere_is_damaged(void **state)
{
    const char *text = documents[0].text;

    (void)state;
    for (size_t len = 0; len < strlen(text) - 1; len++) {
        _cleanup_(freep) char *exact = malloc(len + !len);
        struct seen seen = {.list = BUF_INIT(4096)};

        assert_non_null(exact);
        memcpy(exact, text, len);
        assert_int_equal(document_read(exact, len, note, &seen, NULL, NULL), CASB_EFAILED);
        buf_free(&seen.list);
    }
}

static void a_nul_byte_ends_what_can_be_read(void **state)
{
    static const char text[] = "{\"version\":1,\"records\":{\"a\":{},\"b\":[1\0]}}";
    struct seen seen = {.list = BUF_INIT(4096)};

    (void)state;
    assert_int_equal(document_read(text, sizeof text - 1, note, &seen, NULL, NULL), CASB_EFAILED);
    assert_string_equal(buf_text(&seen.list), "a=\"a\":{};");
    assert_int_equal(document_read("{\"version\":1}\0", 14, note, &seen, NULL, NULL), CASB_EFAILED);
    assert_int_equal(document_read("\0\0\0", 3, note, &seen, NULL, NULL), CASB_EFAILED);
    assert_int_equal(document_read("\0\0x", 3, note, &seen, NULL, NULL), CASB_EINVALID);
    buf_free(&seen.list);
}

static void the_taker_can_end_the_reading(void **state)
{
    const char *text = documents[0].text;
    struct seen seen = {.list = BUF_INIT(4096), .stop_after = 1};
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(document_read(text, strlen(text), note, &seen, NULL, &err), 42);
    assert_int_equal(err.code, 0);
    buf_free(&seen.list);
}

static void what_is_written_can_be_read(void **state)
{
    struct document doc = {.out = BUF_INIT(4096)};
    struct seen seen = {.list = BUF_INIT(4096)};

    (void)state;
    assert_int_equal(document_begin(&doc), 0);
    assert_int_equal(document_copy(&doc, "\"a\" : 1", 7), 0);
    assert_int_equal(document_put(&doc, "b", "{\"name\":\"x\"}"), 0);
    assert_int_equal(document_end(&doc, NULL), 0);
    assert_string_equal(doc.out.data,
                        "{\"version\":1,\"records\":{\n\"a\" : 1,\n\"b\":{\"name\":\"x\"}\n}}\n");
    assert_int_equal(document_read(doc.out.data, doc.out.len, note, &seen, NULL, NULL), 0);
    assert_string_equal(buf_text(&seen.list), "a=\"a\" : 1;b=\"b\":{\"name\":\"x\"};");
    buf_free(&seen.list);
    buf_free(&doc.out);
}

static void an_empty_document_is_one_too(void **state)
{
    struct document doc = {.out = BUF_INIT(4096)};
    struct seen seen = {.list = BUF_INIT(4096)};

    (void)state;
    assert_int_equal(document_begin(&doc), 0);
    assert_int_equal(document_end(&doc, NULL), 0);
    assert_int_equal(document_read(doc.out.data, doc.out.len, note, &seen, NULL, NULL), 0);
    buf_free(&doc.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_given_up_to_the_damage),
        cmocka_unit_test(another_files_text_is_no_damaged_state),
        cmocka_unit_test(a_document_cut_anywhere_is_damaged),
        cmocka_unit_test(a_nul_byte_ends_what_can_be_read),
        cmocka_unit_test(the_taker_can_end_the_reading),
        cmocka_unit_test(what_is_written_can_be_read),
        cmocka_unit_test(an_empty_document_is_one_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
