/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/text.h"
#include "chaos.h"

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

static void addresses_are_split_and_joined(void **state)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
        const char *joined;
    } cases[] = {
        {"cas", "cas", 8081, "cas:8081"},
        {"cas:1", "cas", 1, "cas:1"},
        {"my_cas_1", "my_cas_1", 8081, "my_cas_1:8081"},
        {"cas:65535", "cas", 65535, "cas:65535"},
        {"scone-cas.cf", "scone-cas.cf", 8081, "scone-cas.cf:8081"},
        {"4u.Example.ORG:443", "4u.Example.ORG", 443, "4u.Example.ORG:443"},
        {"192.0.2.10", "192.0.2.10", 8081, "192.0.2.10:8081"},
        {"192.0.2.10:80", "192.0.2.10", 80, "192.0.2.10:80"},
        {"::1", "::1", 8081, "[::1]:8081"},
        {"[::1]", "::1", 8081, "[::1]:8081"},
        {"[::1]:443", "::1", 443, "[::1]:443"},
        {"2001:db8::10:80", "2001:db8::10:80", 8081, "[2001:db8::10:80]:8081"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1", 8081, "[::ffff:192.0.2.1]:8081"},
        {LONG_63 ".com", LONG_63 ".com", 8081, LONG_63 ".com:8081"},
    };
    char host[256], joined[300];
    uint16_t port;

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        if (text_parse_address(cases[i].text, 8081, host, &port))
            fail_msg("'%s' is refused", cases[i].text);
        assert_string_equal(host, cases[i].host);
        assert_int_equal(port, cases[i].port);
        assert_int_equal(text_join_address(joined, sizeof joined, host, port), 0);
        assert_string_equal(joined, cases[i].joined);
    }
}

static void wrong_addresses_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        ":",
        ":80",
        "cas:",
        "cas:0",
        "cas:65536",
        "cas:-1",
        "cas:8081x",
        "cas:80:80",
        "cas 80",
        "-cas",
        "cas-",
        "cas..x",
        ".cas",
        "cas.",
        "a_-",
        "cas/path",
        "https://cas",
        "user@cas",
        "[::1",
        "::1]",
        "[]",
        "[cas]:80",
        "[192.0.2.1]:80",
        "[::1]80",
        "[::1]:",
        "[[::1]]",
        "192.0.2.256",
        "192.0.2",
        "8081",
        "1:2:3",
        "fe80::1%lo",
        "k\303\266ln",
        "cas\n",
        "--help",
        "-Scas",
        LONG_63 "x",
        LONG_63 "." LONG_63 "." LONG_63 "." LONG_63,
        LONG_63 "." LONG_63 "." LONG_63 "." LONG_63 "." LONG_63,
    };
    char host[256] = "same";
    uint16_t port = 42;

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++)
        if (text_parse_address(cases[i], 8081, host, &port) != CASB_EINVALID)
            fail_msg("'%s' is accepted", cases[i]);
    assert_string_equal(host, "same");
    assert_int_equal(port, 42);
}

static void joining_refuses_what_is_too_long(void **state)
{
    char out[9];

    (void)state;
    assert_int_equal(text_join_address(out, sizeof out, "cas", 8081), 0);
    assert_int_equal(text_join_address(out, sizeof out, "cas5", 8081), CASB_EINVALID);
}

static void labels_are_made_from_any_text(void **state)
{
    static const struct {
        const char *text, *want; /* want: what is in front of '-' and the hash, or all of it */
        bool hash;
    } cases[] = {
        {"a", "a", false},
        {"node-1", "node-1", false},
        {"0a--b9", "0a--b9", false},
        {LONG_63, LONG_63, false},
        {LONG_63 "n", LONG_50 "ab", true},
        {"Node", "node", true},
        {"node.example.com", "node-example-com", true},
        {"mycas:8081", "mycas-8081", true},
        {"-a-", "a", true},
        {"..", "x", true},
        {"", "x", true},
        {"k\303\266ln", "k-ln", true},
        {"ip-0123456789", "ip-0123456789", true}, /* ends as if it had a hash */
        {"ip-012345678g", "ip-012345678g", false},
        {"abcdef0123", "abcdef0123", false},
        {LONG_50 "a..........", LONG_50 "a", true}, /* cut behind a '-' */
    };
    char out[TEXT_LABEL_BYTES];
    size_t len;

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        text_label(out, 63, cases[i].text);
        assert_true(text_is_label(out));
        len = strlen(cases[i].want);
        if (strncmp(out, cases[i].want, len) != 0 || strlen(out) != len + (cases[i].hash ? 11 : 0))
            fail_msg("'%s' gives '%s'", cases[i].text, out);
        assert_true(!cases[i].hash || out[len] == '-');
    }
}

static void the_hash_is_sha256_of_the_text(void **state)
{
    char out[TEXT_LABEL_BYTES], hex[65];

    (void)state;
    assert_int_equal(text_sha256("abc", 3, hex), 0);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(text_sha256("", 0, hex), 0);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_string_equal(text_label(out, 63, ""), "x-e3b0c44298");
}

static void labels_keep_to_a_shorter_bound(void **state)
{
    char out[TEXT_LABEL_BYTES];

    (void)state;
    assert_string_equal(text_label(out, 16, "sixteen-long-abc"), "sixteen-long-abc");
    assert_int_equal(strlen(text_label(out, 16, "seventeen-long-ab")), 16);
    assert_memory_equal(out, "seven-", 6);
}

static void names_under_one_base_never_share_a_label(void **state)
{
    static const char *const bases[] = {"cas", "CAS.example.com", LONG_63, LONG_63 LONG_63, ""};
    static const char *const names[] = {
        "a-b",   "a.b",       "A-b",       "a--b",     "a_-",        "a-b-",
        "-a-b",  "a..b",      "node",      "Node",     "node.",      "",
        LONG_63, LONG_63 "a", LONG_63 "b", LONG_50,    LONG_63 ".a", LONG_63 "-a",
        "x",     "X",         "\303\266",  "\303\244", "a b",        "a-b-0123456789",
    };
    char labels[ELEMENTS(names)][TEXT_LABEL_BYTES], again[TEXT_LABEL_BYTES];

    (void)state;
    for (size_t b = 0; b < ELEMENTS(bases); b++) {
        for (size_t i = 0; i < ELEMENTS(names); i++) {
            text_label_join(labels[i], bases[b], names[i]);
            assert_true(text_is_label(labels[i]));
            assert_string_equal(text_label_join(again, bases[b], names[i]), labels[i]);
            for (size_t j = 0; j < i; j++)
                assert_string_not_equal(labels[i], labels[j]);
        }
    }
}

static void a_name_cannot_be_made_to_look_like_another_label(void **state)
{
    char victim[TEXT_LABEL_BYTES], forged[TEXT_LABEL_BYTES];

    (void)state;
    text_label(victim, 63, "node.a");
    assert_string_not_equal(text_label(forged, 63, victim), victim);
}

static void simple_names_stay_readable(void **state)
{
    char out[TEXT_LABEL_BYTES];

    (void)state;
    assert_string_equal(text_label_join(out, "mycas", "node-1"), "mycas-node-1");
    text_label_join(out, "mycas", "node-1.example.com");
    assert_memory_equal(out, "mycas-node-1-example-com-", 25);
}

static void labels_are_recognised(void **state)
{
    (void)state;
    assert_true(text_is_label("a"));
    assert_true(text_is_label(LONG_63));
    assert_false(text_is_label(""));
    assert_false(text_is_label(LONG_63 "n"));
    assert_false(text_is_label("A"));
    assert_false(text_is_label("a.b"));
    assert_false(text_is_label("-a"));
    assert_false(text_is_label("a-"));
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

static void without_memory_nothing_is_made_up(void **state)
{
    char *copy = NULL, out[TEXT_LABEL_BYTES] = "old";

    (void)state;
    chaos_left = 0;
    assert_int_equal(text_dup("x", &copy), CASB_ENOMEM);
    text_label_join(out, "a", "b");
    chaos_left = -1;
    assert_null(copy);
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_cleaned),
        cmocka_unit_test(long_text_is_cut_at_a_character),
        cmocka_unit_test(bytes_are_cleaned_without_terminator),
        cmocka_unit_test(null_is_a_text_of_its_own),
        cmocka_unit_test(numbers_are_parsed),
        cmocka_unit_test(durations_are_parsed),
        cmocka_unit_test(wrong_durations_are_refused),
        cmocka_unit_test(addresses_are_split_and_joined),
        cmocka_unit_test(wrong_addresses_are_refused),
        cmocka_unit_test(joining_refuses_what_is_too_long),
        cmocka_unit_test(labels_are_made_from_any_text),
        cmocka_unit_test(the_hash_is_sha256_of_the_text),
        cmocka_unit_test(labels_keep_to_a_shorter_bound),
        cmocka_unit_test(names_under_one_base_never_share_a_label),
        cmocka_unit_test(a_name_cannot_be_made_to_look_like_another_label),
        cmocka_unit_test(simple_names_stay_readable),
        cmocka_unit_test(labels_are_recognised),
        cmocka_unit_test(the_nearest_word_is_found),
        cmocka_unit_test(overlong_candidates_are_never_near),
        cmocka_unit_test(without_memory_nothing_is_made_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
