/* SPDX-License-Identifier: Apache-2.0 */
/* status: the records as a table. coverage: would the primary's database open there? */
#include "base/clock.h"
#include "cli.h"
#include "cmd.h"
#include "coverage.h"
#include "log.h"
#include "pass.h"
#include "table.h"

#include <string.h>

#define NAME_BYTES 512
#define BLANKS     " \t\r\n"

static const char *time_text(char out[static CLOCK_RFC3339_BYTES], int64_t seconds)
{
    return seconds > 0 ? clock_format(out, seconds * 1000, false) : NULL;
}

static struct casb_call plain_call(const struct cmd_context *context)
{
    return (struct casb_call){.deadline_ns = clock_now_ns() + context->settings->deadline_ns,
                              .cancel_fd = context->cancel_fd};
}

static int print_json(json_t *json)
{
    int r = json && json_dumpf(json, stdout, JSON_INDENT(2)) == 0 && printf("\n") > 0 ? 0 : -1;

    json_decref(json);
    return r;
}

/* What the end of printing means for the exit status. */
static int printed(int r, int status)
{
    if (r == 0 && fflush(stdout) == 0)
        return status;
    log_error("the answer could not be printed");
    return EXIT_PASS_FAILED;
}

/* ---- status */

static const char *status_name(enum casb_status status)
{
    static const char *const names[] = {"none", "registered", "failed"};

    return names[status];
}

struct listing {
    const char *primary;
    struct table *table;
    json_t *json;
};

static int list_record(struct record *record, void *arg)
{
    struct listing *listing = arg;
    const struct casb_record *r = records_values(record);
    const char *opens = coverage_reason(r, listing->primary) ? "no" : "yes";
    char registered[CLOCK_RFC3339_BYTES], attempted[CLOCK_RFC3339_BYTES], seen[CLOCK_RFC3339_BYTES];

    table_row(listing->table, (const char *[]){r->name, r->source, status_name(r->status), opens,
                                               time_text(registered, r->registered),
                                               time_text(attempted, r->attempted),
                                               time_text(seen, r->seen), r->error});
    return json_array_append_new(
               listing->json,
               json_pack("{s:s, s:s*, s:s*, s:s, s:b, s:s*, s:s*, s:s*, s:s*, s:s*, s:I, s:s*}",
                         "uid", r->uid, "name", r->name, "source", r->source, "status",
                         status_name(r->status), "opens", strcmp(opens, "yes") == 0, "las_key",
                         r->las_key, "boot_id", r->boot_id, "registered",
                         time_text(registered, r->registered), "attempted",
                         time_text(attempted, r->attempted), "seen", time_text(seen, r->seen),
                         "attempts", (json_int_t)r->attempts, "error", r->error))
               ? CASB_ENOMEM
               : 0;
}

static int print_records(const struct cmd_context *context, const struct tool *tool,
                         const struct records *records)
{
    static const char *const titles[] = {"NODE",      "SOURCE", "STATUS", "OPENS", "REGISTERED",
                                         "ATTEMPTED", "SEEN",   "ERROR",  NULL};
    _cleanup_(table_freep) struct table *table = table_new(titles);
    json_auto_t *json = json_array();
    struct listing listing = {tool->primary.id, table, json};

    if (!table || !json || records_each(records, list_record, &listing))
        return -1;
    table_sort(table);
    return context->settings->cli->output_json ? print_json(json_incref(json))
                                               : table_print(table, stdout);
}

int cmd_status(const struct cmd_context *context)
{
    _cleanup_(records_freep) struct records *records = NULL;
    struct casb_call call = plain_call(context);
    struct casb_error err = {0};
    struct tool tool = {0};
    int status = cmd_open(context, &tool);

    if (status)
        return status;
    if (coverage_load(&tool, &call, &records, &err)) {
        status = cmd_fail(&err);
    } else {
        status = printed(print_records(context, &tool, records), EXIT_DONE);
    }
    tool_close(&tool);
    return status;
}

/* ---- coverage */

/*
 * The names that are asked for: the arguments, with "-" replaced by the first word of each line of
 * standard input, so that a table will do.
 */
struct names {
    const char **list; /* ends with NULL */
    size_t count;
    char **lines; /* the owned ones */
    size_t n_lines;
};

static int names_add(struct names *names, const char *name)
{
    const char **list = reallocarray(names->list, names->count + 2, sizeof *list);

    if (!list)
        return CASB_ENOMEM;
    names->list = list;
    list[names->count++] = name;
    list[names->count] = NULL;
    return 0;
}

static int names_add_line(struct names *names, const char *line)
{
    char **lines = reallocarray(names->lines, names->n_lines + 1, sizeof *lines);

    if (!lines)
        return CASB_ENOMEM;
    names->lines = lines;
    lines[names->n_lines] = strdup(line);
    if (!lines[names->n_lines])
        return CASB_ENOMEM;
    return names_add(names, lines[names->n_lines++]);
}

static int names_read(struct names *names, FILE *in)
{
    char line[NAME_BYTES];
    int r = 0;

    while (r == 0 && fgets(line, sizeof line, in)) {
        char *name = line + strspn(line, BLANKS);

        name[strcspn(name, BLANKS)] = '\0';
        if (name[0])
            r = names_add_line(names, name);
    }
    return r;
}

static int names_collect(struct names *names, const char *const *args)
{
    int r = 0;

    for (size_t i = 0; r == 0 && args && args[i]; i++)
        r = strcmp(args[i], "-") == 0 ? names_read(names, stdin) : names_add(names, args[i]);
    return r;
}

static void names_done(struct names *names)
{
    for (size_t i = 0; i < names->n_lines; i++)
        free(names->lines[i]);
    free(names->lines);
    free(names->list);
}

static json_t *coverage_json(const struct coverage *coverage, int64_t wanted)
{
    json_auto_t *nodes = json_array();
    char since[CLOCK_RFC3339_BYTES];

    for (size_t i = 0; nodes && i < coverage->count; i++) {
        const struct coverage_row *row = &coverage->rows[i];

        if (json_array_append_new(
                nodes, json_pack("{s:s, s:b, s:s*, s:s*}", "name", row->name, "opens", row->opens,
                                 "since", time_text(since, row->since_s), "reason", row->reason)))
            return NULL;
    }
    return json_pack("{s:I, s:I, s:O}", "opens", (json_int_t)coverage->opens, "min_registered",
                     (json_int_t)wanted, "nodes", nodes);
}

static int print_table(const struct coverage *coverage, int64_t wanted)
{
    static const char *const titles[] = {"NODE", "OPENS", "SINCE", "REASON", NULL};
    _cleanup_(table_freep) struct table *table = table_new(titles);
    char since[CLOCK_RFC3339_BYTES];

    if (!table)
        return -1;
    for (size_t i = 0; i < coverage->count; i++) {
        const struct coverage_row *row = &coverage->rows[i];

        table_row(table, (const char *[]){row->name, row->opens ? "yes" : "no",
                                          time_text(since, row->since_s), row->reason});
    }
    if (table_print(table, stdout))
        return -1;
    return printf("the database opens on %zu of %zu (at least %lld wanted)\n", coverage->opens,
                  coverage->count, (long long)wanted) < 0
               ? -1
               : 0;
}

static int print_coverage(const struct cmd_context *context, const struct coverage *coverage)
{
    int64_t wanted = context->settings->min_registered;
    int status = coverage->opens >= (size_t)wanted ? EXIT_DONE : EXIT_TOO_FEW;

    return printed(context->settings->cli->output_json ? print_json(coverage_json(coverage, wanted))
                                                       : print_table(coverage, wanted),
                   status);
}

/*
 * Scans, so that a machine that changed is not counted on. Where names are given the records alone
 * must do if the scan fails: the machines may well be down when somebody asks.
 */
static int answer(const struct cmd_context *context, struct tool *tool, const struct names *names,
                  struct coverage *ret, struct casb_error *err)
{
    _cleanup_(report_freep) struct report *report = NULL;
    _cleanup_(records_freep) struct records *records = NULL;
    struct casb_call call = plain_call(context);
    struct casb_error scan_err = {0};
    int r = coverage_load(tool, &call, &records, err);

    if (!r)
        r = report_new(tool->instance, tool->primary.id, &report, err);
    if (r)
        return r;
    r = pass_run(context, tool, report, PASS_PLAN, &scan_err);
    if (r && names->count == 0)
        return err_set(err, r, "%s", scan_err.text);
    if (r)
        log_warn("going by the records alone: %s", scan_err.text);
    return coverage_make(records, report, tool->primary.id, names->list, ret, err);
}

int cmd_coverage(const struct cmd_context *context)
{
    struct names names = {0};
    struct coverage coverage = {0};
    struct casb_error err = {0};
    struct tool tool = {0};
    int status = cmd_open(context, &tool);

    if (status)
        return status;
    if (names_collect(&names, context->settings->cli->args) ||
        answer(context, &tool, &names, &coverage, &err)) {
        err_nomem(&err); /* unless it is set */
        status = cmd_fail(&err);
    } else {
        status = print_coverage(context, &coverage);
    }
    coverage_done(&coverage);
    names_done(&names);
    tool_close(&tool);
    return status;
}
