/* SPDX-License-Identifier: Apache-2.0 */
#include "command/cli.h"

#include "base/buf.h"
#include "base/text.h"
#include "command/commands.h"

#include <getopt.h>
#include <string.h>

#define HELP_BYTES  (16 * 1024)
#define HELP_COLUMN 32
#define SHARING     "run|plan" /* the commands that work on one share's nodes, if there are several */
#define AT(member)  offsetof(struct cli, member)
#define FIRST_LONG  256 /* getopt_long() gives FIRST_LONG + row for a long option */

enum kind {
    TEXT,     /* const char * at `offset`; the last one counts */
    LIST,     /* const char ** at `offset`, appended to */
    FLAG,     /* bool at `offset` */
    CHOICE,   /* int at `offset`: which one of the words of `arg`, from 0 */
    OVERRIDE, /* a setting of that name, for the plugins that have it */
    LOUDER,
    QUIETER,
};

struct cli_option {
    const char *name; /* with its dashes */
    char letter;
    enum kind kind;
    size_t offset;
    const char *arg, *help;
    const char *command; /* the only ones that take it, with '|' between; NULL: all do */
};

static const struct cli_option options[] = {
    {"--file", 'f', TEXT, AT(request.file), "FILE", "settings (YAML)"},
    {"--config", 0, OVERRIDE, 0, "FILE", "configuration of the SCONE CLI"},
    {"--session", 0, OVERRIDE, 0, "POLICY/SERVICE", "attest by this session instead"},
    {"--cas", 0, TEXT, AT(request.cas), "ADDRESS", "the primary CAS"},
    {"--host", 0, LIST, AT(request.hosts), "NAME=ADDRESS", "add a static host (*)"},
    {"--only", 0, LIST, AT(request.only), "NODE", "leave all other nodes alone (*)"},
    {"--force", 0, LIST, AT(request.force), "NODE|all", "register again (*)"},
    {"--kubeconfig", 0, OVERRIDE, 0, "FILE", "how to reach the Kubernetes API"},
    {"--context", 0, OVERRIDE, 0, "NAME", "context of the kubeconfig"},
    {"--parallel", 0, TEXT, AT(request.parallel), "N", "nodes worked on at a time"},
    {"--deadline", 0, TEXT, AT(request.deadline), "TIME", "end the pass after 90s, 5m, 1h"},
    {"--lock-wait", 0, TEXT, AT(request.lock_wait), "TIME", "run: wait for the lock so long"},
    {"--output", 'o', TEXT, AT(output), "FORMAT", "how to print"},
    {"--report", 0, TEXT, AT(request.report), "FILE", "write a JSON report of the pass"},
    {"--wait", 0, TEXT, AT(request.wait), "TIME", "coverage: until all are registered", "coverage"},
    {"--settings", 0, FLAG, AT(request.settings_only), NULL, "check: the settings alone", "check"},
    {"--records", 0, TEXT, AT(request.records), "FILE", "coverage: a saved 'status -o json'",
     "coverage"},
    {"--label", 0, FLAG, AT(request.label), NULL, "cleanup: the nodes' labels too", "cleanup"},
    {"--shard", 0, TEXT, AT(request.shard), "I/N", "only the nodes of share I, from 0, of N",
     SHARING},
    {"--log-format", 0, CHOICE, AT(request.log_json), "text|json", "how to log"},
    {"--color", 0, CHOICE, AT(request.color), "auto|never|always", "show what went wrong in red"},
    {"--plugin-dir", 0, TEXT, AT(request.plugin_dir), "DIR", "where the plugins are"},
    {"--verbose", 'v', LOUDER, 0, NULL, "log and print details"},
    {"--quiet", 'q', QUIETER, 0, NULL, "log warnings and errors only"},
    {"--version", 0, FLAG, AT(version), NULL, "print the version"},
    {"--help", 'h', FLAG, AT(help), NULL, "print this help"},
};

/* Appends to a NULL-terminated list. */
static int list_append(const char ***list, const char *text, struct casb_error *err)
{
    const char **grown;
    size_t n = 0;

    while (*list && (*list)[n])
        n++;
    grown = reallocarray(*list, n + 2, sizeof *grown);
    if (!grown)
        return err_nomem(err);
    grown[n] = text;
    grown[n + 1] = NULL;
    *list = grown;
    return 0;
}

static int set_choice(const struct cli_option *row, const char *text, int *member,
                      struct casb_error *err)
{
    int i = text_word_index(row->arg, text);

    if (i < 0)
        return err_set(err, CASB_EINVALID, "%s: expected %s, got '%s'", row->name, row->arg, text);
    *member = i;
    return 0;
}

static int set_override(struct request *request, const struct cli_option *row, const char *text,
                        struct casb_error *err)
{
    size_t i = 0;

    while (i < request->n_overrides && strcmp(request->overrides[i].option, row->name) != 0)
        i++;
    if (i == ELEMENTS(request->overrides))
        return err_set(err, CASB_EFAILED, "%s: too many options for plugins", row->name);
    request->overrides[i] = (struct request_override){row->name + 2, text, row->name};
    if (i == request->n_overrides)
        request->n_overrides++;
    return 0;
}

static int apply(struct cli *cli, const struct cli_option *row, const char *text,
                 struct casb_error *err)
{
    void *member = (char *)cli + row->offset;

    if (row->arg && text_empty(text))
        return err_set(err, CASB_EINVALID, "%s: expected %s, got nothing", row->name, row->arg);
    switch (row->kind) {
    case TEXT:
        *(const char **)member = text;
        return 0;
    case LIST:
        return list_append(member, text, err);
    case FLAG:
        *(bool *)member = true;
        return 0;
    case CHOICE:
        return set_choice(row, text, member, err);
    case OVERRIDE:
        return set_override(&cli->request, row, text, err);
    case LOUDER:
        cli->request.verbosity = 1;
        return 0;
    case QUIETER:
        cli->request.verbosity = -1;
        return 0;
    }
    return 0;
}

/* The row that getopt_long() means by its result or by optopt; NULL: none. */
static const struct cli_option *row_of(int value)
{
    if (value >= FIRST_LONG)
        return &options[value - FIRST_LONG];
    for (size_t i = 0; i < ELEMENTS(options); i++)
        if (value && options[i].letter == value)
            return &options[i];
    return NULL;
}

static int no_such(const char *what, const char *word, const char *const *known,
                   struct casb_error *err)
{
    const char *near = text_nearest(word, known);

    if (near)
        return err_set(err, CASB_EINVALID, "no %s '%s'; did you mean %s?", what, word, near);
    return err_set(err, CASB_EINVALID, "no %s '%s'", what, word);
}

/* Says what getopt_long() did not take; `value` is its optopt. */
static int refuse(const char *word, int result, int value, struct casb_error *err)
{
    const struct cli_option *row = row_of(value);
    const char *names[ELEMENTS(options) + 1] = {NULL};
    char typed[64], letter[3] = {'-', (char)value, '\0'};

    if (row && result == ':')
        return err_set(err, CASB_EINVALID, "%s: %s is missing", row->name, row->arg);
    if (row)
        return err_set(err, CASB_EINVALID, "%s takes no value", row->name);
    for (size_t i = 0; i < ELEMENTS(options); i++)
        names[i] = options[i].name;
    text_clean(typed, sizeof typed, value ? letter : word);
    typed[strcspn(typed, "=")] = '\0';
    return no_such("option", typed, names, err);
}

/* Fills what getopt_long() wants from the table. ':' in front: it prints nothing itself. */
static void getopt_tables(char letters[static 2 * ELEMENTS(options) + 2],
                          struct option longs[static ELEMENTS(options) + 1])
{
    size_t n = 0;

    letters[n++] = ':';
    for (size_t i = 0; i < ELEMENTS(options); i++) {
        longs[i] =
            (struct option){options[i].name + 2, options[i].arg ? required_argument : no_argument,
                            NULL, FIRST_LONG + (int)i};
        if (!options[i].letter)
            continue;
        letters[n++] = options[i].letter;
        if (options[i].arg)
            letters[n++] = ':';
    }
    letters[n] = '\0';
    longs[ELEMENTS(options)] = (struct option){0};
}

static int parse_options(int argc, char **argv, struct cli *cli, struct casb_error *err)
{
    char letters[2 * ELEMENTS(options) + 2];
    struct option longs[ELEMENTS(options) + 1];
    int result, r;

    getopt_tables(letters, longs);
    optind = 0; /* glibc: begin anew, also the permutation */
    while ((result = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        if (result == '?' || result == ':')
            return refuse(argv[optind - 1], result, optopt, err);
        r = apply(cli, row_of(result), optarg, err);
        if (r)
            return r;
    }
    return 0;
}

static int unknown_command(const char *word, struct casb_error *err)
{
    const char *names[32] = {NULL};
    char typed[64];

    for (size_t i = 0; cmd_table[i].name && i + 1 < ELEMENTS(names); i++)
        names[i] = cmd_table[i].name;
    return no_such("command", text_clean(typed, sizeof typed, word), names, err);
}

static const char *outputs_of(const struct command *command)
{
    return command->outputs ? command->outputs : "table|json";
}

static int set_output(struct cli *cli, struct casb_error *err)
{
    static const char *const words[] = {
        [OUTPUT_TABLE] = "table", [OUTPUT_WIDE] = "wide",     [OUTPUT_JSON] = "json",
        [OUTPUT_NAME] = "name",   [OUTPUT_SCHEMA] = "schema", [OUTPUT_PROMETHEUS] = "prometheus",
    };
    const char *valid = outputs_of(cli->command);

    for (size_t i = 0; cli->output && i < ELEMENTS(words); i++)
        if (strcmp(cli->output, words[i]) == 0 && text_word_index(valid, words[i]) >= 0) {
            cli->request.output = (enum request_output)i;
            return 0;
        }
    return cli->output
               ? err_set(err, CASB_EINVALID, "--output: expected %s, got '%s'", valid, cli->output)
               : 0;
}

/* Refuses what another command takes: it would have no effect. */
static int check_owners(const struct cli *cli, struct casb_error *err)
{
    for (size_t i = 0; i < ELEMENTS(options); i++) {
        const struct cli_option *row = &options[i];
        const void *member = (const char *)cli + row->offset;
        bool given = row->kind == TEXT ? *(const char *const *)member != NULL
                                       : row->kind == FLAG && *(const bool *)member;

        if (given && row->command && text_word_index(row->command, cli->command->name) < 0)
            return err_set(err, CASB_EINVALID, "'%s' takes no %s", cli->command->name, row->name);
    }
    return 0;
}

/* The command is the first word that is no option; without one it is the table's first. */
static int parse_words(char **words, struct cli *cli, struct casb_error *err)
{
    const struct command *command = cmd_table;
    const bool named = *words;
    int r = 0;

    if (named) {
        while (command->name && strcmp(command->name, *words) != 0)
            command++;
        if (!command->name)
            return unknown_command(*words, err);
        words++;
    }
    cli->command = command;
    cli->request.shares = text_word_index(SHARING, command->name) >= 0;
    cli->named = named;
    if (*words && !command->args)
        return err_set(err, CASB_EINVALID, "'%s' takes no arguments", command->name);
    if (!*words && command->args && command->args[0] != '[' && !cli->help && !cli->version)
        return err_set(err, CASB_EINVALID, "'%s' needs %s", command->name, command->args);
    r = check_owners(cli, err);
    if (!r)
        r = set_output(cli, err);
    for (; *words && !r; words++)
        r = list_append(&cli->request.args, *words, err);
    return r;
}

int cli_parse(int argc, char **argv, struct cli *ret, struct casb_error *err)
{
    struct cli cli = {0};
    int r = parse_options(argc, argv, &cli, err);

    if (!r)
        r = parse_words(argv + optind, &cli, err);
    if (r) {
        cli_free(&cli);
        return r;
    }
    *ret = cli;
    return 0;
}

/* "  -o, --output table|json     how to print" */
static int help_option(struct buf *out, const struct cli_option *row, const struct command *command)
{
    bool is_output = row->offset == AT(output);
    const char *arg = command && is_output ? outputs_of(command) : row->arg;
    char left[64], letter[5] = "    ";

    if (row->letter)
        snprintf(letter, sizeof letter, "-%c, ", row->letter);
    snprintf(left, sizeof left, "  %s%s %s", letter, row->name, arg ? arg : "");
    return buf_printf(out, "%-*s  %s\n", HELP_COLUMN - 2, left, row->help);
}

static int help_command(struct buf *out, const struct command *command)
{
    char left[64];

    snprintf(left, sizeof left, "  %s %s", command->name, command->args ? command->args : "");
    return buf_printf(out, "%-*s  %s\n", HELP_COLUMN - 2, left, command->help);
}

static int help_usage(struct buf *out, const struct command *command)
{
    int r = 0;

    if (command)
        return buf_printf(out, "Usage: cas-backup %s [OPTIONS]%s%s\n\n%s\n", command->name,
                          command->args ? " " : "", command->args ? command->args : "",
                          command->help);
    r = buf_printf(out,
                   "Usage: cas-backup [COMMAND] [OPTIONS]\n\n"
                   "Registers every machine as a backup of the primary SCONE CAS.\n\n"
                   "Commands (without one: %s):\n",
                   cmd_table[0].name);
    for (command = cmd_table; command->name && !r; command++)
        r = help_command(out, command);
    return r;
}

char *cli_help(const struct command *command)
{
    _cleanup_(buf_free) struct buf out = BUF_INIT(HELP_BYTES);
    int r = help_usage(&out, command);

    if (!r)
        r = buf_puts(&out, "\nOptions (* may be repeated):\n");
    for (size_t i = 0; i < ELEMENTS(options) && !r; i++)
        r = help_option(&out, &options[i], command);
    if (!r)
        r = buf_puts(&out, "\nOptions come before the environment, the settings file and defaults."
                           "\nMore: cas-backup(8) and docs/settings.md.\n");
    return r ? NULL : buf_take(&out);
}

void cli_free(struct cli *cli)
{
    free(cli->request.args);
    free(cli->request.hosts);
    free(cli->request.only);
    free(cli->request.force);
}
