/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/laslog.h"

#include <cas-backup/error.h>

#define KEY_A "A470CDA5245AF18EF5D8D3E1B30982A3BC74848376CA4FD03237C0F342E97239"
#define KEY_B "B470CDA5245AF18EF5D8D3E1B30982A3BC74848376CA4FD03237C0F342E97239"
#define LOW_A "a470cda5245af18ef5d8d3e1b30982a3bc74848376ca4fd03237c0f342e97239"
#define LINE  "[10000:INFO@04.05.2020/11:01:44] STARTER: SCONE QE has "

#define QE    "eee9e58d0a1b2c3d4e5f60718293a4b5"
#define QE_UP "EEE9E58D0A1B2C3D4E5F60718293A4B5"
#define LINE7 "2026-02-23T10:07:36.762576Z  INFO Intel QE ID: "

static void documented_logs_have_their_identity(void **state)
{
    static const struct {
        const char *file, *want;
        enum casb_identity_kind kind;
    } cases[] = {{"las.log", KEY_A, CASB_LAS_KEY}, {"las-7.log", QE, CASB_LAS_QE_ID}};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct casb_identity identity;
        char path[512], text[4096];
        FILE *f = fopen(unit_data(path, sizeof path, cases[i].file), "r");
        size_t len;

        assert_non_null(f);
        len = fread(text, 1, sizeof text, f);
        fclose(f);
        assert_int_equal(laslog_parse(text, len, &identity), 0);
        assert_int_equal(identity.kind, cases[i].kind);
        assert_string_equal(identity.text, cases[i].want);
    }
}

/* `want` NULL: no key. */
static const struct {
    const char *what, *log, *want;
} logs[] = {
    {"an empty log", "", NULL},
    {"no key yet", LINE "MRENCLAVE " KEY_A "\n", NULL},
    {"a key", LINE "public key " KEY_A "\n", KEY_A},
    {"lower case is made upper", LINE "public key " LOW_A "\n", KEY_A},
    {"a last line without an end", LINE "public key " KEY_A, KEY_A},
    {"CRLF", LINE "public key " KEY_A "\r\nx\r\n", KEY_A},
    {"a colon and several blanks", "public key:  \t" KEY_A "\n", KEY_A},
    {"the last start counts", LINE "public key " KEY_A "\n" LINE "public key " KEY_B "\n", KEY_B},
    {"MRENCLAVE after it is not it", LINE "public key " KEY_A "\n" LINE "MRENCLAVE " KEY_B "\n",
     KEY_A},
    {"a damaged line after it does not count",
     LINE "public key " KEY_A "\n" LINE "public key B470\n", KEY_A},
    {"a cut key", LINE "public key A470CDA5", NULL},
    {"a digit too many", LINE "public key " KEY_A "0\n", NULL},
    {"a letter in it", LINE "public key G" KEY_A "\n", NULL},
    {"the next line's word is not it", LINE "public key\n" KEY_A "\n", NULL},
    {"the words twice", "public key public key " KEY_A, KEY_A},
    {"a QE ID", LINE7 QE "\n", QE},
    {"upper case is made lower", LINE7 QE_UP "\n", QE},
    {"the last line of LAS 7 without an end", LINE7 QE, QE},
    {"a QE ID of too few digits", LINE7 "eee9e58d\n", NULL},
    {"a QE ID of too many", LINE7 KEY_A "\n", NULL},
    {"a key of too few", LINE "public key " QE "\n", NULL},
    {"from 6 to 7", LINE "public key " KEY_A "\n" LINE7 QE "\n", QE},
    {"from 7 to 6", LINE7 QE "\n" LINE "public key " KEY_A "\n", KEY_A},
    {"from 6 to 7, damaged", LINE "public key " KEY_A "\n" LINE7 "\n", KEY_A},
};

static void the_last_identity_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS(logs); i++) {
        struct casb_identity key = {.text = "untouched"};
        int r = laslog_parse(logs[i].log, strlen(logs[i].log), &key);

        print_message("# %s\n", logs[i].what);
        assert_int_equal(r, logs[i].want ? 0 : CASB_ENOTFOUND);
        assert_string_equal(key.text, logs[i].want ? logs[i].want : "untouched");
        assert_int_equal(key.kind, !logs[i].want                   ? CASB_UNIDENTIFIED
                                   : strcmp(logs[i].want, QE) == 0 ? CASB_LAS_QE_ID
                                                                   : CASB_LAS_KEY);
    }
}

static void any_bytes_may_be_around_a_key(void **state)
{
    const char log[] = "\0\xff public key " KEY_A "\0\0 more";
    struct casb_identity key;

    (void)state;
    assert_int_equal(laslog_parse(log, sizeof log, &key), 0);
    assert_string_equal(key.text, KEY_A);
}

static void nothing_is_read_beyond_the_end(void **state)
{
    const char *log = "public key " KEY_A;
    struct casb_identity key;

    (void)state;
    for (size_t len = 0; len < strlen(log); len++) {
        _cleanup_(freep) char *exact = malloc(len + !len);

        assert_non_null(exact);
        memcpy(exact, log, len);
        assert_int_equal(laslog_parse(exact, len, &key), CASB_ENOTFOUND);
    }
}

static void a_bare_key_is_64_digits_and_nothing_else(void **state)
{
    struct casb_identity key = {.text = "untouched"};

    (void)state;
    assert_int_equal(laslog_take_key(KEY_A "\n", strlen(KEY_A) + 1, &key), CASB_EINVALID);
    assert_int_equal(laslog_take_key(KEY_A, strlen(KEY_A) - 1, &key), CASB_EINVALID);
    assert_string_equal(key.text, "untouched");
    assert_int_equal(laslog_take_key(LOW_A, strlen(LOW_A), &key), 0);
    assert_string_equal(key.text, KEY_A);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documented_logs_have_their_identity),
        cmocka_unit_test(the_last_identity_counts),
        cmocka_unit_test(any_bytes_may_be_around_a_key),
        cmocka_unit_test(nothing_is_read_beyond_the_end),
        cmocka_unit_test(a_bare_key_is_64_digits_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
