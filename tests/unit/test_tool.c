/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the mock plugins of tests/loader through real settings. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "cli.h"
#include "log.h"
#include "tool.h"

#include <limits.h>

#define USUAL "discovery: [{plugin: good}]\nregistration: {plugin: good}\nstate: {plugin: good}\n"

struct fixture {
    char plugin_dir[PATH_MAX], file[PATH_MAX];
    char *dir; /* private, holds `file` */
    struct cli cli;
    struct settings *settings;
    struct tool tool;
    struct casb_error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    const char *top = getenv("builddir");

    if (!f || file_private_dir("tool", &f->dir, NULL))
        return -1;
    snprintf(f->plugin_dir, sizeof f->plugin_dir, "%s/tests/loader/.libs", top ? top : ".");
    snprintf(f->file, sizeof f->file, "%s/s.yaml", f->dir);
    f->cli.plugin_dir = f->plugin_dir;
    f->cli.file = f->file;
    log_init(CASB_WARN, false);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    file_remove_tree(f->dir, NULL);
    settings_free(f->settings);
    free(f->dir);
    free(f);
    return 0;
}

static int open_tool(struct fixture *f, const char *yaml, char **env)
{
    static char *no_env[] = {NULL};

    unlink(f->file);
    assert_int_equal(file_write_private(f->file, yaml, strlen(yaml), &f->err), 0);
    settings_free(f->settings);
    f->settings = NULL;
    f->err = (struct casb_error){0};
    if (settings_load(&f->cli, env ? env : no_env, &f->settings, &f->err))
        fail_msg("%s", f->err.text);
    return tool_open(f->settings, &f->tool, &f->err);
}

static void add_override(struct fixture *f, const char *name, const char *value, const char *option)
{
    f->cli.overrides[f->cli.n_overrides++] = (struct cli_override){name, value, option};
}

static void all_plugins_are_opened_and_know_their_host(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(open_tool(f,
                               "discovery: [{plugin: good, name: one}, {plugin: good}]\n"
                               "registration: {plugin: good, parallel: 2, limits: {nodes: 3}}\n"
                               "state: {plugin: good}\n",
                               NULL),
                     0);
    assert_int_equal(f->tool.n_sources, 2);
    assert_string_equal(f->tool.sources[0].host.source, "one");
    assert_string_equal(f->tool.sources[1].host.source, "good");
    assert_string_equal(f->tool.state.host.source, "");
    assert_string_equal(f->tool.sources[0].host.instance, "mycas-backup");
    assert_string_equal(f->tool.registration.host.instance, "mycas-backup");
    assert_string_equal(f->tool.sources[0].host.holder, f->tool.holder);
    assert_string_equal(f->tool.primary.address, "mycas");
    assert_non_null(tool_discovery(&f->tool.sources[1])->scan);
    assert_non_null(tool_state(&f->tool)->lock);
    assert_non_null(tool_registration(&f->tool)->register_backup);
    tool_close(&f->tool);
}

static void the_instances_name_follows_from_the_primary(void **state)
{
    static const struct {
        const char *yaml, *instance;
    } cases[] = {
        {"cas: mycas\n", "mycas-backup"},
        {"cas: mycas:8081\n", "mycas-backup"},
        {"cas: MyCAS:8081\n", "mycas-backup"},
        {"cas: mycas:8082\n", "mycas-8082-backup"},
        {"cas: mycas\ninstance: other\n", "other"},
        {"cas: mycas\ninstance: 'Not a label!'\n", NULL},
        {"cas: cas.scone.svc\n", NULL},
        {"cas: '2001:db8::1'\n", NULL},
        {"cas: a-very-long-name-of-a-primary-that-leaves-no-room-for-nodes\n", NULL},
    };
    struct fixture *f = *state;
    char yaml[512];

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        snprintf(yaml, sizeof yaml, "%s%s", cases[i].yaml, USUAL);
        assert_int_equal(open_tool(f, yaml, NULL), 0);
        assert_true(text_is_label(f->tool.instance));
        assert_in_range(strlen(f->tool.instance), 1, 40);
        if (cases[i].instance)
            assert_string_equal(f->tool.instance, cases[i].instance);
        tool_close(&f->tool);
    }
}

static void the_holder_is_the_pod_where_there_is_one(void **state)
{
    char *env[] = {(char *)"POD_NAME=pass-1", (char *)"POD_UID=123-456", NULL};
    struct fixture *f = *state;

    assert_int_equal(open_tool(f, USUAL, env), 0);
    assert_int_equal(strncmp(f->tool.holder, "pass-1_123-456_", 15), 0);
    tool_close(&f->tool);
}

static void holders_of_two_passes_differ(void **state)
{
    struct fixture *f = *state;
    char first[256];

    assert_int_equal(open_tool(f, USUAL, NULL), 0);
    snprintf(first, sizeof first, "%s", f->tool.holder);
    tool_close(&f->tool);
    assert_int_equal(open_tool(f, USUAL, NULL), 0);
    assert_string_not_equal(f->tool.holder, first);
    tool_close(&f->tool);
}

static void options_reach_every_plugin_that_has_them(void **state)
{
    struct fixture *f = *state;

    f->cli.cas = "other:1";
    add_override(f, "config", "c.json", "--config");
    assert_int_equal(open_tool(f, USUAL, NULL), 0);
    assert_string_equal(f->tool.primary.address, "other:1");
    assert_string_equal(*(const char **)f->tool.sources[0].values, "c.json");
    assert_string_equal(*(const char **)f->tool.state.values, "c.json");
    tool_close(&f->tool);
}

static void an_option_that_no_plugin_takes_is_wrong_usage(void **state)
{
    struct fixture *f = *state;

    add_override(f, "session", "p/s", "--session");
    assert_int_equal(open_tool(f, USUAL, NULL), CASB_EINVALID);
    assert_string_equal(f->err.text, "--session: none of the plugins in use takes it");
}

static void failures_have_the_class_that_decides_the_exit_status(void **state)
{
    static const struct {
        const char *yaml;
        int code;
        const char *text;
    } cases[] = {
        {"discovery: [{plugin: open-fails}]\nregistration: {plugin: good}\n", CASB_EDENIED,
         "discovery plugin 'open-fails': no entry"},
        {"discovery: [{plugin: good}]\nregistration: {plugin: absent}\n", CASB_ENOTFOUND,
         "registration plugin 'absent': "},
        {"discovery: [{plugin: wrong-abi}]\nregistration: {plugin: good}\n", CASB_EFAILED, "ABI"},
        {"discovery: [{plugin: good}]\nregistration: {plugin: ../good}\n", CASB_EINVALID,
         "'../good' is no name of a registration plugin"},
        {"discovery: [{plugin: good}]\nregistration: {plugin: good}\n"
         "state: {plugin: good, path: x}\n",
         CASB_EINVALID, "s.yaml:3:23: unknown key 'path'"},
        {"discovery: [{plugin: good, limits: {nodes: 10}}]\nregistration: {plugin: good}\n",
         CASB_EINVALID,
         "s.yaml:1:44: discovery[0].limits.nodes: expected a whole number from 1 to 9, got 10"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        assert_int_equal(open_tool(f, cases[i].yaml, NULL), cases[i].code);
        if (!strstr(f->err.text, cases[i].text))
            fail_msg("'%s' is not in '%s'", cases[i].text, f->err.text);
    }
}

#define fixture_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(all_plugins_are_opened_and_know_their_host),
        fixture_test(the_instances_name_follows_from_the_primary),
        fixture_test(the_holder_is_the_pod_where_there_is_one),
        fixture_test(holders_of_two_passes_differ),
        fixture_test(options_reach_every_plugin_that_has_them),
        fixture_test(an_option_that_no_plugin_takes_is_wrong_usage),
        fixture_test(failures_have_the_class_that_decides_the_exit_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
