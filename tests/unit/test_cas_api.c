/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "registration-cas-api/api.h"

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
        {302, "<html>", CASB_EFAILED, false, "x answered with HTTP status 302"},
        {500, "{\"msg\": [1, \"a\\u001b[31m\\nb\", null]}", CASB_EUNREACHABLE, true,
         "x answered with HTTP status 500: a b"},
        {503, "{\"msg\": []}", CASB_EUNREACHABLE, true, "x answered with HTTP status 503"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        struct casb_error err = {0};

        assert_int_equal(api_refusal("x", rows[i].status, rows[i].body, strlen(rows[i].body), &err),
                         rows[i].code);
        assert_string_equal(err.text, rows[i].text);
        assert_int_equal(err.http, rows[i].status);
        assert_int_equal(err.retry, rows[i].retry);
    }
}

static void a_long_refusal_is_cut(void **state)
{
    char body[8192];
    struct casb_error err = {0};
    int len = snprintf(body, sizeof body, "{\"msg\": [\"%04000d\", \"%03000d\"]}", 1, 2);

    (void)state;
    assert_int_equal(api_refusal("x", 403, body, (size_t)len, &err), CASB_EDENIED);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static void placeholders_are_filled_wherever_they_stand(void **state)
{
    static const struct {
        const char *template, *want;
    } rows[] = {
        {"{\"certificate\": \"{certificate}\", \"tolerate\": \"{tolerate}\"}",
         "{\"certificate\": \"PEM\", \"tolerate\": [\"a\", \"b\"]}"},
        {"{\"x\": [1, {\"y\": \"{certificate}\"}], \"z\": \"{certificate} \", \"n\": null}",
         "{\"x\": [1, {\"y\": \"PEM\"}], \"z\": \"{certificate} \", \"n\": null}"},
        {"{}", "{}"},
    };
    json_auto_t *tolerate = json_loads("[\"a\", \"b\"]", 0, NULL);

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        json_auto_t *template = json_loads(rows[i].template, 0, NULL);
        json_auto_t *before = json_deep_copy(template);
        json_auto_t *want = json_loads(rows[i].want, 0, NULL);
        json_auto_t *filled = api_fill(template, "PEM", tolerate);

        assert_true(json_equal(filled, want));
        assert_true(json_equal(template, before));
    }
}

static void no_tolerances_are_an_empty_list(void **state)
{
    json_auto_t *template = json_loads("{\"t\": \"{tolerate}\"}", 0, NULL);
    json_auto_t *filled = api_fill(template, "PEM", NULL);

    (void)state;
    assert_true(json_is_array(json_object_get(filled, "t")));
    assert_int_equal(json_array_size(json_object_get(filled, "t")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_says_what_the_cas_said),
        cmocka_unit_test(a_long_refusal_is_cut),
        cmocka_unit_test(placeholders_are_filled_wherever_they_stand),
        cmocka_unit_test(no_tolerances_are_an_empty_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
