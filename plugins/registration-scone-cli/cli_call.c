/* SPDX-License-Identifier: Apache-2.0 */
#include "registration-scone-cli/cli_call.h"

#include "base/buf.h"
#include "base/text.h"

#include <cas-backup/error.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES 512

static const struct {
    const char *word, *option;
} tolerances[] = {
    {"configuration-needed", "-C"},
    {"group-out-of-date", "-G"},
    {"sw-hardening-needed", "-S"},
};

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
        return call->session;
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
    const char *const with_session[][2] = {{"SCONE_CONFIG_ID", call->session},
                                           {"SCONE_CAS_ADDR", call->cas},
                                           {"SCONE_LAS_ADDR", call->las}};
    const char *const with_config[][2] = {{"SCONE_CLI_CONFIG", call->config},
                                          {"TMPDIR", call->folder}};
    const char *const(*rows)[2] = call->session ? with_session : with_config;
    size_t n = call->session ? ELEMENTS(with_session) : ELEMENTS(with_config);
    char retries[24];
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++)
        r = add(env, rows[i][0], rows[i][1]);
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

/* Takes the next line off *text, cleaned. False at the end. */
static bool next_line(const char **text, char line[static LINE_BYTES], bool *ret_indented)
{
    size_t len = strcspn(*text, "\r\n");

    if (!**text)
        return false;
    *ret_indented = **text == ' ' || **text == '\t';
    text_clean_bytes(line, LINE_BYTES, *text, len);
    *text += len + ((*text)[len] != 0);
    return true;
}

/* The text behind a marker at the line's beginning; NULL: the line has none. */
static const char *behind_marker(const char *line)
{
    static const char *const markers[] = {"Error:", "Caused by:"};

    for (size_t i = 0; i < ELEMENTS(markers); i++) {
        size_t len = strlen(markers[i]);

        if (strncasecmp(line, markers[i], len) == 0)
            return line + len + strspn(line + len, " ");
    }
    return NULL;
}

/* A list of causes may number them: "0: ...". */
static const char *behind_number(const char *line)
{
    size_t digits = strspn(line, "0123456789");

    return digits > 0 && line[digits] == ':' ? line + digits + 1 + strspn(line + digits + 1, " ")
                                             : line;
}

/* Appends what the marked lines of `text` say; *ret_last gets the last line of all. */
static void collect(const char *text, struct buf *joined, char ret_last[static LINE_BYTES])
{
    char line[LINE_BYTES];
    bool indented, in_list = false;

    while (next_line(&text, line, &indented)) {
        const char *said = behind_marker(line);

        if (!line[0])
            continue;
        if (!said || *said)
            memcpy(ret_last, line, strlen(line) + 1);
        /* A marker alone announces a list: its lines are indented. */
        if (said)
            in_list = !*said;
        else if (in_list && indented)
            said = behind_number(line);
        else
            in_list = false;
        if (text_empty(said))
            continue;
        if (joined->len > 0)
            buf_append_cut(joined, ": ", 2);
        buf_append_cut(joined, said, strlen(said));
    }
}

void cli_call_message(char *out, size_t size, const char *err_text, const char *out_text)
{
    const char *const texts[] = {err_text, out_text};
    char lasts[ELEMENTS(texts)][LINE_BYTES] = {"", ""};

    for (size_t i = 0; i < ELEMENTS(texts); i++) {
        _cleanup_(buf_free) struct buf joined = BUF_INIT(2 * size);

        collect(texts[i], &joined, lasts[i]);
        if (joined.len > 0) {
            text_clean(out, size, buf_text(&joined));
            return;
        }
    }
    text_clean(out, size, lasts[0][0] ? lasts[0] : lasts[1]);
}
