/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/file.h"
#include "registration-cas-api/answer.h"

static struct answer answer_with(int status, const char *body)
{
    return (struct answer){"x", status, body, strlen(body)};
}

static void a_refusal_says_what_the_cas_said(void **state)
{
    static const struct {
        int status;
        const char *body;
        int code;
        bool retry;
        const char *text;
    } rows[] = {
        {403, "{\"msg\": [\"Access denied\", \"not the owner\"]}", CASB_EDENIED, false,
         "x answered with HTTP status 403: Access denied: not the owner"},
        {401, "{\"msg\": [\"no certificate\"]}", CASB_EDENIED, false,
         "x answered with HTTP status 401: no certificate"},
        {404, "", CASB_ENOTFOUND, false, "x answered with HTTP status 404"},
        {409, "{}", CASB_ECONFLICT, false, "x answered with HTTP status 409"},
        {400, "{\"msg\": \"no list\"}", CASB_EFAILED, false, "x answered with HTTP status 400"},
        {408, "", CASB_EUNREACHABLE, true, "x answered with HTTP status 408"},
        {425, "", CASB_EUNREACHABLE, true, "x answered with HTTP status 425"},
        {429, "{\"msg\": [\"slow down\"]}", CASB_EUNREACHABLE, true,
         "x answered with HTTP status 429: slow down"},
        {302, "<html>", CASB_EFAILED, false, "x answered with HTTP status 302"},
        {500, "{\"msg\": [1, \"a\\u001b[31m\\nb\", null]}", CASB_EUNREACHABLE, true,
         "x answered with HTTP status 500: a b"},
        {503, "{\"msg\": []}", CASB_EUNREACHABLE, true, "x answered with HTTP status 503"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        struct casb_error err = {0};

        const struct answer answer = answer_with(rows[i].status, rows[i].body);

        assert_int_equal(answer_refusal(&answer, &err), rows[i].code);
        assert_string_equal(err.text, rows[i].text);
        assert_int_equal(err.http, rows[i].status);
        assert_int_equal(err.retry, rows[i].retry);
    }
}

static void a_long_refusal_is_cut(void **state)
{
    char body[8192];
    struct casb_error err = {0};
    struct answer answer;

    (void)state;
    snprintf(body, sizeof body, "{\"msg\": [\"%04000d\", \"%03000d\"]}", 1, 2);
    answer = answer_with(403, body);
    assert_int_equal(answer_refusal(&answer, &err), CASB_EDENIED);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static void only_what_is_assumed_says_yes(void **state)
{
    static const struct {
        int status;
        const char *body;
        int code;
    } rows[] = {
        {201, "{}", 0},
        {200, "{\"id\": \"x\", \"nested\": {\"msg\": []}}", 0},
        {200, "", 0},
        {204, "", 0},
        {202, "{}", CASB_EINVALID},
        {202, "", CASB_EINVALID},
        {203, "{}", CASB_EINVALID},
        {205, "", CASB_EINVALID},
        {206, "{}", CASB_EINVALID},
        {226, "{}", CASB_EINVALID},
        {200, "<html>this is no CAS</html>", CASB_EINVALID},
        {200, "OK", CASB_EINVALID},
        {200, "\"registered\"", CASB_EINVALID},
        {200, "true", CASB_EINVALID},
        {200, "null", CASB_EINVALID},
        {200, "[]", CASB_EINVALID},
        {200, "[{}]", CASB_EINVALID},
        {200, "{", CASB_EINVALID},
        {200, "{}{}", CASB_EINVALID},
        {200, " ", CASB_EINVALID},
        {200, "{\"a\": 1, \"a\": 2}", CASB_EINVALID},
        {200, "{\"msg\": [\"no\", \"never\"]}", CASB_EFAILED},
        {201, "{\"msg\": \"no\"}", CASB_EFAILED},
        {201, "{\"msg\": []}", CASB_EFAILED},
        {201, "{\"msg\": null}", CASB_EFAILED},
        {204, "{\"msg\": [\"no\"]}", CASB_EFAILED},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        const struct answer answer = answer_with(rows[i].status, rows[i].body);
        struct casb_error err = {0};
        int r = answer_accepted(&answer, &err);

        if (r != rows[i].code || err.retry || (r < 0 && !strchr(err.text, 'x')))
            fail_msg("%d '%s': %d %s", rows[i].status, rows[i].body, r, err.text);
    }
}

static void a_yes_that_says_no_tells_why(void **state)
{
    const struct answer answer = answer_with(200, "{\"msg\": [\"no\", \"never\"]}");
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(answer_accepted(&answer, &err), CASB_EFAILED);
    assert_string_equal(err.text, "x answered with HTTP status 200: no: never");
}

/* A PEM text as a JSON text, from the data of another test. */
static void read_pem(struct buf *ret)
{
    _cleanup_(buf_free) struct buf config = BUF_INIT(65536);
    char path[4096];
    const char *start, *end;

    assert_int_equal(
        file_read(unit_data(path, sizeof path, "cas-config/config.json"), &config, NULL), 0);
    start = strstr(config.data, "\"chain\": ");
    assert_non_null(start);
    start += strlen("\"chain\": ");
    end = strchr(start + 1, '"');
    assert_non_null(end);
    assert_int_equal(buf_append(ret, start, (size_t)(end + 1 - start)), 0);
}

/* Writes the template with `text` for each '@'. */
static void put(char *out, size_t size, const char *template, const char *text)
{
    size_t len = 0;

    out[0] = 0;
    for (const char *c = template; *c; c++)
        len += (size_t)snprintf(out + len, size - len, "%.*s", *c == '@' ? (int)strlen(text) : 1,
                                *c == '@' ? text : c);
    assert_true(len < size);
}

static void a_certificate_is_a_pem_text_unless_any_form_may_be(void **state)
{
    static const struct {
        const char *body, *key; /* '@' is the PEM text */
        int pem, any;
        const char *want; /* of any form; NULL: the PEM text */
    } rows[] = {
        {"{\"certificate\": @}", "certificate", 0, 0, NULL},
        {"{\"a\": {\"b\": @}}", "a.b", 0, 0, NULL},
        {"{\"a\": [@]}", "a", CASB_EINVALID, 0, "[@]"},
        {"{\"certificate\": \"no PEM\"}", "certificate", CASB_EINVALID, 0, "\"no PEM\""},
        {"{\"certificate\": \"\"}", "certificate", CASB_EINVALID, 0, "\"\""},
        {"{\"certificate\": {\"v\": 2, \"quote\": \"AAEC\"}}", "certificate", CASB_EINVALID, 0,
         "{\"v\": 2, \"quote\": \"AAEC\"}"},
        {"{\"v\": 2, \"quote\": \"AAEC\"}", ".", CASB_EINVALID, 0,
         "{\"v\": 2, \"quote\": \"AAEC\"}"},
        {"[1, 2]", ".", CASB_EINVALID, 0, "[1, 2]"},
        {"{\"certificate\": null}", "certificate", CASB_EINVALID, CASB_EINVALID, ""},
        {"{\"other\": @}", "certificate", CASB_EINVALID, CASB_EINVALID, ""},
        {"{\"certificate\": @, \"msg\": [\"no\"]}", "certificate", CASB_EFAILED, CASB_EFAILED, ""},
        {"<html>", "certificate", CASB_EINVALID, CASB_EINVALID, ""},
        {"", "certificate", CASB_EINVALID, CASB_EINVALID, ""},
        {"\"text\"", ".", CASB_EINVALID, CASB_EINVALID, ""},
    };
    _cleanup_(buf_free) struct buf pem = BUF_INIT(8192);
    char body[8192], want[8192];

    (void)state;
    read_pem(&pem);
    for (size_t i = 0; i < 2 * ELEMENTS(rows); i++) {
        bool any = i % 2;
        int code = any ? rows[i / 2].any : rows[i / 2].pem, r;
        json_auto_t *got = NULL;
        json_auto_t *wanted = NULL;
        struct casb_error err = {0};
        struct answer answer;

        put(body, sizeof body, rows[i / 2].body, buf_text(&pem));
        put(want, sizeof want, rows[i / 2].want ? rows[i / 2].want : "@", buf_text(&pem));
        answer = answer_with(200, body);
        r = answer_certificate(&answer, rows[i / 2].key, any, &got, &err);
        if (r != code)
            fail_msg("row %zu, any %d: %d %s", i / 2, any, r, err.text);
        wanted = json_loads(want, JSON_DECODE_ANY, NULL);
        assert_true(r < 0 ? !got : json_equal(got, wanted));
    }
}

static void the_version_is_a_text_with_a_number(void **state)
{
    static const struct {
        const char *body, *want;
    } rows[] = {
        {"{\"version\": \"5.8.0\"}", "5.8.0"},
        {"{\"version\": \"v6.0.3-rc.1\", \"api\": 1}", "v6.0.3-rc.1"},
        {"{\"version\": \"5.8.0\\nx\\u001b[31m\"}", "5.8.0 x"},
        {"{\"version\": \"unknown\"}", ""},
        {"{\"version\": 5}", ""},
        {"{\"cas\": \"5.8.0\"}", ""},
        {"5.8.0", ""},
        {"", ""},
    };
    char got[32];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        const struct answer answer = answer_with(200, rows[i].body);

        assert_string_equal(answer_version(&answer, got, sizeof got), rows[i].want);
    }
}

static void the_major_version_is_the_first_number(void **state)
{
    static const struct {
        const char *version;
        int want;
    } rows[] = {
        {"5.8.0", 5}, {"v6.0.3", 6}, {"7", 7},   {"12.1", 12},    {"0.1", 0},
        {"", -1},     {"v", -1},     {"x5", -1}, {"12345.1", -1}, {"-5", -1},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++)
        assert_int_equal(answer_major(rows[i].version), rows[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_says_what_the_cas_said),
        cmocka_unit_test(a_long_refusal_is_cut),
        cmocka_unit_test(only_what_is_assumed_says_yes),
        cmocka_unit_test(a_yes_that_says_no_tells_why),
        cmocka_unit_test(a_certificate_is_a_pem_text_unless_any_form_may_be),
        cmocka_unit_test(the_version_is_a_text_with_a_number),
        cmocka_unit_test(the_major_version_is_the_first_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
