/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "chaos.h"

#include "base/file.h"
#include "registration-scone-cli/cli_call.h"

#include <cas-backup/error.h>

static const struct cli_call with_session = {
    .program = "scone",
    .command = "register-backup",
    .session = "backup_controller/register",
    .cas = "mycas:8081",
    .las = "172.17.0.1",
    .retries = -1,
    .backup = "192.0.2.10:8081",
};

static const struct cli_call with_config = {
    .program = "/opt/scone",
    .command = "register-upgrade",
    .cas = "mycas",
    .las = "172.17.0.1",
    .folder = "/tmp/private",
    .config = "/tmp/private/config.json",
    .retries = -1,
    .backup = "[2001:db8::1]:8081",
};

static void expect_list(const char *const *list, const char *want)
{
    char joined[1024] = "";
    size_t len = 0;

    for (; *list; list++)
        len += (size_t)snprintf(joined + len, sizeof joined - len, "%s%s", len ? " " : "", *list);
    assert_string_equal(joined, want);
}

static void a_session_takes_exactly_three_arguments(void **state)
{
    const char *argv[CLI_CALL_ARGV];

    (void)state;
    cli_call_argv(&with_session, argv);
    expect_list(argv, "scone cas register-backup 192.0.2.10:8081");
}

static void a_configuration_names_the_cas_and_the_tolerances(void **state)
{
    static const struct {
        const char *tolerate, *want;
    } rows[] = {
        {"[]", "/opt/scone cas register-upgrade --cas mycas [2001:db8::1]:8081"},
        {"[\"group-out-of-date\"]",
         "/opt/scone cas register-upgrade --cas mycas -G [2001:db8::1]:8081"},
        {"[\"sw-hardening-needed\", \"configuration-needed\", \"group-out-of-date\"]",
         "/opt/scone cas register-upgrade --cas mycas -C -G -S [2001:db8::1]:8081"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        json_auto_t *tolerate = json_loads(rows[i].tolerate, 0, NULL);
        struct cli_call call = with_config;
        const char *argv[CLI_CALL_ARGV];

        call.tolerate = tolerate;
        cli_call_argv(&call, argv);
        expect_list(argv, rows[i].want);
    }
}

static const char *const parent[] = {
    "PATH=/bin",
    "HOME=/root",
    "LANG=C",
    "LC_ALL=C.UTF-8",
    "TZ=UTC",
    "TMPDIR=/var/tmp",
    "KUBECONFIG=/root/.kube/config",
    "AWS_SECRET_ACCESS_KEY=x",
    "LD_PRELOAD=x.so",
    "PATHS=no",
    "SCONE_MODE=hw",
    "SCONE_CLI_CONFIG=/etc/other.json",
    "SCONE_CONFIG_ID=other/session",
    "SCONE_CAS_ADDR=othercas",
    "SCONE_LAS_ADDR=otherlas",
    "SCONE_CLI_RETRIES=9",
    NULL,
};

static void the_environment_is_what_the_call_needs_and_no_more(void **state)
{
    static const struct {
        const struct cli_call *call;
        int64_t retries;
        const char *want;
    } rows[] = {
        {&with_session, -1,
         "PATH=/bin HOME=/root LANG=C LC_ALL=C.UTF-8 TZ=UTC TMPDIR=/var/tmp SCONE_MODE=hw "
         "SCONE_CLI_RETRIES=9 SCONE_CONFIG_ID=backup_controller/register SCONE_CAS_ADDR=mycas:8081 "
         "SCONE_LAS_ADDR=172.17.0.1"},
        {&with_config, -1,
         "PATH=/bin HOME=/root LANG=C LC_ALL=C.UTF-8 TZ=UTC SCONE_MODE=hw SCONE_CLI_RETRIES=9 "
         "SCONE_CLI_CONFIG=/tmp/private/config.json TMPDIR=/tmp/private"},
        {&with_config, 0,
         "PATH=/bin HOME=/root LANG=C LC_ALL=C.UTF-8 TZ=UTC SCONE_MODE=hw "
         "SCONE_CLI_CONFIG=/tmp/private/config.json TMPDIR=/tmp/private SCONE_CLI_RETRIES=0"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        _cleanup_(cli_call_env_free) struct cli_call_env env = {0};
        struct cli_call call = *rows[i].call;

        call.retries = rows[i].retries;
        assert_int_equal(cli_call_env(&call, parent, &env), 0);
        expect_list(env.items, rows[i].want);
    }
}

static void without_memory_there_is_no_environment(void **state)
{
    struct cli_call_env env = {0};

    (void)state;
    chaos_left = 0;
    assert_int_equal(cli_call_env(&with_session, parent, &env), CASB_ENOMEM);
    chaos_left = -1;
    assert_null(env.items);
}

static void what_the_cli_said_becomes_one_line(void **state)
{
    static const struct {
        const char *err, *out, *want;
    } rows[] = {
        {"", "", ""},
        {"\n \n", "\t\n", ""},
        {"Error: no backup\n", "", "no backup"},
        {"Error: a\nCaused by: b\nCaused by: c\n", "Error: d\n", "a: b: c"},
        {"info: trying\nError: a\nsomething else\n    Caused by:   b\n\n", "", "a: b"},
        {"noise\n", "Error: a\r\nCaused by: b\r\n", "a: b"},
        {"noise\nlast words\n\n", "output\n", "last words"},
        {"", "registering...\rgave up\n", "gave up"},
        {"\033[31;1mError:\033[0m red\n\033[1mCaused by:\033[0m bold \033[4mtext\033[0m\n", "",
         "red: bold text"},
        {"Error: a\n\nCaused by:\n    0: b\n    1: c: d\n\nStack backtrace:\n   2: main\n", "",
         "a: b: c: d"},
        {"Error: a\nCaused by:\nnot indented\n", "", "a"},
        {"Caused by: alone", "", "alone"},
        {"error: Found argument '-x'\n\nUSAGE: scone\n", "", "Found argument '-x'"},
        {"Error:\n", "said\n", "said"},
        {"Error: \xff\xfe\001 bytes\n", "", "?? bytes"},
        {"No Error: here\n", "", "No Error: here"},
    };
    char said[256];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        cli_call_message(said, sizeof said, rows[i].err, rows[i].out);
        assert_string_equal(said, rows[i].want);
    }
}

static void whole_outputs_give_their_causes(void **state)
{
    static const struct {
        const char *file, *want;
    } rows[] = {
        {"cli_output/refused",
         "Could not register backup CAS 192.0.2.10:8081: Verification of the backup CAS failed: "
         "TCB status of the platform: group-out-of-date"},
        {"cli_output/list_of_causes",
         "Could not register backup CAS 192.0.2.10:8081: error sending request for url "
         "(https://mycas:8081/): tcp connect error: Connection refused (os error 111): "
         "Connection refused (os error 111)"},
        {"cli_output/coloured", "No CAS at 192.0.2.10:8081: connection timed out"},
    };
    char path[4096], said[512];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        _cleanup_(buf_free) struct buf text = BUF_INIT(4096);

        assert_int_equal(file_read(unit_data(path, sizeof path, rows[i].file), &text, NULL), 0);
        cli_call_message(said, sizeof said, buf_text(&text), "");
        assert_string_equal(said, rows[i].want);
    }
}

static void a_long_message_is_cut_and_says_so(void **state)
{
    char text[4096], said[64];

    (void)state;
    snprintf(text, sizeof text, "Error: %02000d\nCaused by: %01000d\n", 1, 2);
    cli_call_message(said, sizeof said, text, "");
    assert_int_equal(strlen(said), sizeof said - 1);
    assert_string_equal(said + strlen(said) - 3, "...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_takes_exactly_three_arguments),
        cmocka_unit_test(a_configuration_names_the_cas_and_the_tolerances),
        cmocka_unit_test(the_environment_is_what_the_call_needs_and_no_more),
        cmocka_unit_test(without_memory_there_is_no_environment),
        cmocka_unit_test(what_the_cli_said_becomes_one_line),
        cmocka_unit_test(whole_outputs_give_their_causes),
        cmocka_unit_test(a_long_message_is_cut_and_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
