/* SPDX-License-Identifier: Apache-2.0 */
/* coverage: would the primary's database open there? */
#include "coverage.h"

#include "base/buf.h"
#include "base/clock.h"
#include "cli.h"
#include "cmd.h"
#include "log.h"
#include "pass.h"
#include "table.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define INPUT_BYTES (16 * 1024 * 1024)
#define BLANKS      " \t\r"

/* The names that are asked for: the arguments, with "-" replaced by those on standard input. */
struct names {
    const char **list; /* ends with NULL */
    size_t count;
    struct buf input; /* what the names from there point into */
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

/* Reads standard input to its end. A person at a terminal may take long, but may also give up. */
static int read_input(const struct casb_call *call, struct buf *input, struct casb_error *err)
{
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = call->cancel_fd, .events = POLLIN}};
    char block[4096];
    ssize_t n;
    int r = 0;

    do {
        if (poll(fds, ELEMENTS(fds), -1) < 0 && errno != EINTR)
            return err_set_errno(err, errno, "standard input");
        if (clock_check(call) == CASB_ECANCELLED)
            return err_set(err, CASB_ECANCELLED, "cancelled while reading standard input");
        n = read(STDIN_FILENO, block, sizeof block);
        if (n < 0)
            return err_set_errno(err, errno, "standard input");
        r = buf_append(input, block, (size_t)n);
    } while (n > 0 && r == 0);
    return r ? err_set(err, r, "standard input is too large") : 0;
}

/* The first word of each line counts, so that a table will do. */
static int names_read(struct names *names, const struct casb_call *call, struct casb_error *err)
{
    char *rest, *line;
    int r = read_input(call, &names->input, err);

    rest = names->input.data;
    while (r == 0 && (line = strsep(&rest, "\n"))) {
        line += strspn(line, BLANKS);
        line[strcspn(line, BLANKS)] = '\0';
        if (line[0])
            r = names_add(names, line);
    }
    return r;
}

/* Whoever asks for machines means some: no names at all would mean all that are there now. */
static int names_collect(struct names *names, const struct cmd_context *context,
                         struct casb_error *err)
{
    const char *const *args = (const char *const *)context->settings->cli->args;
    struct casb_call call = cmd_call(context);
    bool read_already = false;
    int r = 0;

    for (size_t i = 0; r == 0 && args && args[i]; i++) {
        if (strcmp(args[i], "-") != 0)
            r = names_add(names, args[i]);
        else if (!read_already)
            r = names_read(names, &call, err);
        read_already |= strcmp(args[i], "-") == 0;
    }
    if (r == 0 && read_already && names->count == 0)
        return err_set(err, CASB_EINVALID, "coverage: there is no name on standard input");
    return r;
}

static void names_done(struct names *names)
{
    buf_free(&names->input);
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
                                 "since", cmd_time(since, row->since_s), "reason", row->reason)))
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
                                          cmd_time(since, row->since_s), row->reason});
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

    return cmd_printed(context->settings->cli->output_json
                           ? cmd_print_json(coverage_json(coverage, wanted))
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
    struct casb_call call = cmd_call(context);
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
    struct names names = {.input = BUF_INIT(INPUT_BYTES)};
    struct coverage coverage = {0};
    struct casb_error err = {0};
    struct tool tool = {0};
    int status = cmd_open(context, &tool);

    if (status)
        return status;
    if (names_collect(&names, context, &err) || answer(context, &tool, &names, &coverage, &err)) {
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
