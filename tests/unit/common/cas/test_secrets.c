/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "unit/chaos.h"

#include "base/jsonx.h"
#include "common/cas/secrets.h"

#include <cas-backup/error.h>

/* The seed of a key in the forms in which a CLI may keep it. */
#define HEX    "9f86d081884c7d659a2feaa0c55ad015"
#define BASE64 "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is"
#define LIST   "[159,134,208,129,136,76,125,101,154,47]"
#define SPACED "[159, 134, 208, 129, 136, 76, 125, 101, 154, 47]"
#define PEM                                                                                        \
    "-----BEGIN CERTIFICATE-----\\nCERTIFICATEcertificate\\n-----END CERTIFICATE-----\\n"          \
    "-----BEGIN EC PRIVATE KEY-----\\nMIGHAgEAMBMGByqGSM49\\nzCbZz7FeVZeDemn/AAB=\\n"              \
    "-----END EC PRIVATE KEY-----\\n-----BEGIN CERTIFICATE-----\\nCERTIFICATEcertificate\\n"       \
    "-----END CERTIFICATE-----\\n-----BEGIN PRIVATE KEY-----\\nsecondKEYsecondKEY\\n"

static const char config[] =
    "{\"default_cas\": \"a-name-that-is-long\", \"identity\": \"" PEM "\","
    " \"session_signing_keypair_ed25519_seed\": \"" HEX "\", \"more\": {\"in\": [\"" BASE64 "\"]},"
    " \"list\": " LIST ", \"short\": \"7.0.0-alpha.4\", \"count\": 1234567890123456, \"cas_db\":"
    " {\"mycas\": {\"url\": \"https://mycas.example.org:8081/\", \"chain\": \"a chain of "
    "certificates\","
    " \"session_key\": \""
    "a-key-of-a-session"
    "\", \"report\": {\"api_token\": [\"tttttttttttttttt\"],"
    " \"body\": \"what was attested\"}}}}";

static void secrets_of(const char *text, struct buf *ret)
{
    json_auto_t *tree = NULL;
    struct casb_error err = {0};

    assert_int_equal(jsonx_parse(text, strlen(text), "test", &tree, &err), 0);
    assert_int_equal(secrets_collect(tree, ret), 0);
}

static void what_is_secret_is_masked_and_nothing_else(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", ""},
        {"Error: no identity", "Error: no identity"},
        {"seed " HEX ".", "seed ********************************."},
        {"a part: "
         "d081884c7d65"
         " of it",
         "a part: ************ of it"},
        {"too short a part: "
         "d081884c7d6",
         "too short a part: d081884c7d6"},
        {"deeper: '" BASE64 "'", "deeper: '********************************'"},
        {"as it is: zCbZz7FeVZeDemn/", "as it is: ****************"},
        {"over lines: SM49\nzCbZz7FeVZ", "over lines: ***************"},
        {"as JSON: SM49\\nzCbZz7FeVZ", "as JSON: ****************"},
        {"its end: Demn/AAB=\\n\"", "its end: ************"},
        {"another key: secondKEYsecondKEY", "another key: ******************"},
        {"a certificate: -----BEGIN CERTIFICATE-----\nCERTIFICATEcertificate",
         "a certificate: -----BEGIN CERTIFICATE-----\nCERTIFICATEcertificate"},
        {"-----BEGIN PRIVATE KEY-----\nunknown", "-----BEGIN PRIVATE KEY-----\nunknown"},
        {"a list: 136,76,125,101", "a list: **************"},
        {"another: [136, 76, 125, 101]", "another: [*****************]"},
        {"by name: a-key-of-a-session", "by name: ******************"},
        {"by name: ttttttttttttt", "by name: *************"},
        {"a-name-that-is-long https://mycas.example.org:8081/ a chain of certificates",
         "a-name-that-is-long https://mycas.example.org:8081/ a chain of certificates"},
        {"what was attested 7.0.0-alpha.4 1234567890123456",
         "what was attested 7.0.0-alpha.4 1234567890123456"},
    };
    _cleanup_(buf_free_secret) struct buf secrets = BUF_INIT(4096);

    (void)state;
    secrets_of(config, &secrets);
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        _cleanup_(buf_free) struct buf text = BUF_INIT(4096);

        assert_int_equal(buf_puts(&text, rows[i].text), 0);
        secrets_mask(&secrets, &text);
        assert_string_equal(buf_text(&text), rows[i].want);
    }
}

/* Whatever piece of the seed is printed, and wherever. */
static void no_run_of_a_secret_is_left(void **state)
{
    _cleanup_(buf_free_secret) struct buf secrets = BUF_INIT(4096);

    (void)state;
    secrets_of(config, &secrets);
    for (size_t from = 0; from + 12 <= strlen(HEX); from++) {
        for (size_t len = 12; from + len <= strlen(HEX); len++) {
            _cleanup_(buf_free) struct buf text = BUF_INIT(4096);

            assert_int_equal(buf_printf(&text, "<%.*s>", (int)len, &HEX[from]), 0);
            secrets_mask(&secrets, &text);
            assert_int_equal(strspn(text.data + 1, "*"), len);
            assert_int_equal(text.data[0], '<');
            assert_string_equal(text.data + 1 + len, ">");
        }
    }
}

static void without_secrets_nothing_is_masked(void **state)
{
    _cleanup_(buf_free_secret) struct buf secrets = BUF_INIT(4096);
    _cleanup_(buf_free) struct buf text = BUF_INIT(64);

    (void)state;
    assert_int_equal(buf_puts(&text, "some text of a program"), 0);
    secrets_of("{}", &secrets);
    secrets_mask(&secrets, &text);
    assert_string_equal(buf_text(&text), "some text of a program");
}

static void too_much_or_no_memory_is_an_error(void **state)
{
    _cleanup_(buf_free_secret) struct buf few = BUF_INIT(20), secrets = BUF_INIT(4096);
    json_auto_t *tree = NULL;
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(jsonx_parse(config, strlen(config), "test", &tree, &err), 0);
    assert_int_equal(secrets_collect(tree, &few), CASB_EINVALID);
    chaos_left = 0;
    assert_int_equal(secrets_collect(tree, &secrets), CASB_ENOMEM);
    chaos_left = -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_secret_is_masked_and_nothing_else),
        cmocka_unit_test(no_run_of_a_secret_is_left),
        cmocka_unit_test(without_secrets_nothing_is_masked),
        cmocka_unit_test(too_much_or_no_memory_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
