/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/jsonread.h"
#include "unit/chaos.h"

#include <cas-backup/error.h>

static int dump_of(const char *text, size_t len, char **ret_dump, size_t *ret_end,
                   struct jsonread_fault *fault)
{
    json_auto_t *value = NULL;
    int r = jsonread_value(text, len, &value, ret_end, fault);

    if (r == 0) {
        *ret_dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);
        assert_non_null(*ret_dump);
    }
    return r;
}

static void what_is_json_is_read_up_to_its_end(void **state)
{
    static const struct {
        const char *text, *want, *rest;
    } cases[] = {
        {"null", "null", ""},
        {" \t\r\ntrue ,", "true", " ,"},
        {"falsehood", "false", "hood"},
        {"0", "0", ""},
        {"-0", "0", ""},
        {"10:", "10", ":"},
        {"9223372036854775807", "9223372036854775807", ""},
        {"-9223372036854775808", "-9223372036854775808", ""},
        {"9223372036854775808]", "9.2233720368547758e18", "]"},
        {"-9223372036854775809", "-9.2233720368547758e18", ""},
        {"18446744073709551615", "1.8446744073709552e19", ""},
        {"99999999999999999999999", "9.9999999999999992e22", ""},
        {"1.5", "1.5", ""},
        {"-1.25E+2", "-125.0", ""},
        {"1e-2]", "0.01", "]"},
        {"1e-999", "0.0", ""},
        {"\"\"", "\"\"", ""},
        {"\"a b\"\"", "\"a b\"", "\""},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"", ""},
        {"\"\\u0041b\\u00e9\\u20AC\\ud83d\\uDE00c\"", "\"Ab\\u00E9\\u20AC\\uD83D\\uDE00c\"", ""},
        {"\"\303\251\342\202\254\360\237\230\200\"", "\"\\u00E9\\u20AC\\uD83D\\uDE00\"", ""},
        {"\"a\\u0000b\"", "\"a\\u0000b\"", ""},
        {"\"\x7f\"", "\"\x7f\"", ""},
        {"[]", "[]", ""},
        {"[ ]x", "[]", "x"},
        {"[1, [2,[ ]], \"x\" ]", "[1,[2,[]],\"x\"]", ""},
        {"{}", "{}", ""},
        {"{ \"a\" : 1 , \"b\" : { \"\" : null } }", "{\"a\":1,\"b\":{\"\":null}}", ""},
        {"{\"a\\u00e9\\n\":[]}", "{\"a\\u00E9\\n\":[]}", ""},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        _cleanup_(freep) char *dump = NULL;
        struct jsonread_fault fault;
        size_t end;

        print_message("# %s\n", cases[i].text);
        assert_int_equal(dump_of(cases[i].text, strlen(cases[i].text), &dump, &end, &fault), 0);
        assert_string_equal(dump, cases[i].want);
        assert_string_equal(cases[i].text + end, cases[i].rest);
    }
}

static void what_is_no_json_is_refused_where_it_is(void **state)
{
    static const struct {
        const char *text;
        size_t at;
        const char *problem;
    } cases[] = {
        {"", 0, "premature end of input"},
        {" ", 1, "premature end of input"},
        {"nul", 0, "a value expected"},
        {"True", 0, "a value expected"},
        {"+1", 0, "a value expected"},
        {".5", 0, "a value expected"},
        {"-", 1, "premature end of input"},
        {"-a", 1, "invalid number"},
        {"01", 2, "a number begins with 0"},
        {"-00", 3, "a number begins with 0"},
        {"1.", 2, "premature end of input"},
        {"1.e", 2, "invalid number"},
        {"1e+", 3, "premature end of input"},
        {"1e+-1", 3, "invalid number"},
        {"1e999", 5, "too big number"},
        {"\"", 1, "premature end of input"},
        {"\"a\n\"", 2, "control character in a string"},
        {"\"\x1f\"", 1, "control character in a string"},
        {"\"\\", 2, "premature end of input"},
        {"\"\\x\"", 2, "invalid escape"},
        {"\"\\u12\"", 5, "invalid escape"},
        {"\"\\u123", 6, "premature end of input"},
        {"\"\\ud800\"", 7, "invalid surrogate"},
        {"\"\\udc00\"", 7, "invalid surrogate"},
        {"\"\\ud800\\u0041\"", 13, "invalid surrogate"},
        {"\"\\ud800\\n\"", 8, "invalid surrogate"},
        {"\"\200\"", 1, "it is not UTF-8"},
        {"\"\300\200\"", 1, "it is not UTF-8"},
        {"\"\355\240\200\"", 1, "it is not UTF-8"},
        {"\"\364\220\200\200\"", 1, "it is not UTF-8"},
        {"\"\303", 1, "it is not UTF-8"},
        {"[1", 2, "premature end of input"},
        {"[1 2]", 3, "']' expected"},
        {"[1,]", 3, "a value expected"},
        {"[,1]", 1, "a value expected"},
        {"{\"a\":1", 6, "premature end of input"},
        {"{\"a\":1]", 6, "'}' expected"},
        {"{\"a\"1}", 4, "':' expected"},
        {"{a:1}", 1, "a key must be a string"},
        {"{\"a\":1,}", 7, "a key must be a string"},
        {"{\"a\":1,\"\\u0061\":2}", 7, "duplicate object key"},
        {"{\"a\\u0000\":1}", 1, "NUL in a key"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct jsonread_fault fault = {0};
        char *dump;
        size_t end;

        print_message("# %s\n", cases[i].text);
        assert_int_equal(dump_of(cases[i].text, strlen(cases[i].text), &dump, &end, &fault),
                         CASB_EINVALID);
        assert_string_equal(fault.problem, cases[i].problem);
        assert_int_equal(fault.at, cases[i].at);
    }
}

/* In a block of its own size, so that a read behind it is found. */
static void nothing_behind_the_text_is_read(void **state)
{
    static const char text[] = "{\"a\\u00e9\\n\":[-1.5e+3,true,\"\342\202\254\",{}]}";

    (void)state;
    for (size_t len = 0; len < sizeof text - 1; len++) {
        _cleanup_(freep) char *exact = malloc(len + !len);
        struct jsonread_fault fault;
        char *dump;
        size_t end;

        assert_non_null(exact);
        memcpy(exact, text, len);
        assert_int_equal(dump_of(exact, len, &dump, &end, &fault), CASB_EINVALID);
        assert_in_range(fault.at, 0, len);
    }
}

static void nesting_is_bounded(void **state)
{
    char text[5000];
    struct jsonread_fault fault;
    char *dump;
    size_t end;

    (void)state;
    memset(text, '[', sizeof text);
    assert_int_equal(dump_of(text, sizeof text, &dump, &end, &fault), CASB_EINVALID);
    assert_string_equal(fault.problem, "nested too deep");
    memset(text + 2048, ']', 2048);
    assert_int_equal(dump_of(text, 4096, &dump, &end, &fault), 0);
    free(dump);
}

/* Nothing is left out, nothing is called wrong, and nothing leaks. */
static void memory_may_run_out_anywhere(void **state)
{
    static const char text[] =
        "{\"a long key of some bytes\":[1,2.5,\"a long text of some bytes\",\"\\u00e9scaped\"],"
        "\"k\\u00e9y\":{\"more\":[[],[],[],[],[],[],[],[],[]]}}";
    int failures = 0, r;

    (void)state;
    json_set_alloc_funcs(malloc, free);
    do {
        struct jsonread_fault fault = {0};
        json_auto_t *value = NULL;
        size_t end;

        chaos_left = failures;
        r = jsonread_value(text, strlen(text), &value, &end, &fault);
        chaos_left = -1;
        assert_true(r == 0 || (r == CASB_ENOMEM && !fault.problem && !value));
        failures += r != 0;
    } while (r);
    assert_in_range(failures, 20, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_json_is_read_up_to_its_end),
        cmocka_unit_test(what_is_no_json_is_refused_where_it_is),
        cmocka_unit_test(nothing_behind_the_text_is_read),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
