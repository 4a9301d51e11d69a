/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "registration-cas-api/api.h"

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
        {"[\"{certificate}\", \"{certificate}\"]", "[\"PEM\", \"PEM\"]"},
    };
    json_auto_t *certificate = json_string("PEM");
    json_auto_t *tolerate = json_loads("[\"a\", \"b\"]", 0, NULL);

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        json_auto_t *template = json_loads(rows[i].template, 0, NULL);
        json_auto_t *before = json_deep_copy(template);
        json_auto_t *want = json_loads(rows[i].want, 0, NULL);
        json_auto_t *filled = api_fill(template, certificate, tolerate);

        assert_true(json_equal(filled, want));
        assert_true(json_equal(template, before));
    }
}

static void a_certificate_of_any_form_is_passed_on_as_it_is(void **state)
{
    json_auto_t *certificate = json_loads("{\"v\": 2, \"quote\": [1, 2.5, null]}", 0, NULL);
    json_auto_t *template = json_loads("{\"c\": \"{certificate}\"}", 0, NULL);
    json_auto_t *filled = api_fill(template, certificate, NULL);

    (void)state;
    assert_true(json_equal(json_object_get(filled, "c"), certificate));
}

static void an_operator_hears_of_calls_that_nobody_checked(void **state)
{
    static const struct {
        const char *verified_with, *version, *has; /* NULL: nothing is said */
    } rows[] = {
        {NULL, "5.8.0", "does not say that you have checked them"},
        {NULL, "", "does not say that you have checked them"},
        {"5.8.0", "5.8.0", NULL},
        {"5.8.0", "5.9.1-rc.1", NULL},
        {"5", "5.9.1", NULL},
        {"v6.0.3", "6.1", NULL},
        {"5.8.0", "6.0.3", "is of version 6.0.3, and the two calls were checked with 5.8.0"},
        {"5.8.0", "50.8.0", "is of version 50.8.0"},
        {"5.8.0", "", "does not tell its version, and the two calls were checked with 5.8.0"},
    };
    char got[CASB_ERROR_TEXT_BYTES];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        api_doubt(got, sizeof got, rows[i].verified_with, rows[i].version);
        if (rows[i].has ? !strstr(got, rows[i].has) || !strstr(got, "docs/cas-api.md") : got[0])
            fail_msg("row %zu: %s", i, got);
    }
}

static void no_tolerances_are_an_empty_list(void **state)
{
    json_auto_t *template = json_loads("{\"t\": \"{tolerate}\"}", 0, NULL);
    json_auto_t *certificate = json_string("PEM");
    json_auto_t *filled = api_fill(template, certificate, NULL);

    (void)state;
    assert_true(json_is_array(json_object_get(filled, "t")));
    assert_int_equal(json_array_size(json_object_get(filled, "t")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(placeholders_are_filled_wherever_they_stand),
        cmocka_unit_test(a_certificate_of_any_form_is_passed_on_as_it_is),
        cmocka_unit_test(an_operator_hears_of_calls_that_nobody_checked),
        cmocka_unit_test(no_tolerances_are_an_empty_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
