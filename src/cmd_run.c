/* SPDX-License-Identifier: Apache-2.0 */
/* run and plan: one pass, its report and its exit status. */
#include "cli.h"
#include "cmd.h"
#include "log.h"
#include "pass.h"

/* Too few registered nodes is graver than one that failed: the database may be lost. */
static int status_of_pass(const struct settings *settings, struct report *report)
{
    struct report_counts counts = report_counts(report);

    if (counts.registered < (size_t)settings->min_registered) {
        log_error("too few nodes are registered: %zu, and min_registered is %lld",
                  counts.registered, (long long)settings->min_registered);
        return EXIT_TOO_FEW;
    }
    return counts.failed > 0 ? EXIT_NODE_FAILED : EXIT_DONE;
}

static int print_report(const struct settings *settings, struct report *report, bool plan)
{
    if (settings->cli->output_json)
        return report_print_json(report, stdout);
    if (settings->cli->verbosity < 0 && !plan)
        return 0;
    if (report_print(report, !plan, stdout))
        return -1;
    return report_print_counts(report, stdout);
}

/* Writes what was asked for; returns the exit status, which trouble with the report changes. */
static int deliver(const struct cmd_context *context, struct report *report, bool plan, int status)
{
    const char *path = context->settings->cli->report;
    struct casb_error err = {0};
    bool lost = false;

    report_finish(report, status);
    if (path && report_write(report, path, &err)) {
        log_error("report '%s': %s", path, err.text);
        lost = true;
    }
    if (print_report(context->settings, report, plan) || fflush(stdout)) {
        log_error("the report could not be printed");
        lost = true;
    }
    return lost && status == EXIT_DONE ? EXIT_PASS_FAILED : status;
}

static int run_pass(const struct cmd_context *context, struct tool *tool, bool plan)
{
    _cleanup_(report_freep) struct report *report = NULL;
    struct casb_error err = {0};
    int r = report_new(tool->instance, tool->primary.id, &report, &err), status;

    if (!r)
        r = pass_run(context, tool, report, plan ? PASS_PLAN : PASS_RUN, &err);
    status = r ? cmd_fail(&err) : plan ? EXIT_DONE : status_of_pass(context->settings, report);
    if (!report || status == EXIT_LOCKED)
        return status;
    if (*context->signal)
        status = 128 + *context->signal;
    return deliver(context, report, plan, status);
}

static int open_and_run(const struct cmd_context *context, bool plan)
{
    struct tool tool = {0};
    int status = cmd_open(context, &tool);

    if (status)
        return status;
    status = run_pass(context, &tool, plan);
    tool_close(&tool);
    return status;
}

int cmd_run(const struct cmd_context *context)
{
    return open_and_run(context, false);
}

int cmd_plan(const struct cmd_context *context)
{
    return open_and_run(context, true);
}
