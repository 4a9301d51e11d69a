/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/identity.h"

#include <cas-backup/error.h>

static void an_identity_has_a_kind_and_a_text(void **state)
{
    struct casb_identity identity;

    (void)state;
    assert_int_equal(identity_set(&identity, CASB_BOOT_ID, "b"), 0);
    assert_true(identity_is_known(&identity));
    assert_string_equal(identity_text(&identity, CASB_BOOT_ID), "b");
    assert_null(identity_text(&identity, CASB_LAS_KEY));
}

static void what_is_no_text_or_too_long_leaves_it_as_it_was(void **state)
{
    struct casb_identity identity = {CASB_LAS_KEY, "A"};
    char text[CASB_IDENTITY_LENGTH + 2] = {0};

    (void)state;
    memset(text, 'x', CASB_IDENTITY_LENGTH + 1);
    assert_int_equal(identity_set(&identity, CASB_BOOT_ID, NULL), CASB_EINVALID);
    assert_int_equal(identity_set(&identity, CASB_BOOT_ID, ""), CASB_EINVALID);
    assert_int_equal(identity_set(&identity, CASB_BOOT_ID, text), CASB_EINVALID);
    assert_string_equal(identity_text(&identity, CASB_LAS_KEY), "A");
    text[CASB_IDENTITY_LENGTH] = '\0';
    assert_int_equal(identity_set(&identity, CASB_BOOT_ID, text), 0);
    assert_string_equal(identity.text, text);
}

static void only_equal_kinds_say_something_of_each_other(void **state)
{
    static const struct {
        struct casb_identity a, b;
        enum identity_evidence want;
    } rows[] = {
        {{CASB_LAS_KEY, "A"}, {CASB_LAS_KEY, "A"}, IDENTITY_SAME},
        {{CASB_LAS_KEY, "A"}, {CASB_LAS_KEY, "AB"}, IDENTITY_DIFFERS},
        {{CASB_LAS_KEY, "A"}, {CASB_BOOT_ID, "A"}, IDENTITY_SILENT},
        {{CASB_LAS_KEY, "A"}, {CASB_BOOT_ID, "B"}, IDENTITY_SILENT},
        {{CASB_LAS_KEY, "A"}, {0}, IDENTITY_SILENT},
        {{0}, {CASB_BOOT_ID, "A"}, IDENTITY_SILENT},
        {{0}, {0}, IDENTITY_SILENT},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++)
        assert_int_equal(identity_compare(&rows[i].a, &rows[i].b), rows[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_identity_has_a_kind_and_a_text),
        cmocka_unit_test(what_is_no_text_or_too_long_leaves_it_as_it_was),
        cmocka_unit_test(only_equal_kinds_say_something_of_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
