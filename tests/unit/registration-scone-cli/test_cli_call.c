/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "unit/chaos.h"

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

static const struct cli_call about_itself = {.program = "scone", .retries = -1};

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
        {&about_itself, -1,
         "PATH=/bin HOME=/root LANG=C LC_ALL=C.UTF-8 TZ=UTC TMPDIR=/var/tmp SCONE_MODE=hw "
         "SCONE_CLI_RETRIES=9"},
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_takes_exactly_three_arguments),
        cmocka_unit_test(a_configuration_names_the_cas_and_the_tolerances),
        cmocka_unit_test(the_environment_is_what_the_call_needs_and_no_more),
        cmocka_unit_test(without_memory_there_is_no_environment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
