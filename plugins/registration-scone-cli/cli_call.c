/* SPDX-License-Identifier: Apache-2.0 */
#include "registration-scone-cli/cli_call.h"

#include "base/buf.h"
#include "base/text.h"

#include <cas-backup/error.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *word, *option;
} tolerances[] = {
    {"configuration-needed", "-C"},
    {"group-out-of-date", "-G"},
    {"sw-hardening-needed", "-S"},
};

const char *cli_call_option(const char *tolerated)
{
    for (size_t i = 0; i < ELEMENTS(tolerances); i++) {
        if (text_equal(tolerated, tolerances[i].word))
            return tolerances[i].option;
    }
    return NULL;
}

static bool tolerates(const json_t *words, const char *word)
{
    const json_t *each;
    size_t i;

    json_array_foreach (words, i, each) {
        if (text_equal(json_string_value(each), word))
            return true;
    }
    return false;
}

void cli_call_argv(const struct cli_call *call, const char *argv[static CLI_CALL_ARGV])
{
    size_t n = 0;

    argv[n++] = call->program;
    argv[n++] = "cas";
    argv[n++] = call->command;
    if (!call->session) {
        argv[n++] = "--cas";
        argv[n++] = call->cas;
        for (size_t i = 0; i < ELEMENTS(tolerances); i++) {
            if (tolerates(call->tolerate, tolerances[i].word))
                argv[n++] = tolerances[i].option;
        }
    }
    argv[n++] = call->backup;
    argv[n] = NULL;
}

/* Is it the variable NAME, or with NAME_* one of that family? `entry` is NAME=VALUE. */
static bool is_variable(const char *entry, const char *name)
{
    size_t len = strlen(name);

    if (name[len - 1] == '*')
        return strncmp(entry, name, len - 1) == 0;
    return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

static bool is_any(const char *entry, const char *const *names)
{
    for (; *names; names++) {
        if (is_variable(entry, *names))
            return true;
    }
    return false;
}

static bool is_kept(const char *entry, const struct cli_call *call)
{
    static const char *const kept[] = {"PATH", "HOME", "LANG", "LC_*", "TZ", "SCONE_*", NULL};
    static const char *const ours[] = {"SCONE_CLI_CONFIG", "SCONE_CONFIG_ID", "SCONE_CAS_ADDR",
                                       "SCONE_LAS_ADDR", NULL};

    if (is_variable(entry, "TMPDIR"))
        return !call->folder;
    if (is_variable(entry, "SCONE_CLI_RETRIES"))
        return call->retries < 0;
    return is_any(entry, kept) && !is_any(entry, ours);
}

static int add(struct cli_call_env *env, const char *name, const char *value)
{
    char *entry;

    if (asprintf(&entry, "%s=%s", name, value) < 0)
        return CASB_ENOMEM;
    env->own[env->n_own++] = entry;
    env->items[env->n_items++] = entry;
    return 0;
}

static int add_own(struct cli_call_env *env, const struct cli_call *call)
{
    const char *const rows[][2] = {
        {"SCONE_CONFIG_ID", call->session},
        {"SCONE_CAS_ADDR", call->session ? call->cas : NULL},
        {"SCONE_LAS_ADDR", call->session ? call->las : NULL},
        {"SCONE_CLI_CONFIG", call->session ? NULL : call->config},
        {"TMPDIR", call->session ? NULL : call->folder},
    };
    char retries[24];
    int r = 0;

    for (size_t i = 0; i < ELEMENTS(rows) && r == 0; i++)
        r = rows[i][1] ? add(env, rows[i][0], rows[i][1]) : 0;
    if (r < 0 || call->retries < 0)
        return r;
    snprintf(retries, sizeof retries, "%lld", (long long)call->retries);
    return add(env, "SCONE_CLI_RETRIES", retries);
}

int cli_call_env(const struct cli_call *call, const char *const *parent, struct cli_call_env *ret)
{
    struct cli_call_env env = {0};
    size_t n = 0;
    int r;

    while (parent[n])
        n++;
    env.items = calloc(n + ELEMENTS(env.own) + 1, sizeof *env.items);
    if (!env.items)
        return CASB_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (is_kept(parent[i], call))
            env.items[env.n_items++] = parent[i];
    }
    r = add_own(&env, call);
    if (r < 0) {
        cli_call_env_free(&env);
        return r;
    }
    *ret = env;
    return 0;
}

void cli_call_env_free(struct cli_call_env *env)
{
    for (size_t i = 0; i < env->n_own; i++)
        free(env->own[i]);
    free(env->items);
    *env = (struct cli_call_env){0};
}
