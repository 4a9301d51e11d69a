/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "base/label.h"
#include "unit/chaos.h"

#define LONG_50 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx"
#define LONG_63 LONG_50 "abcdefghijklm"

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
    char out[LABEL_BYTES];
    size_t len;

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        label_make(out, 63, cases[i].text);
        assert_true(label_is_valid(out));
        len = strlen(cases[i].want);
        if (strncmp(out, cases[i].want, len) != 0 || strlen(out) != len + (cases[i].hash ? 11 : 0))
            fail_msg("'%s' gives '%s'", cases[i].text, out);
        assert_true(!cases[i].hash || out[len] == '-');
    }
}

static void a_label_ends_with_the_hash_of_its_text(void **state)
{
    char out[LABEL_BYTES];

    (void)state;
    assert_string_equal(label_make(out, 63, ""), "x-e3b0c44298");
}

static void labels_keep_to_a_shorter_bound(void **state)
{
    char out[LABEL_BYTES];

    (void)state;
    assert_string_equal(label_make(out, 16, "sixteen-long-abc"), "sixteen-long-abc");
    assert_int_equal(strlen(label_make(out, 16, "seventeen-long-ab")), 16);
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
    char labels[ELEMENTS(names)][LABEL_BYTES], again[LABEL_BYTES];

    (void)state;
    for (size_t b = 0; b < ELEMENTS(bases); b++) {
        for (size_t i = 0; i < ELEMENTS(names); i++) {
            label_join(labels[i], bases[b], names[i]);
            assert_true(label_is_valid(labels[i]));
            assert_string_equal(label_join(again, bases[b], names[i]), labels[i]);
            for (size_t j = 0; j < i; j++)
                assert_string_not_equal(labels[i], labels[j]);
        }
    }
}

static void a_name_cannot_be_made_to_look_like_another_label(void **state)
{
    char victim[LABEL_BYTES], forged[LABEL_BYTES];

    (void)state;
    label_make(victim, 63, "node.a");
    assert_string_not_equal(label_make(forged, 63, victim), victim);
}

static void simple_names_stay_readable(void **state)
{
    char out[LABEL_BYTES];

    (void)state;
    assert_string_equal(label_join(out, "mycas", "node-1"), "mycas-node-1");
    label_join(out, "mycas", "node-1.example.com");
    assert_memory_equal(out, "mycas-node-1-example-com-", 25);
}

static void labels_are_recognised(void **state)
{
    (void)state;
    assert_true(label_is_valid("a"));
    assert_true(label_is_valid(LONG_63));
    assert_false(label_is_valid(""));
    assert_false(label_is_valid(LONG_63 "n"));
    assert_false(label_is_valid("A"));
    assert_false(label_is_valid("a.b"));
    assert_false(label_is_valid("-a"));
    assert_false(label_is_valid("a-"));
}

static void without_memory_there_is_no_label(void **state)
{
    char out[LABEL_BYTES] = "old";

    (void)state;
    chaos_left = 0;
    label_join(out, "a", "b");
    chaos_left = -1;
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_made_from_any_text),
        cmocka_unit_test(a_label_ends_with_the_hash_of_its_text),
        cmocka_unit_test(labels_keep_to_a_shorter_bound),
        cmocka_unit_test(names_under_one_base_never_share_a_label),
        cmocka_unit_test(a_name_cannot_be_made_to_look_like_another_label),
        cmocka_unit_test(simple_names_stay_readable),
        cmocka_unit_test(labels_are_recognised),
        cmocka_unit_test(without_memory_there_is_no_label),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
