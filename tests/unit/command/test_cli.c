/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "command/cli.h"
#include "command/commands.h"

/* Stands in for the commands: what they are called and take is all that matters here. */
const struct command cmd_table[] = {
    {"run", NULL, "one pass", NULL},
    {"coverage", "[NODE...]", "who can", NULL},
    {"forget", "NODE...", "forget them", NULL},
    {"plugins", NULL, "list them", NULL, "table|json|schema"},
    {"cleanup", NULL, "remove", NULL},
    {0},
};

/* Parses words after the program's name. */
#define PARSE(cli, err, ...) parse((const char *[]){"cas-backup", __VA_ARGS__, NULL}, cli, err)

static int parse(const char **argv, struct cli *cli, struct casb_error *err)
{
    int argc = 0;

    while (argv[argc])
        argc++;
    return cli_parse(argc, (char **)argv, cli, err);
}

static void without_words_the_first_command_runs(void **state)
{
    struct casb_error err = {0};
    struct cli cli;

    (void)state;
    assert_int_equal(parse((const char *[]){"cas-backup", NULL}, &cli, &err), 0);
    assert_ptr_equal(cli.command, &cmd_table[0]);
    assert_false(cli.named);
    assert_null(cli.request.args);
    assert_null(cli.request.file);
    assert_int_equal(cli.request.verbosity, 0);
    cli_free(&cli);
}

static void every_option_reaches_its_member(void **state)
{
    struct casb_error err = {0};
    struct cli cli;

    (void)state;
    assert_int_equal(PARSE(&cli, &err, "-f", "s.yaml", "--cas=mycas:1", "--parallel", "3",
                           "--deadline", "5m", "--plugin-dir", "/p", "--report", "r.json", "-o",
                           "json", "--log-format=json", "--color=always", "-v", "--version", "-h"),
                     0);
    assert_int_equal(cli.request.color, 2);
    assert_string_equal(cli.request.file, "s.yaml");
    assert_string_equal(cli.request.cas, "mycas:1");
    assert_string_equal(cli.request.parallel, "3");
    assert_string_equal(cli.request.deadline, "5m");
    assert_string_equal(cli.request.plugin_dir, "/p");
    assert_string_equal(cli.request.report, "r.json");
    assert_true(cli.request.output == OUTPUT_JSON && cli.request.log_json && cli.version &&
                cli.help);
    assert_int_equal(cli.request.verbosity, 1);
    cli_free(&cli);
}

static void what_is_for_cleanup_reaches_it(void **state)
{
    struct casb_error err = {0};
    struct cli cli;

    (void)state;
    assert_int_equal(PARSE(&cli, &err, "cleanup", "--label"), 0);
    assert_true(cli.request.label);
    cli_free(&cli);
}

static void repeatable_options_keep_their_order(void **state)
{
    struct casb_error err = {0};
    struct cli cli;

    (void)state;
    assert_int_equal(PARSE(&cli, &err, "--host", "a=1", "--only", "x", "--host", "b=2", "--force",
                           "all", "--only", "y"),
                     0);
    assert_string_equal(cli.request.hosts[0], "a=1");
    assert_string_equal(cli.request.hosts[1], "b=2");
    assert_null(cli.request.hosts[2]);
    assert_string_equal(cli.request.only[1], "y");
    assert_string_equal(cli.request.force[0], "all");
    assert_null(cli.request.force[1]);
    cli_free(&cli);
}

static void options_of_plugins_become_overrides_and_the_last_counts(void **state)
{
    struct casb_error err = {0};
    struct cli cli;

    (void)state;
    assert_int_equal(PARSE(&cli, &err, "--config", "old", "--session", "p/s", "--kubeconfig", "k",
                           "--context", "c", "--config", "new"),
                     0);
    assert_int_equal(cli.request.n_overrides, 4);
    assert_string_equal(cli.request.overrides[0].name, "config");
    assert_string_equal(cli.request.overrides[0].value, "new");
    assert_string_equal(cli.request.overrides[0].option, "--config");
    assert_string_equal(cli.request.overrides[3].name, "context");
    cli_free(&cli);
}

static void words_and_options_may_be_mixed(void **state)
{
    struct casb_error err = {0};
    struct cli cli;

    (void)state;
    assert_int_equal(PARSE(&cli, &err, "-q", "coverage", "a", "--output=table", "-", "--", "-b"),
                     0);
    assert_ptr_equal(cli.command, &cmd_table[1]);
    assert_true(cli.named);
    assert_string_equal(cli.request.args[0], "a");
    assert_string_equal(cli.request.args[1], "-");
    assert_string_equal(cli.request.args[2], "-b");
    assert_null(cli.request.args[3]);
    assert_int_equal(cli.request.output, OUTPUT_TABLE);
    assert_int_equal(cli.request.verbosity, -1);
    cli_free(&cli);
}

static void wrong_usage_is_named(void **state)
{
    static const struct {
        const char *argv[5], *text;
    } cases[] = {
        {{"x", "--paralel", "3"}, "no option '--paralel'; did you mean --parallel?"},
        {{"x", "--zzzzzzzzzzzz=secret"}, "no option '--zzzzzzzzzzzz'"},
        {{"x", "-Z"}, "no option '-Z'"},
        {{"x", "--file"}, "--file: FILE is missing"},
        {{"x", "-f"}, "--file: FILE is missing"},
        {{"x", "--help=yes"}, "--help takes no value"},
        {{"x", "--file="}, "--file: expected FILE, got nothing"},
        {{"x", "--session", ""}, "--session: expected POLICY/SERVICE, got nothing"},
        {{"x", "-o", "yaml"}, "--output: expected table|json, got 'yaml'"},
        {{"x", "-o", "schema"}, "--output: expected table|json, got 'schema'"},
        {{"x", "plugins", "-o", "tab"}, "--output: expected table|json|schema, got 'tab'"},
        {{"x", "--log-format", "jso"}, "--log-format: expected text|json, got 'jso'"},
        {{"x", "--log-format", "text|json"}, "--log-format: expected text|json, got 'text|json'"},
        {{"x", "coverag"}, "no command 'coverag'; did you mean coverage?"},
        {{"x", "node-with-no-command"}, "no command 'node-with-no-command'"},
        {{"x", "run", "--label"}, "'run' takes no --label"},
        {{"x", "run", "--records=f"}, "'run' takes no --records"},
        {{"x", "run", "node"}, "'run' takes no arguments"},
        {{"x", "forget"}, "'forget' needs NODE..."},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct casb_error err = {0};
        const char *argv[5];
        struct cli cli;

        memcpy(argv, cases[i].argv, sizeof argv);
        assert_int_equal(parse(argv, &cli, &err), CASB_EINVALID);
        assert_string_equal(err.text, cases[i].text);
    }
}

static void each_command_has_its_words_of_output(void **state)
{
    struct casb_error err = {0};
    struct cli cli;

    (void)state;
    assert_int_equal(PARSE(&cli, &err, "-o", "schema", "plugins"), 0);
    assert_int_equal(cli.request.output, OUTPUT_SCHEMA);
    cli_free(&cli);
}

static void help_may_be_asked_for_without_the_arguments(void **state)
{
    struct casb_error err = {0};
    struct cli cli;

    (void)state;
    assert_int_equal(PARSE(&cli, &err, "forget", "--help"), 0);
    assert_true(cli.help);
    cli_free(&cli);
}

static void check_width(const char *help)
{
    for (const char *line = help; *line; line += strcspn(line, "\n") + 1)
        assert_in_range(strcspn(line, "\n"), 0, 80);
}

static void help_names_all_and_fits_80_columns(void **state)
{
    _cleanup_(freep) char *all = cli_help(NULL), *one = cli_help(&cmd_table[1]);

    (void)state;
    assert_non_null(strstr(all, "\n  coverage [NODE...]"));
    assert_non_null(strstr(all, "\n  -o, --output FORMAT "));
    assert_non_null(strstr(all, "\n      --host NAME=ADDRESS "));
    assert_non_null(strstr(one, "Usage: cas-backup coverage [OPTIONS] [NODE...]\n\nwho can\n"));
    assert_non_null(strstr(one, "\n  -o, --output table|json "));
    check_width(all);
    check_width(one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_words_the_first_command_runs),
        cmocka_unit_test(every_option_reaches_its_member),
        cmocka_unit_test(what_is_for_cleanup_reaches_it),
        cmocka_unit_test(repeatable_options_keep_their_order),
        cmocka_unit_test(options_of_plugins_become_overrides_and_the_last_counts),
        cmocka_unit_test(words_and_options_may_be_mixed),
        cmocka_unit_test(wrong_usage_is_named),
        cmocka_unit_test(each_command_has_its_words_of_output),
        cmocka_unit_test(help_may_be_asked_for_without_the_arguments),
        cmocka_unit_test(help_names_all_and_fits_80_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
