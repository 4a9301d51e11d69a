/* SPDX-License-Identifier: Apache-2.0 */
/* coverage: would the primary's database open there? */
#include "report/coverage.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/text.h"
#include "command/command.h"
#include "command/names.h"
#include "log.h"
#include "report/saved.h"
#include "report/table.h"
#include "settings/request.h"

#include <string.h>

#define REMARK_BYTES 600
#define POLL_NS      (5 * CLOCK_S)  /* between two looks at the state */
#define SCAN_NS      (60 * CLOCK_S) /* and two scans */

static json_t *coverage_json(const struct coverage *coverage, int64_t wanted)
{
    json_auto_t *nodes = json_array();
    char since[CLOCK_RFC3339_BYTES];

    for (size_t i = 0; nodes && i < coverage->count; i++) {
        const struct coverage_row *row = &coverage->rows[i];

        json_t *json =
            jsonx_new("{s:s, s:b, s:b, s:s*, s:s*, s:s*, s:s*}", "name", row->name, "opens",
                      row->opens, "current", row->current, "since", cmd_time(since, row->since_s),
                      "release", row->release, "reason", row->reason, "same_as", row->same_as);

        if (json_array_append_new(nodes, json))
            return NULL;
    }
    return jsonx_new("{s:I, s:I, s:O}", "opens", (json_int_t)coverage->opens, "min_registered",
                     (json_int_t)wanted, "nodes", nodes);
}

/* What is to be said of a row: why it does not open, or what is special where it does. */
static const char *remark(char out[static REMARK_BYTES], const struct coverage_row *row)
{
    if (row->same_as)
        snprintf(out, REMARK_BYTES, "it is the same machine as '%s'", row->same_as);
    else if (row->opens && !row->current)
        snprintf(out, REMARK_BYTES, "it is registered for '%s'", row->release);
    else
        return row->reason;
    return out;
}

static int print_table(const struct coverage *coverage, int64_t wanted)
{
    static const char *const titles[] = {"NODE", "OPENS", "SINCE", "REASON", NULL};
    _cleanup_(table_freep) struct table *table = table_new(titles);
    char since[CLOCK_RFC3339_BYTES], text[REMARK_BYTES];

    if (!table)
        return -1;
    for (size_t i = 0; i < coverage->count; i++) {
        const struct coverage_row *row = &coverage->rows[i];

        table_row(table, (const char *[]){row->name, row->opens ? "yes" : "no",
                                          cmd_time(since, row->since_s), remark(text, row)});
        if (!row->opens)
            table_stress(table, 1, TERMINAL_BAD);
    }
    if (table_print(table, stdout))
        return -1;
    return printf("the database opens on %zu of %zu (at least %lld wanted)\n", coverage->opens,
                  coverage->count, (long long)wanted) < 0
               ? -1
               : 0;
}

static int print_coverage(const struct cmd_context *context, const struct coverage *coverage,
                          int64_t wanted, int status)
{
    return cmd_printed(context->settings->request->output == OUTPUT_JSON
                           ? cmd_print_json(coverage_json(coverage, wanted))
                           : print_table(coverage, wanted),
                       status);
}

/*
 * Scans, so that a machine that changed is not counted on. Where names are given the records alone
 * must do if the scan fails: the machines may well be down when somebody asks.
 */
static int answer(const struct cmd_context *context, struct plugins *plugins,
                  const struct names *names, struct coverage *ret, struct casb_error *err)
{
    _cleanup_(report_freep) struct report *report = NULL;
    _cleanup_(records_freep) struct records *records = NULL;
    struct casb_call call = cmd_call(context);
    struct casb_error scan_err = {0};
    int r = coverage_load(plugins, &call, &records, err);

    if (!r)
        r = report_new(plugins->instance, plugins->primary.id, &report, err);
    if (r)
        return r;
    r = cmd_pass(context, plugins, PASS_PLAN, report, &scan_err);
    if (r && names->count == 0)
        return err_set(err, r, "%s", scan_err.text);
    if (r)
        log_warn("going by the records alone: %s", scan_err.text);
    return coverage_make(records, report, plugins, names->list, ret, err);
}

/* ---- waiting */

/* Does the row count: was it named, or would a pass register it? */
static bool counts(const struct coverage_row *row, const struct names *names)
{
    return names->count > 0 || row->selected;
}

/* Marks by the records alone which machines are registered for the present release. */
static int look_again(const struct cmd_context *context, const struct plugins *plugins,
                      struct coverage *coverage, struct casb_error *err)
{
    _cleanup_(records_freep) struct records *records = NULL;
    struct casb_call call = cmd_call(context);
    int r = coverage_load(plugins, &call, &records, err);

    for (size_t i = 0; !r && i < coverage->count; i++)
        coverage->rows[i].current = coverage_is_current(&coverage->rows[i], records, plugins);
    return r;
}

/* How many of those that count are missing; no machine at all is one that is missing. */
static size_t count_missing(const struct coverage *coverage, const struct names *names)
{
    size_t missing = 0, count = 0;

    for (size_t i = 0; i < coverage->count; i++) {
        if (!counts(&coverage->rows[i], names))
            continue;
        count++;
        missing += !coverage->rows[i].current;
    }
    return count > 0 ? missing : 1;
}

/* Waits for a moment. The process is busy meanwhile: its end is ours. CASB_ETIMEOUT: time is up. */
static int pause_for(const struct cmd_context *context, const struct casb_call *until)
{
    int r;

    cmd_busy(context, true);
    r = clock_sleep(until, POLL_NS);
    cmd_busy(context, false);
    return r;
}

/*
 * Asks the state until it has all, or it is time to scan again. CASB_ETIMEOUT, CASB_ECANCELLED: the
 * wait is over.
 */
static int poll_state(const struct cmd_context *context, const struct plugins *plugins,
                      const struct names *names, struct coverage *coverage,
                      const struct casb_call *until)
{
    const int64_t scan_ns = clock_now_ns() + SCAN_NS;
    int over = 0;

    while (!over && count_missing(coverage, names) > 0 && clock_now_ns() < scan_ns) {
        struct casb_error err = {0};

        over = pause_for(context, until);
        if (!over && look_again(context, plugins, coverage, &err))
            log_warn("the wait goes on: %s", err.text);
    }
    return over;
}

/*
 * Waits until every machine is registered for the present release, and has *ret_missing say how
 * many are not. The answer is always that of a scan.
 */
static int wait_for_all(const struct cmd_context *context, struct plugins *plugins,
                        const struct names *names, struct coverage *coverage, int64_t wait_ns,
                        size_t *ret_missing, struct casb_error *err)
{
    const struct casb_call until = {clock_now_ns() + wait_ns, context->cancel_fd};
    int over = 0;

    for (;;) {
        int r = answer(context, plugins, names, coverage, err);

        if (r)
            return r;
        *ret_missing = count_missing(coverage, names);
        if (*ret_missing == 0 || over)
            return 0;
        log_info("%zu nodes are not registered for the present release yet", *ret_missing);
        over = poll_state(context, plugins, names, coverage, &until);
        if (over == CASB_ECANCELLED)
            return err_set(err, over, "the wait was ended");
        coverage_done(coverage);
    }
}

/* ---- the command */

/* The answer's exit status, or what is wrong in *err. */
static int ask(const struct cmd_context *context, struct plugins *plugins,
               const struct names *names, struct coverage *coverage, struct casb_error *err)
{
    const char *wait = context->settings->request->wait;
    size_t missing = 0;
    int64_t wait_ns;
    int r;

    if (!wait)
        r = answer(context, plugins, names, coverage, err);
    else if (text_parse_duration(wait, &wait_ns))
        r = err_set(err, CASB_EINVALID, "--wait: expected a time such as 90s or 1h, got '%s'",
                    wait);
    else
        r = wait_for_all(context, plugins, names, coverage, wait_ns, &missing, err);
    if (r)
        return r;
    if (wait)
        return missing ? EXIT_TOO_FEW : EXIT_DONE;
    return coverage->opens >= (size_t)context->settings->min_registered ? EXIT_DONE : EXIT_TOO_FEW;
}

/*
 * The same from a saved `status -o json`, without a connection. More than *wanted may have been
 * wanted there: that counts.
 */
static int ask_saved(const struct cmd_context *context, const struct names *names,
                     struct coverage *coverage, int64_t *wanted, struct casb_error *err)
{
    _cleanup_(records_freep) struct records *records = NULL;
    struct plugins nobody = {0};
    int64_t min_registered;
    int r;

    if (context->settings->request->wait)
        return err_set(err, CASB_EINVALID, "coverage: --records and --wait exclude each other");
    r = saved_load(context->settings->request->records, &records, &nobody.primary, &min_registered,
                   err);
    if (!r)
        r = coverage_make(records, NULL, &nobody, names->list, coverage, err);
    if (r)
        return r;
    if (min_registered > *wanted)
        *wanted = min_registered;
    return coverage->opens >= (size_t)*wanted ? EXIT_DONE : EXIT_TOO_FEW;
}

static int open_known(const struct cmd_context *context, struct plugins *plugins)
{
    struct lastpass last = {0};
    int status = cmd_open(context, PLUGINS_KNOWN, plugins);

    if (status)
        return status;
    status = cmd_recall(context, plugins, &last);
    lastpass_done(&last);
    if (status)
        plugins_close(plugins);
    return status;
}

int cmd_coverage(const struct cmd_context *context)
{
    const struct request *request = context->settings->request;
    int64_t wanted = context->settings->min_registered;
    struct coverage coverage = {0};
    struct casb_error err = {0};
    struct plugins plugins = {0};
    struct names names = {0};
    int status = request->records ? 0 : open_known(context, &plugins);

    if (status)
        return status;
    status = names_collect(&names, request->args, &err);
    if (!status && request->records)
        status = ask_saved(context, &names, &coverage, &wanted, &err);
    else if (!status)
        status = ask(context, &plugins, &names, &coverage, &err);
    if (status < 0)
        err_nomem(&err); /* unless it is set */
    if (status < 0)
        status = *context->signal ? 128 + *context->signal : cmd_fail(&err);
    else
        status = print_coverage(context, &coverage, wanted, status);
    coverage_done(&coverage);
    names_done(&names);
    plugins_close(&plugins);
    return status;
}
