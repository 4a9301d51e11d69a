/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/text.h"

#include <cas-backup/error.h>

static void cleaning_leaves_one_line_of_valid_utf8(void **state)
{
    static const struct {
        const char *in, *want;
    } table[] = {
        {"plain", "plain"},
        {"", ""},
        {"two\r\n  lines\t", "two lines"},
        {"\033[31mred\033[0m", "red"},
        {"a\033]b", "a b"},
        {"bell\007", "bell"},
        {"bad \xff\xfe", "bad ??"},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"overlong \xc0\xaf", "overlong ??"},
        {"surrogate \xed\xa0\x80", "surrogate ???"},
        {"c1 \xc2\x9b", "c1"},
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++)
        assert_string_equal(text_clean(out, sizeof out, table[i].in), table[i].want);
}

static void cutting_respects_characters(void **state)
{
    char out[8];

    (void)state;
    assert_string_equal(text_clean(out, sizeof out, "1234567"), "1234567");
    assert_string_equal(text_clean(out, sizeof out, "12345678"), "1234...");
    assert_string_equal(text_clean(out, sizeof out, "123\xc3\xa4\xc3\xa4\xc3\xa4"), "123...");
    assert_string_equal(text_clean(out, 1, "x"), "");
}

static void durations(void **state)
{
    static const struct {
        const char *in;
        int64_t want; /* ns; 0: refused */
    } table[] = {
        {"90s", INT64_C(90000000000)},
        {"5m", INT64_C(300000000000)},
        {"1h30m", INT64_C(5400000000000)},
        {"200ms", 200000000},
        {"90d", INT64_C(7776000000000000)},
        {"0s", 0},
        {"", 0},
        {"10", 0},
        {"s", 0},
        {"-1s", 0},
        {"1.5s", 0},
        {"1 s", 0},
        {"1x", 0},
        {"99999999999999999999s", 0},
        {"40000d", 0},
    };
    int64_t ns;

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        ns = 0;
        assert_int_equal(text_parse_duration(table[i].in, &ns), table[i].want ? 0 : CASB_EINVALID);
        assert_true(ns == table[i].want);
    }
}

static void addresses(void **state)
{
    static const struct {
        const char *in, *host; /* NULL: refused */
        uint16_t port;
    } table[] = {
        {"cas", "cas", 8081},
        {"cas.example.com:18765", "cas.example.com", 18765},
        {"192.0.2.1", "192.0.2.1", 8081},
        {"[2001:db8::1]:443", "2001:db8::1", 443},
        {"[::1]", "::1", 8081},
        {"::1", "::1", 8081},
        {"cas:0", NULL, 0},
        {"cas:65536", NULL, 0},
        {"cas:", NULL, 0},
        {"", NULL, 0},
        {":8081", NULL, 0},
        {"[cas]:1", NULL, 0},
        {"[::1", NULL, 0},
        {"[::1]x", NULL, 0},
        {"a b", NULL, 0},
        {"-a", NULL, 0},
        {"a-.b", NULL, 0},
        {"a..b", NULL, 0},
        {"https://cas", NULL, 0},
    };
    char host[256];
    uint16_t port;

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        int r = text_parse_address(table[i].in, 8081, host, &port);

        assert_int_equal(r, table[i].host ? 0 : CASB_EINVALID);
        if (!table[i].host)
            continue;
        assert_string_equal(host, table[i].host);
        assert_int_equal(port, table[i].port);
    }
}

static void joined_addresses_put_ipv6_in_brackets(void **state)
{
    char out[64];

    (void)state;
    assert_int_equal(text_join_address(out, sizeof out, "10.0.0.1", 8081), 0);
    assert_string_equal(out, "10.0.0.1:8081");
    assert_int_equal(text_join_address(out, sizeof out, "fd00::1", 8081), 0);
    assert_string_equal(out, "[fd00::1]:8081");
    assert_int_equal(text_join_address(out, 8, "10.0.0.1", 8081), CASB_EINVALID);
}

static void labels_are_valid_and_never_shared(void **state)
{
    static const char *const names[] = {
        "node-1",
        "Node-1",
        "NODE-1",
        "node.1",
        "node_1",
        "node--1",
        "node-1-",
        "-node-1",
        "ip-10-0-0-1.eu-central-1.compute.internal",
        "ip-10-0-0-1.eu-central-1.compute.internal.with.a.very.long.name.that.does.not.fit.1",
        "ip-10-0-0-1.eu-central-1.compute.internal.with.a.very.long.name.that.does.not.fit.2",
        "",
        "\xc3\xa4",
        "...",
    };
    char labels[ELEMENTS(names)][TEXT_LABEL_BYTES], again[TEXT_LABEL_BYTES];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(names); i++) {
        text_label_join(labels[i], "mycas-backup", names[i]);
        assert_true(text_is_label(labels[i]));
        assert_string_equal(text_label_join(again, "mycas-backup", names[i]), labels[i]);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(labels[i], labels[k]);
    }
    assert_string_equal(labels[0], "mycas-backup-node-1");
}

static void a_label_keeps_to_its_limit(void **state)
{
    char out[TEXT_LABEL_BYTES];

    (void)state;
    assert_string_equal(text_label(out, 16, "short"), "short");
    assert_in_range(strlen(text_label(out, 16, "much-longer-than-that")), 12, 16);
    assert_true(text_is_label(out));
    assert_true(text_is_label(text_label(out, 63, "192.0.2.1:8081")));
}

static void nearest_finds_typing_errors_only(void **state)
{
    static const char *const keys[] = {"selector", "namespace", "image", NULL};

    (void)state;
    assert_string_equal(text_nearest("selektor", keys), "selector");
    assert_string_equal(text_nearest("namspace", keys), "namespace");
    assert_string_equal(text_nearest("imgae", keys), "image");
    assert_null(text_nearest("tolerations", keys));
    assert_null(text_nearest("x", keys));
}

static void integers_are_whole_and_bounded(void **state)
{
    int64_t n = 7;

    (void)state;
    assert_int_equal(text_parse_int("32", 1, 100, &n), 0);
    assert_int_equal(n, 32);
    assert_int_equal(text_parse_int("0", 1, 100, &n), CASB_EINVALID);
    assert_int_equal(text_parse_int("101", 1, 100, &n), CASB_EINVALID);
    assert_int_equal(text_parse_int(" 5", 1, 100, &n), CASB_EINVALID);
    assert_int_equal(text_parse_int("5x", 1, 100, &n), CASB_EINVALID);
    assert_int_equal(text_parse_int("99999999999999999999", 1, INT64_MAX, &n), CASB_EINVALID);
    assert_int_equal(n, 32);
}

static void sha256_is_the_known_one(void **state)
{
    char hex[65];

    (void)state;
    assert_int_equal(text_sha256("abc", 3, hex), 0);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cleaning_leaves_one_line_of_valid_utf8),
        cmocka_unit_test(cutting_respects_characters),
        cmocka_unit_test(durations),
        cmocka_unit_test(addresses),
        cmocka_unit_test(joined_addresses_put_ipv6_in_brackets),
        cmocka_unit_test(labels_are_valid_and_never_shared),
        cmocka_unit_test(a_label_keeps_to_its_limit),
        cmocka_unit_test(nearest_finds_typing_errors_only),
        cmocka_unit_test(integers_are_whole_and_bounded),
        cmocka_unit_test(sha256_is_the_known_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
