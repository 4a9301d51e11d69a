/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/jsontext.h"

#include <cas-backup/error.h>

#include <locale.h>

static void gives(json_t *value, unsigned indent, const char *want)
{
    _cleanup_(buf_free) struct buf out = BUF_INIT(4096);

    assert_non_null(value);
    assert_int_equal(jsontext_write(&out, value, indent), 0);
    assert_string_equal(buf_text(&out), want);
    json_decref(value);
}

/* What kubectl makes of these numbers in a manifest. */
static void numbers_are_the_shortest_that_read_back_the_same(void **state)
{
    static const struct {
        double value;
        const char *want;
    } table[] = {
        {0, "0"},
        {-0.0, "0"},
        {0.1, "0.1"},
        {0.7, "0.7"},
        {0.10000000000000001, "0.1"},
        {0.69999999999999996, "0.7"},
        {-0.25, "-0.25"},
        {1, "1"},
        {256, "256"},
        {1000, "1000"},
        {10.5, "10.5"},
        {100.125, "100.125"},
        {3.14159, "3.14159"},
        {1.0 / 3, "0.3333333333333333"},
        {2.0 / 3, "0.6666666666666666"},
        {0.1 + 0.2, "0.30000000000000004"},
        {9007199254740993.0, "9007199254740992"},
        {123456789012345680.0, "123456789012345680"},
        {1e20, "100000000000000000000"},
        {1e21, "1e+21"},
        {1.5e300, "1.5e+300"},
        {-1.7976931348623157e308, "-1.7976931348623157e+308"},
        {0.000001, "0.000001"},
        {0.00000123, "0.00000123"},
        {0.0000001, "1e-7"},
        {1.25e-10, "1.25e-10"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {5e-324, "5e-324"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++)
        gives(json_real(table[i].value), 0, table[i].want);
}

static void any_number_reads_back_the_same(void **state)
{
    uint64_t bits = 88172645463325252;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        _cleanup_(buf_free) struct buf out = BUF_INIT(64);
        json_auto_t *real = NULL;
        double value;

        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        memcpy(&value, &bits, sizeof value);
        real = json_real(value);
        if (!real) /* infinite, or no number */
            continue;
        assert_int_equal(jsontext_write(&out, real, 0), 0);
        if (strtod(buf_text(&out), NULL) != value)
            fail_msg("%.17g became %s", value, buf_text(&out));
    }
}

static void a_decimal_comma_of_the_locale_changes_nothing(void **state)
{
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "ps_AF.UTF-8"};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(names); i++) {
        if (!setlocale(LC_ALL, names[i]))
            continue;
        gives(json_real(0.1), 0, "0.1");
        gives(json_real(1.5e300), 0, "1.5e+300");
    }
    setlocale(LC_ALL, "C");
}

static void integers_have_all_their_digits(void **state)
{
    (void)state;
    gives(json_integer(0), 0, "0");
    gives(json_integer(INT64_MAX), 0, "9223372036854775807");
    gives(json_integer(INT64_MIN), 0, "-9223372036854775808");
}

static void what_a_terminal_or_an_eye_would_take_wrongly_is_escaped(void **state)
{
    static const struct {
        const char *text, *want;
    } table[] = {
        {"", "\"\""},
        {"plain \303\251 \360\237\230\200", "\"plain \303\251 \360\237\230\200\""},
        {"\"\\/", "\"\\\"\\\\/\""},
        {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
        {"\001\033[31m\037", "\"\\u0001\\u001b[31m\\u001f\""},
        {"\177", "\"\\u007f\""},
        {"a\302\200\302\233\302\237z", "\"a\\u0080\\u009b\\u009fz\""},
        {"\302\240", "\"\302\240\""},
        {"\330\234", "\"\\u061c\""},
        {"\342\200\215", "\"\342\200\215\""},
        {"\342\200\216\342\200\217", "\"\\u200e\\u200f\""},
        {"\342\200\250\342\200\251", "\"\\u2028\\u2029\""},
        {"\342\200\252\342\200\253\342\200\254\342\200\255\342\200\256",
         "\"\\u202a\\u202b\\u202c\\u202d\\u202e\""},
        {"\342\200\257", "\"\342\200\257\""},
        {"\342\201\245", "\"\342\201\245\""},
        {"\342\201\246\342\201\247\342\201\250\342\201\251", "\"\\u2066\\u2067\\u2068\\u2069\""},
        {"\342\201\252", "\"\342\201\252\""},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++)
        gives(json_string(table[i].text), 0, table[i].want);
    gives(json_stringn("a\0b", 3), 0, "\"a\\u0000b\"");
    gives(json_stringn_nocheck("a\377b", 3), 0, "\"a\\ufffdb\"");
    gives(json_pack("{ss}", "\342\200\256key", "x"), 0, "{\"\\u202ekey\":\"x\"}");
}

static void a_tree_is_one_line_or_one_member_a_line(void **state)
{
    static const char text[] = "{\"a\": [1, [], {}, null], \"b\": {\"c\": true, \"d\": false}}";

    (void)state;
    gives(json_loads(text, 0, NULL), 0, "{\"a\":[1,[],{},null],\"b\":{\"c\":true,\"d\":false}}");
    gives(json_loads(text, 0, NULL), 2,
          "{\n  \"a\": [\n    1,\n    [],\n    {},\n    null\n  ],\n"
          "  \"b\": {\n    \"c\": true,\n    \"d\": false\n  }\n}");
}

/* At whichever byte the buffer is full: never an error that goes unseen. */
static void a_full_buffer_is_an_error_wherever_it_happens(void **state)
{
    static const char text[] = "{\"a\":[1,0.5,-1e+30,\"\\u0001x\\n\"],\"b\":{\"c\":null,\"d\":[]}}";
    json_auto_t *value = json_loads(text, 0, NULL);

    (void)state;
    for (size_t limit = 0; limit <= strlen(text); limit++) {
        _cleanup_(buf_free) struct buf out = BUF_INIT(limit);

        assert_int_equal(jsontext_write(&out, value, 0), limit < strlen(text) ? CASB_EINVALID : 0);
        assert_int_equal(strncmp(buf_text(&out), text, out.len), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_the_shortest_that_read_back_the_same),
        cmocka_unit_test(any_number_reads_back_the_same),
        cmocka_unit_test(a_decimal_comma_of_the_locale_changes_nothing),
        cmocka_unit_test(integers_have_all_their_digits),
        cmocka_unit_test(what_a_terminal_or_an_eye_would_take_wrongly_is_escaped),
        cmocka_unit_test(a_tree_is_one_line_or_one_member_a_line),
        cmocka_unit_test(a_full_buffer_is_an_error_wherever_it_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
