/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/error.h"

#include <errno.h>

static void the_first_error_stays(void **state)
{
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(err_set(&err, CASB_EDENIED, "no '%s'", "a"), CASB_EDENIED);
    assert_int_equal(err_set(&err, CASB_EFAILED, "second"), CASB_EFAILED);
    assert_int_equal(err.code, CASB_EDENIED);
    assert_string_equal(err.text, "no 'a'");
}

static void context_goes_in_front(void **state)
{
    struct casb_error err = {0};

    (void)state;
    err_set(&err, CASB_ENOTFOUND, "no such pod");
    assert_int_equal(err_wrap(&err, CASB_ENOTFOUND, "node '%s'", "b"), CASB_ENOTFOUND);
    assert_string_equal(err.text, "node 'b': no such pod");
    assert_int_equal(err.code, CASB_ENOTFOUND);
}

static void a_kept_failure_is_handed_on_whole(void **state)
{
    struct casb_error kept = {.code = CASB_EDENIED, .http = 403, .text = "no"};
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(err_pass(NULL, &kept), CASB_EDENIED);
    assert_int_equal(err_pass(&err, &kept), CASB_EDENIED);
    assert_int_equal(err.http, 403);
    kept.code = CASB_EFAILED;
    assert_int_equal(err_pass(&err, &kept), CASB_EFAILED);
    assert_int_equal(err.code, CASB_EDENIED);
}

/* Fills it with `len` times that character, for lack of a shorter cause. */
static struct casb_error long_error(char fill, size_t len)
{
    struct casb_error err = {.code = CASB_EFAILED};

    memset(err.text, fill, len);
    return err;
}

static void a_loop_of_tries_says_how_it_began(void **state)
{
    static const struct {
        const char *last, *first, *both;
    } cases[] = {
        {"no time is left", "HTTP 500", "no time is left; before that: HTTP 500"},
        {"no time is left", "", "no time is left"},
        {"HTTP 500", "HTTP 500", "HTTP 500"},
        {"after 4 tries: HTTP 500", "HTTP 500", "after 4 tries: HTTP 500"},
        {"GET /x: refused", "GET /x: no", "GET /x: refused; before that: no"},
        {"a: b: refused", "a: b: c: no", "a: b: refused; before that: c: no"},
        {"GET /xy: refused", "GET /x: no", "GET /xy: refused; before that: GET /x: no"},
        {"b; before that: a", "c", "b; before that: a; before that: c"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct casb_error last = {.code = CASB_ETIMEOUT, .http = 504}, first = {0}, err = {0};

        snprintf(last.text, sizeof last.text, "%s", cases[i].last);
        if (*cases[i].first)
            err_set(&first, CASB_EDENIED, "%s", cases[i].first);
        assert_int_equal(err_pass_after(&err, &last, &first), CASB_ETIMEOUT);
        assert_int_equal(err.code, CASB_ETIMEOUT);
        assert_int_equal(err.http, 504);
        assert_string_equal(err.text, cases[i].both);
        assert_int_equal(err_pass_after(NULL, &last, &first), CASB_ETIMEOUT);
    }
}

static void both_causes_have_room(void **state)
{
    const size_t all = CASB_ERROR_TEXT_BYTES - 1;
    const struct casb_error last = long_error('z', all), first = long_error('a', all);
    const struct casb_error brief = {.code = CASB_EFAILED, .text = "brief"};
    struct casb_error err = {0};

    (void)state;
    err_pass_after(&err, &last, &first);
    assert_true(strspn(err.text, "z") > all / 2 - 20);
    assert_true(strlen(strstr(err.text, "that: a")) > all / 2 - 20);
    err = (struct casb_error){0};
    err_pass_after(&err, &last, &brief);
    assert_string_equal(err.text + strlen(err.text) - 28, "zzzzz...; before that: brief");
    err = (struct casb_error){0};
    err_pass_after(&err, &brief, &first);
    assert_int_equal(strncmp(err.text, "brief; before that: aaa", 23), 0);
    assert_int_equal(strlen(err.text), all);
}

static void errno_gives_class_and_text(void **state)
{
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(err_set_errno(&err, ENOENT, "open '/x'"), CASB_ENOTFOUND);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_string_equal(err.text, "open '/x': No such file or directory");
}

static void null_is_accepted(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, CASB_EFAILED, "x"), CASB_EFAILED);
    assert_int_equal(err_set_errno(NULL, EACCES, "x"), CASB_EDENIED);
    assert_int_equal(err_wrap(NULL, CASB_ETIMEOUT, "x"), CASB_ETIMEOUT);
}

static void long_texts_are_cut(void **state)
{
    struct casb_error err = {0};
    char text[2 * CASB_ERROR_TEXT_BYTES];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    err_set(&err, CASB_EFAILED, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    err_wrap(&err, CASB_EFAILED, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static void classes_have_names(void **state)
{
    (void)state;
    assert_string_equal(err_class_name(CASB_ETIMEOUT), "timeout");
    assert_string_equal(err_class_name(CASB_EFAILED), "failed");
    assert_string_equal(err_class_name(7), "failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kept_failure_is_handed_on_whole),
        cmocka_unit_test(a_loop_of_tries_says_how_it_began),
        cmocka_unit_test(both_causes_have_room),
        cmocka_unit_test(the_first_error_stays),
        cmocka_unit_test(context_goes_in_front),
        cmocka_unit_test(errno_gives_class_and_text),
        cmocka_unit_test(null_is_accepted),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(classes_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
