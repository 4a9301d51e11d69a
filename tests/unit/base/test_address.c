/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/address.h"

#include <cas-backup/error.h>

#define LONG_50 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx"
#define LONG_63 LONG_50 "abcdefghijklm"

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
        {"cas.", "cas.", 8081, "cas.:8081"},
        {"cas.example.org.:1", "cas.example.org.", 1, "cas.example.org.:1"},
        {"cas:", "cas", 8081, "cas:8081"},
        {"cas.:", "cas.", 8081, "cas.:8081"},
        {"[::1]:", "::1", 8081, "[::1]:8081"},
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
        if (address_parse(cases[i].text, 8081, host, &port))
            fail_msg("'%s' is refused", cases[i].text);
        assert_string_equal(host, cases[i].host);
        assert_int_equal(port, cases[i].port);
        assert_int_equal(address_join(joined, sizeof joined, host, port), 0);
        assert_string_equal(joined, cases[i].joined);
    }
}

static void wrong_addresses_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        ":",
        ":80",
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
        "cas..",
        "cas..:80",
        ".",
        "..",
        ".:80",
        "192.0.2.1.",
        "[::1.]",
        "::1.",
        "8081.",
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
        if (address_parse(cases[i], 8081, host, &port) != CASB_EINVALID)
            fail_msg("'%s' is accepted", cases[i]);
    assert_string_equal(host, "same");
    assert_int_equal(port, 42);
}

static void hosts_are_the_same_in_any_letters_and_with_a_final_dot(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"cas", "cas", true},   {"cas", "CAS.", true},     {"cas.", "Cas.", true},
        {"cas", "cas2", false}, {"cas.x", "cas", false},   {"::1", "::1", true},
        {"", "cas", false},     {"cas.x.", "cas.x", true},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        assert_int_equal(address_same_host(cases[i].a, cases[i].b), cases[i].same);
        assert_int_equal(address_same_host(cases[i].b, cases[i].a), cases[i].same);
    }
}

static void joining_refuses_what_is_too_long(void **state)
{
    char out[9];

    (void)state;
    assert_int_equal(address_join(out, sizeof out, "cas", 8081), 0);
    assert_int_equal(address_join(out, sizeof out, "cas5", 8081), CASB_EINVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_split_and_joined),
        cmocka_unit_test(wrong_addresses_are_refused),
        cmocka_unit_test(hosts_are_the_same_in_any_letters_and_with_a_final_dot),
        cmocka_unit_test(joining_refuses_what_is_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
