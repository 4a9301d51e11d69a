/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"

#include "base/jsonx.h"
#include "base/text.h"
#include "log.h"
#include "plugin/loader.h"
#include "report/table.h"
#include "settings/option_value.h"
#include "settings/request.h"
#include "settings/schema.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>

/* What a file of the plugin folder holds. */
struct found {
    enum casb_kind kind;
    char name[64];
    const struct casb_plugin *plugin; /* NULL: it cannot be loaded, `problem` says why */
    struct casb_error problem;
};

/* Takes "KIND-NAME.so" apart; false for the name of anything else. */
static bool parse_file_name(const char *file, struct found *ret)
{
    static const enum casb_kind kinds[] = {CASB_DISCOVERY, CASB_REGISTRATION, CASB_STATE};
    size_t len = strlen(file);

    if (len < 3 || strcmp(file + len - 3, ".so") != 0)
        return false;
    for (size_t i = 0; i < ELEMENTS(kinds); i++) {
        const char *kind = loader_kind_name(kinds[i]);
        size_t skip = strlen(kind) + 1;

        if (strncmp(file, kind, skip - 1) != 0 || file[skip - 1] != '-' || len <= skip + 3)
            continue;
        ret->kind = kinds[i];
        snprintf(ret->name, sizeof ret->name, "%.*s", (int)(len - skip - 3), file + skip);
        return true;
    }
    return false;
}

static int is_plugin_file(const struct dirent *entry)
{
    struct found found;

    return parse_file_name(entry->d_name, &found);
}

/* Loads every plugin of the folder; *ret is the caller's to free. */
static int find_plugins(const char *dir, struct found **ret, size_t *ret_n, struct casb_error *err)
{
    struct dirent **entries;
    struct found *found;
    int n = scandir(dir, &entries, is_plugin_file, alphasort);

    if (n < 0)
        return err_set_errno(err, errno, "folder of plugins '%s'", dir);
    found = calloc((size_t)n + 1, sizeof *found);
    for (int i = 0; i < n; i++) {
        if (found && parse_file_name(entries[i]->d_name, &found[i]) &&
            loader_load(dir, found[i].kind, found[i].name, &found[i].plugin, &found[i].problem))
            found[i].plugin = NULL;
        free(entries[i]);
    }
    free(entries);
    if (!found)
        return err_nomem(err);
    *ret = found;
    *ret_n = (size_t)n;
    return 0;
}

static char *file_of(const struct found *found, const char *dir, char *out, size_t size)
{
    snprintf(out, size, "%s/%s-%s.so", dir, loader_kind_name(found->kind), found->name);
    return out;
}

static int print_json(const struct found *found, size_t n, const char *dir)
{
    json_auto_t *list = json_array();
    char file[PATH_MAX];
    int bad = !list;

    for (; n > 0; n--, found++) {
        const struct casb_plugin *plugin = found->plugin;

        bad |= json_array_append_new(
            list, jsonx_new("{ss, ss, ss?, so, ss, ss?}", "kind", loader_kind_name(found->kind),
                            "name", found->name, "version", plugin ? plugin->version : NULL, "abi",
                            plugin ? json_integer(plugin->abi) : json_null(), "file",
                            file_of(found, dir, file, sizeof file), "problem",
                            plugin ? NULL : found->problem.text));
    }
    return bad || jsonx_print(list, stdout) ? -1 : 0;
}

static int print_table(const struct found *found, size_t n, const char *dir)
{
    static const char *const titles[] = {"KIND", "NAME", "VERSION", "ABI", "FILE", "PROBLEM", NULL};
    _cleanup_(table_freep) struct table *table = table_new(titles);
    char file[PATH_MAX], abi[16];

    for (; table && n > 0; n--, found++) {
        const struct casb_plugin *plugin = found->plugin;

        snprintf(abi, sizeof abi, "%u", plugin ? (unsigned)plugin->abi : 0);
        table_row(table, (const char *[]){loader_kind_name(found->kind), found->name,
                                          plugin ? plugin->version : NULL, plugin ? abi : NULL,
                                          file_of(found, dir, file, sizeof file),
                                          plugin ? NULL : found->problem.text});
        if (!plugin)
            table_stress(table, 5, TERMINAL_BAD);
    }
    return table ? table_print(table, stdout) : -1;
}

static int print_options(const char *title, const char *detail, const struct casb_option *option)
{
    static const char *const titles[] = {"SETTING",     "TAKES",   "DEFAULT",
                                         "ENVIRONMENT", "MEANING", NULL};
    _cleanup_(table_freep) struct table *table = table_new(titles);
    char takes[256];

    for (; table && option && option->name; option++)
        table_row(table,
                  (const char *[]){option->name, option_describe(option, takes, sizeof takes),
                                   option->def, option->env, option->help});
    printf("\n%s %s\n", title, detail);
    return table ? table_print(table, stdout) : -1;
}

/* The keys that every settings file has, then those of each plugin. */
static int print_settings(const struct found *found, size_t n)
{
    int bad = 0;

    for (const struct settings_section *section = settings_sections; section->path; section++)
        bad |= print_options("settings", *section->path ? section->path : "file", section->options);
    for (; n > 0; n--, found++)
        if (found->plugin)
            bad |=
                print_options(loader_kind_name(found->kind), found->name, found->plugin->options);
    return bad;
}

/* The JSON Schema of a settings file for the plugins that can be loaded. */
static int print_schema(const struct found *found, size_t n)
{
    _cleanup_(freep) struct schema_plugin *plugins = calloc(n + 1, sizeof *plugins);
    size_t good = 0;

    for (; plugins && n > 0; n--, found++)
        if (found->plugin)
            plugins[good++] = (struct schema_plugin){loader_kind_name(found->kind), found->name,
                                                     found->plugin->options};
    return plugins ? cmd_print_json(schema_new(plugins, good)) : -1;
}

static int print_found(const struct request *request, const struct found *found, size_t n,
                       const char *dir)
{
    if (request->output == OUTPUT_SCHEMA)
        return print_schema(found, n);
    if (request->output == OUTPUT_JSON)
        return print_json(found, n, dir);
    return print_table(found, n, dir) | (request->verbosity > 0 ? print_settings(found, n) : 0);
}

int cmd_plugins(const struct cmd_context *context)
{
    const struct request *request = context->settings->request;
    const char *dir = context->settings->plugin_dir;
    _cleanup_(freep) struct found *found = NULL;
    struct casb_error err = {0};
    size_t n = 0;

    if (find_plugins(dir, &found, &n, &err))
        return cmd_fail(&err);
    if (print_found(request, found, n, dir)) {
        log_error("the list of plugins could not be printed");
        return EXIT_PASS_FAILED;
    }
    return EXIT_DONE;
}
