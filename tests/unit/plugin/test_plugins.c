/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the mock plugins of tests/loader through real settings. */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/label.h"
#include "log.h"
#include "plugin/plugins.h"
#include "settings/request.h"

#include <limits.h>

#define USUAL "discovery: [{plugin: good}]\nregistration: {plugin: good}\nstate: {plugin: good}\n"

struct fixture {
    char plugin_dir[PATH_MAX], file[PATH_MAX];
    char *dir; /* private, holds `file` */
    struct request request;
    struct settings *settings;
    enum plugins_use use;
    struct plugins plugins;
    struct casb_error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    const char *top = getenv("builddir");

    if (!f || file_private_dir("tool", 0, &f->dir, NULL))
        return -1;
    snprintf(f->plugin_dir, sizeof f->plugin_dir, "%s/tests/loader/.libs", top ? top : ".");
    snprintf(f->file, sizeof f->file, "%s/s.yaml", f->dir);
    f->request.plugin_dir = f->plugin_dir;
    f->request.file = f->file;
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
    if (settings_load(&f->request, env ? env : no_env, &f->settings, &f->err))
        fail_msg("%s", f->err.text);
    return plugins_open(f->settings, f->use, &f->plugins, &f->err);
}

static void add_override(struct fixture *f, const char *name, const char *value, const char *option)
{
    f->request.overrides[f->request.n_overrides++] = (struct request_override){name, value, option};
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
    assert_int_equal(f->plugins.n_sources, 2);
    assert_string_equal(f->plugins.sources[0].host.source, "one");
    assert_string_equal(f->plugins.sources[1].host.source, "good");
    assert_string_equal(f->plugins.state.host.source, "");
    assert_string_equal(f->plugins.sources[0].host.instance, "mycas-backup");
    assert_string_equal(f->plugins.registration.host.instance, "mycas-backup");
    assert_string_equal(f->plugins.sources[0].host.holder, f->plugins.holder);
    assert_string_equal(f->plugins.primary.address, "mycas");
    assert_non_null(plugins_discovery(&f->plugins.sources[1])->scan);
    assert_non_null(plugins_state(&f->plugins)->lock);
    assert_non_null(plugins_registration(&f->plugins)->register_backup);
    plugins_close(&f->plugins);
}

static void the_release_is_the_settings_word_or_command_and_image(void **state)
{
    static const char *const rows[][2] = {
        {USUAL, "command image:1"},
        {USUAL "release: '7'\n", "7"},
        {USUAL "release: \"two\\nlines\"\n", "two lines"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        assert_int_equal(open_tool(f, rows[i][0], NULL), 0);
        assert_string_equal(f->plugins.sources[0].release, rows[i][1]);
        plugins_close(&f->plugins);
    }
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
        assert_true(label_is_valid(f->plugins.instance));
        assert_in_range(strlen(f->plugins.instance), 1, 40);
        if (cases[i].instance)
            assert_string_equal(f->plugins.instance, cases[i].instance);
        plugins_close(&f->plugins);
    }
}

static void
what_is_known_needs_no_registration_plugin_where_the_settings_name_the_instance(void **state)
{
    static const struct {
        const char *yaml, *instance;
        bool opened;
    } cases[] = {
        {"instance: other\n" USUAL, "other", false},
        {"cas: mycas:8082\n" USUAL, "mycas-8082-backup", false},
        {"cas: mycas\ninstance: other\n" USUAL, "other", false},
        {USUAL, "mycas-backup", true},
    };
    struct fixture *f = *state;

    f->use = PLUGINS_KNOWN;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        assert_int_equal(open_tool(f, cases[i].yaml, NULL), 0);
        assert_string_equal(f->plugins.instance, cases[i].instance);
        assert_int_equal(f->plugins.registration.open, cases[i].opened);
        assert_int_equal(f->plugins.primary.id[0] != 0, cases[i].opened);
        assert_string_equal(f->plugins.sources[0].release, "command image:1");
        if (!cases[i].opened)
            assert_int_equal(plugins_open_registration(&f->plugins, &f->err), 0);
        assert_string_equal(f->plugins.instance, cases[i].instance);
        assert_int_equal(f->plugins.primary.id[0], 'a');
        plugins_close(&f->plugins);
    }
}

static void the_holder_is_the_pod_where_there_is_one(void **state)
{
    char *env[] = {(char *)"POD_NAME=pass-1", (char *)"POD_UID=123-456", NULL};
    struct fixture *f = *state;

    assert_int_equal(open_tool(f, USUAL, env), 0);
    assert_int_equal(strncmp(f->plugins.holder, "pass-1_123-456_", 15), 0);
    plugins_close(&f->plugins);
}

static void holders_of_two_passes_differ(void **state)
{
    struct fixture *f = *state;
    char first[256];

    assert_int_equal(open_tool(f, USUAL, NULL), 0);
    snprintf(first, sizeof first, "%s", f->plugins.holder);
    plugins_close(&f->plugins);
    assert_int_equal(open_tool(f, USUAL, NULL), 0);
    assert_string_not_equal(f->plugins.holder, first);
    plugins_close(&f->plugins);
}

static void options_reach_every_plugin_that_has_them(void **state)
{
    struct fixture *f = *state;

    f->request.cas = "other:1";
    add_override(f, "config", "c.json", "--config");
    assert_int_equal(open_tool(f, USUAL, NULL), 0);
    assert_string_equal(f->plugins.primary.address, "other:1");
    assert_string_equal(*(const char **)f->plugins.sources[0].values, "c.json");
    assert_string_equal(*(const char **)f->plugins.state.values, "c.json");
    plugins_close(&f->plugins);
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
        fixture_test(the_release_is_the_settings_word_or_command_and_image),
        fixture_test(the_instances_name_follows_from_the_primary),
        fixture_test(
            what_is_known_needs_no_registration_plugin_where_the_settings_name_the_instance),
        fixture_test(the_holder_is_the_pod_where_there_is_one),
        fixture_test(holders_of_two_passes_differ),
        fixture_test(options_reach_every_plugin_that_has_them),
        fixture_test(an_option_that_no_plugin_takes_is_wrong_usage),
        fixture_test(failures_have_the_class_that_decides_the_exit_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
