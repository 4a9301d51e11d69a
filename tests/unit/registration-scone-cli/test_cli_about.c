/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "registration-scone-cli/cli_about.h"

#include "base/cleanup.h"

static void the_version_is_the_line_that_ends_with_one(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"scone 7.0.0-alpha.4\n", "scone 7.0.0-alpha.4"},
        {"6.0.3", "6.0.3"},
        {"scone-cli 5.8.0\r\n", "scone-cli 5.8.0"},
        {"export SCONE_HEAP=1\nscone 6.0.3\n\n", "scone 6.0.3"},
        {"scone 6.0.3\nCopyright (C) somebody\n", "scone 6.0.3"},
        {"\033[1mscone\033[0m 6.0.3\n", "scone 6.0.3"},
        {"", ""},
        {"error: unknown option\n", ""},
        {"scone v6\n", ""},
        {"scone 6.\n", ""},
    };
    char got[64];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++)
        assert_string_equal(cli_about_version(got, sizeof got, rows[i].text), rows[i].want);
}

static void a_long_version_is_cut(void **state)
{
    char got[32];

    (void)state;
    cli_about_version(got, sizeof got, "scone of somebody with words 1.2.3\n");
    assert_string_equal(got, "scone of somebody with words...");
}

static void a_help_lists_options_as_words(void **state)
{
    static const struct {
        const char *help, *option;
        bool lists;
    } rows[] = {
        {"  -C, --accept-configuration-needed\n", "-C", true},
        {"  -C, --accept-configuration-needed\n", "-c", false},
        {"  -C, --accept-configuration-needed\n", "-G", false},
        {"usage: scone cas register-backup [-c CAS] [-C] [-G] BACKUP\n", "-C", true},
        {"usage: scone cas register-backup [-c CAS] [-C] [-G] BACKUP\n", "-S", false},
        {"usage: [-SCG]\n", "-C", true},
        {"usage: [-Config]\n", "-C", false},
        {"-C", "-C", true},
        {"a-C", "-C", false},
        {"-C-G", "-G", false},
        {"      --retries <N>  how often\n", "--retries", true},
        {"      --retries=<N>\n", "--retries", true},
        {"      --retries-max <N>\n", "--retries", false},
        {"      --no-retries\n", "--retries", false},
        {"retries\n", "--retries", false},
        {"-C|-G", "-G", true},
        {"", "-C", false},
        {"-", "-C", false},
        {"--", "-C", false},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        if (cli_about_lists(rows[i].help, rows[i].option) != rows[i].lists)
            fail_msg("'%s' in '%s'", rows[i].option, rows[i].help);
    }
}

static void a_text_without_options_is_no_help(void **state)
{
    (void)state;
    assert_true(cli_about_is_help("Options:\n  -h, --help\n"));
    assert_false(cli_about_is_help(""));
    assert_false(cli_about_is_help("Backup CAS registered\n"));
    assert_false(cli_about_is_help("a - b\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_version_is_the_line_that_ends_with_one),
        cmocka_unit_test(a_long_version_is_cut),
        cmocka_unit_test(a_help_lists_options_as_words),
        cmocka_unit_test(a_text_without_options_is_no_help),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
