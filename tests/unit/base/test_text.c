/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/text.h"
#include "unit/chaos.h"

#include <cas-backup/error.h>

#define LONG_50  "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx"
#define LONG_63  LONG_50 "abcdefghijklm"
#define YEARS(n) ((n)*INT64_C(31536000000000000))

static void text_is_cleaned(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"two\nlines\r\n", "two lines"},
        {" \t many \v\f blanks \n ", "many blanks"},
        {"\033[1;31mred\033[0m", "red"},
        {"a\033[31mb", "a b"},
        {"\033]0;title\007after", "after"},
        {"\033]8;;http://x\033\\link\033]8;;\033\\", "link"},
        {"\033Pdevice\033\\end", "end"},
        {"\033(Bcharset", "charset"},
        {"\033", ""},
        {"x\033[", "x"},
        {"x\033[31", "x"},
        {"x\033]open\nnext", "x next"},
        {"\033\033[31mtwice", "twice"},
        {"bell\a\bback\177del", "bell back del"},
        {"\302\233c1", "c1"},
        {"no\302\240break", "no break"},
        {"l\303\266wen \342\202\254 \360\237\230\200",
         "l\303\266wen \342\202\254 \360\237\230\200"},
        {"line\342\200\250sep", "line sep"},
        {"bidi\342\200\256txt\342\201\246", "bidi txt"},
        {"marks\342\200\216lrm\342\200\217rlm\330\234alm", "marks lrm rlm alm"},
        {"\377\376", "??"},
        {"a\303", "a?"},
        {"\303(", "?("},
        {"\300\257", "??"},           /* overlong */
        {"\355\240\200", "???"},      /* surrogate */
        {"\364\220\200\200", "????"}, /* above U+10FFFF */
        {"\342\202", "??"},           /* cut short */
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++)
        assert_string_equal(text_clean(out, sizeof out, cases[i].text), cases[i].want);
}

static void hidden_characters_are_known(void **state)
{
    static const uint32_t hidden[][2] = {{0, 0x1F},        {0x7F, 0x9F},     {0x61C, 0x61C},
                                         {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069}};

    (void)state;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        bool want = false;

        for (size_t i = 0; i < ELEMENTS(hidden); i++)
            want |= c >= hidden[i][0] && c <= hidden[i][1];
        assert_int_equal(text_is_control(c), want);
    }
}

/* UTF-8 of a character; returns its length. */
static size_t encode(char out[static 5], uint32_t c)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    out[0] = (char)(n == 1 ? c : (0xF00U >> n) | c >> (6 * (n - 1)));
    for (size_t i = 1; i < n; i++)
        out[i] = (char)(0x80 | (c >> (6 * (n - 1 - i)) & 0x3F));
    return n;
}

/* Every character there is: a hidden one never comes out, any other does as it was. */
static void each_character_comes_out_or_is_a_blank(void **state)
{
    (void)state;
    for (uint32_t c = 1; c <= 0x10FFFF; c++) {
        char text[8], out[16];
        uint32_t again;
        size_t n = encode(text, c);

        if (c == '\033' || (c >= 0xD800 && c <= 0xDFFF))
            continue;
        assert_int_equal(text_utf8(text, n, &again), n);
        assert_int_equal(again, c);
        snprintf(text + n, sizeof text - n, "x");
        text_clean(out, sizeof out, text);
        if (text_is_control(c) || c == ' ' || c == 0xA0)
            assert_string_equal(out, "x");
        else
            assert_string_equal(out, text);
    }
}

static void long_text_is_cut_at_a_character(void **state)
{
    static const struct {
        size_t size;
        const char *text, *want;
    } cases[] = {
        {8, "1234567", "1234567"},
        {8, "1234567\n", "1234567"},
        {8, "12345678", "1234..."},
        {8, "123\303\266\303\266", "123\303\266\303\266"},
        {8, "123\303\266\303\266x", "123..."},
        {8, "\360\237\230\200\360\237\230\200", "\360\237\230\200..."},
        {8, "1234 5678", "1234..."},
        {8, "123 5678", "123..."},
        {6, "\360\237\230\200\360\237\230\200", "..."},
        {4, "1234", "..."},
        {3, "1234", ""},
        {1, "1234", ""},
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        memset(out, '!', sizeof out);
        assert_string_equal(text_clean(out, cases[i].size, cases[i].text), cases[i].want);
        assert_int_equal(out[cases[i].size], '!');
    }
    text_clean(out, 0, "x");
}

static void bytes_are_cleaned_without_terminator(void **state)
{
    char out[64];

    (void)state;
    assert_string_equal(text_clean_bytes(out, sizeof out, "a\0b\342\202\254", 5), "a b??");
    assert_string_equal(text_clean_bytes(out, sizeof out, NULL, 0), "");
}

static void null_is_a_text_of_its_own(void **state)
{
    _cleanup_(freep) char *copy = NULL;

    (void)state;
    assert_int_equal(text_dup("x", &copy), 0);
    assert_string_equal(copy, "x");
    free(TAKE_PTR(copy));
    assert_int_equal(text_dup(NULL, &copy), 0);
    assert_null(copy);
    assert_true(text_equal(NULL, NULL));
    assert_true(text_equal("a", "a"));
    assert_false(text_equal("a", NULL));
    assert_false(text_equal(NULL, ""));
    assert_false(text_equal("a", "A"));
    assert_true(text_empty(NULL));
    assert_true(text_empty(""));
    assert_false(text_empty(" "));
}

static void numbers_are_parsed(void **state)
{
    static const struct {
        const char *text;
        int rc;
        int64_t value;
    } cases[] = {
        {"0", 0, 0},
        {"007", 0, 7},
        {"100", 0, 100},
        {"101", CASB_EINVALID, 0},
        {"", CASB_EINVALID, 0},
        {"-1", CASB_EINVALID, 0},
        {"+1", CASB_EINVALID, 0},
        {" 1", CASB_EINVALID, 0},
        {"1 ", CASB_EINVALID, 0},
        {"1x", CASB_EINVALID, 0},
        {"0x1", CASB_EINVALID, 0},
        {"1.0", CASB_EINVALID, 0},
        {"18446744073709551617", CASB_EINVALID, 0},
        {"\331\241", CASB_EINVALID, 0}, /* an Arabic digit */
    };
    int64_t value;

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        value = 0;
        if (text_parse_int(cases[i].text, 0, 100, &value) != cases[i].rc || value != cases[i].value)
            fail_msg("'%s' gives %lld", cases[i].text, (long long)value);
    }
    assert_int_equal(text_parse_int("9223372036854775807", 0, INT64_MAX, &value), 0);
    assert_true(value == INT64_MAX);
    assert_int_equal(text_parse_int("9223372036854775808", 0, INT64_MAX, &value), CASB_EINVALID);
    assert_int_equal(text_parse_int("4", 5, 10, &value), CASB_EINVALID);
}

static void durations_are_parsed(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } cases[] = {
        {"1ms", INT64_C(1000000)},
        {"200ms", INT64_C(200000000)},
        {"90s", INT64_C(90000000000)},
        {"5m", INT64_C(300000000000)},
        {"1h30m", INT64_C(5400000000000)},
        {"1m500ms", INT64_C(60500000000)},
        {"90d", INT64_C(7776000000000000)},
        {"0m1s", INT64_C(1000000000)},
        {"36500d", YEARS(100)},
    };
    int64_t ns;

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++)
        if (text_parse_duration(cases[i].text, &ns) || ns != cases[i].ns)
            fail_msg("'%s' gives %lld", cases[i].text, (long long)ns);
}

static void some_durations_may_be_zero(void **state)
{
    int64_t ns = 1;

    (void)state;
    assert_int_equal(text_parse_duration_or_0("0s", &ns), 0);
    assert_int_equal(ns, 0);
    assert_int_equal(text_parse_duration_or_0("1ms", &ns), 0);
    assert_int_equal(ns, 1000000);
    assert_int_equal(text_parse_duration_or_0("0", &ns), CASB_EINVALID);
    assert_int_equal(text_parse_duration_or_0("", &ns), CASB_EINVALID);
    assert_int_equal(text_parse_duration_or_0("36526d", &ns), CASB_EINVALID);
}

static void wrong_durations_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "0s",
        "5",
        "s",
        "ms",
        "-5s",
        "+5s",
        "1.5h",
        "5 s",
        " 5s",
        "5s ",
        "5us",
        "5S",
        "5w",
        "5min",
        "5s5",
        "5sm",
        "1h 30m",
        "inf",
        "5,s",
        "5ss",
        "5mss",
        "37000d",
        "9223372036854775807d",
        "99999999999999999999s",
        "9223372036854775807ms9223372036854775807ms",
    };
    int64_t ns = 42;

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++)
        if (text_parse_duration(cases[i], &ns) != CASB_EINVALID)
            fail_msg("'%s' is accepted", cases[i]);
    assert_int_equal(ns, 42);
}

static void the_nearest_word_is_found(void **state)
{
    static const char *const words[] = {"parallel",       "deadline", "cas", "instance",
                                        "min_registered", "a",        NULL};
    static const struct {
        const char *word, *want;
    } cases[] = {
        {"paralel", "parallel"},
        {"parrallell", "parallel"},
        {"dedline", "deadline"},
        {"cass", "cas"},
        {"csa", "cas"},
        {"Instance", "instance"},
        {"min-registered", "min_registered"},
        {"registered", "min_registered"},
        {"x", NULL},
        {"", NULL},
        {"something", NULL},
        {"cas", "cas"},
        {LONG_63 LONG_63, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++)
        if (!text_equal(text_nearest(cases[i].word, words), cases[i].want))
            fail_msg("'%s' gives '%s'", cases[i].word, text_nearest(cases[i].word, words));
}

static void overlong_candidates_are_never_near(void **state)
{
    static const char *const words[] = {LONG_63 "n", NULL};

    (void)state;
    assert_null(text_nearest(LONG_63, words));
}

static void the_hash_is_sha256_of_the_text(void **state)
{
    char hex[65];

    (void)state;
    assert_int_equal(text_sha256("abc", 3, hex), 0);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(text_sha256("", 0, hex), 0);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void without_memory_nothing_is_made_up(void **state)
{
    char *copy = NULL;

    (void)state;
    chaos_left = 0;
    assert_int_equal(text_dup("x", &copy), CASB_ENOMEM);
    chaos_left = -1;
    assert_null(copy);
}

static void a_word_is_a_choice_as_a_whole_and_alone(void **state)
{
    static const struct {
        const char *words, *text;
        int want;
    } cases[] = {
        {"one|two", "one", 0},
        {"one|two", "two", 1},
        {"one|on", "on", 1},
        {"one", "one", 0},
        {"one|two", "one|two", -1},
        {"one|two", "two|", -1},
        {"one|two", "|", -1},
        {"one|two", "on", -1},
        {"one|two", "ones", -1},
        {"one|two", "", -1},
        {"", "one", -1},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++)
        if (text_word_index(cases[i].words, cases[i].text) != cases[i].want)
            fail_msg("'%s' of '%s'", cases[i].text, cases[i].words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_cleaned),
        cmocka_unit_test(each_character_comes_out_or_is_a_blank),
        cmocka_unit_test(hidden_characters_are_known),
        cmocka_unit_test(long_text_is_cut_at_a_character),
        cmocka_unit_test(bytes_are_cleaned_without_terminator),
        cmocka_unit_test(null_is_a_text_of_its_own),
        cmocka_unit_test(a_word_is_a_choice_as_a_whole_and_alone),
        cmocka_unit_test(numbers_are_parsed),
        cmocka_unit_test(durations_are_parsed),
        cmocka_unit_test(some_durations_may_be_zero),
        cmocka_unit_test(wrong_durations_are_refused),
        cmocka_unit_test(the_hash_is_sha256_of_the_text),
        cmocka_unit_test(the_nearest_word_is_found),
        cmocka_unit_test(overlong_candidates_are_never_near),
        cmocka_unit_test(without_memory_nothing_is_made_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
