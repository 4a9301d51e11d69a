/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "kit/redact.h"

#include <jansson.h>

#define SEED  "9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015"
#define BLOCK "-----BEGIN PRIVATE KEY-----\\nMIGHAgEAMBMGByqGSM49\\n-----END PRIVATE KEY-----\\n"
#define CERT  "-----BEGIN CERTIFICATE-----\\nMIIBTDCB86ADAgECAggQ\\n-----END CERTIFICATE-----\\n"
#define JWT   "eyJhbGciOiJF.eyJzdWIiOiIx.c2lnbmF0dXJl"

static void expect(const char *value, const char *want)
{
    _cleanup_(buf_free) struct buf secrets = BUF_INIT(256);
    json_auto_t *given = json_loads(value, 0, NULL);
    json_auto_t *wanted = json_loads(want, 0, NULL);
    json_auto_t *got = NULL;
    struct redact redact;

    /* as secrets_collect() has them */
    assert_int_equal(buf_append(&secrets, SEED, sizeof SEED), 0);
    assert_int_equal(buf_append(&secrets, "a-shorter-secret", sizeof "a-shorter-secret"), 0);
    assert_non_null(given);
    assert_non_null(wanted);
    redact_init(&redact, &secrets);
    got = redact_value(&redact, NULL, given);
    redact_done(&redact);
    if (!json_equal(got, wanted)) {
        _cleanup_(freep) char *text = json_dumps(got, JSON_COMPACT);

        fail_msg("%s: got %s, want %s", value, text, want);
    }
}

static void secrets_are_taken_out_by_name_form_and_content(void **state)
{
    static const struct {
        const char *value, *want;
    } rows[] = {
        {"{}", "{}"},
        {"{\"certificate\": \"" CERT "\", \"n\": 1, \"b\": true, \"z\": null}",
         "{\"certificate\": \"" CERT "\", \"n\": 1, \"b\": true, \"z\": null}"},
        {"{\"access_token\": \"abc\"}", "{\"access_token\": \"(taken out 1)\"}"},
        {"{\"Authorization\": \"Bearer x\"}", "{\"Authorization\": \"(taken out 1)\"}"},
        {"{\"a\": {\"db_key\": \"k\"}, \"c\": [{\"password\": \"p\"}]}",
         "{\"a\": {\"db_key\": \"(taken out 1)\"}, \"c\": [{\"password\": \"(taken out 2)\"}]}"},
        {"{\"key\": \"same\", \"deeper\": {\"token\": \"same\"}, \"key2\": \"other\"}",
         "{\"key\": \"(taken out 1)\", \"deeper\": {\"token\": \"(taken out 1)\"},"
         " \"key2\": \"(taken out 2)\"}"},
        {"{\"public_key\": \"p\", \"key_hash\": \"h\"}",
         "{\"public_key\": \"p\", \"key_hash\": \"h\"}"},
        {"{\"seed\": [1, 2, 3]}", "{\"seed\": \"(taken out 1)\"}"},
        {"{\"keys\": [\"a\", \"b\"]}", "{\"keys\": [\"(taken out 1)\", \"(taken out 2)\"]}"},
        {"{\"keys\": [{\"id\": 1}]}", "{\"keys\": [{\"id\": 1}]}"},
        {"{\"pem\": \"" CERT BLOCK CERT "\"}", "{\"pem\": \"" CERT "(taken out 1)\\n" CERT "\"}"},
        {"{\"pem\": \"" BLOCK BLOCK "\"}", "{\"pem\": \"(taken out 1)\\n(taken out 1)\\n\"}"},
        {"{\"pem\": \"-----BEGIN EC PRIVATE KEY-----\\nMIGH\"}", "{\"pem\": \"(taken out 1)\"}"},
        {"{\"x\": \"" JWT "\"}", "{\"x\": \"(taken out 1)\"}"},
        {"{\"x\": \"registry.example.org\"}", "{\"x\": \"registry.example.org\"}"},
        {"{\"x\": \"it is " SEED "\"}", "{\"x\": \"(taken out 1)\"}"},
        {"{\"x\": \"it is a-shorter-secret.\"}", "{\"x\": \"(taken out 1)\"}"},
        {"{\"x\": \"it is a-shorter-secre\"}", "{\"x\": \"it is a-shorter-secre\"}"},
        {"[\"a\", [\"" JWT "\"]]", "[\"a\", [\"(taken out 1)\"]]"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++)
        expect(rows[i].value, rows[i].want);
}

static void a_query_has_names_too(void **state)
{
    static const struct {
        const char *path, *want;
    } rows[] = {
        {"/v1/backups", "/v1/backups"},
        {"/v1/backups?", "/v1/backups?"},
        {"/v1/backups?a=1&token=x&b", "/v1/backups?a=1&token=(taken out 1)&b"},
        {"/v1/backups?token=x&key=x", "/v1/backups?token=(taken out 1)&key=(taken out 1)"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        struct buf secrets = BUF_INIT(64);
        struct redact redact;
        char *got;

        redact_init(&redact, &secrets);
        got = redact_path(&redact, rows[i].path);
        assert_string_equal(got, rows[i].want);
        free(got);
        redact_done(&redact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_taken_out_by_name_form_and_content),
        cmocka_unit_test(a_query_has_names_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
