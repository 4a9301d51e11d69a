/* SPDX-License-Identifier: Apache-2.0 */
/* run and plan: one pass, its report and its exit status. */
#include "command/command.h"
#include "command/termination.h"
#include "log.h"
#include "report/conclusion.h"
#include "report/publish.h"
#include "settings/request.h"

/* Judges the pass, which ended with `err` or NULL, and says so. */
static struct verdict judge(const struct settings *settings, struct report *report,
                            const struct casb_error *err)
{
    const struct report_counts counts = report ? report_counts(report) : (struct report_counts){0};
    const struct verdict verdict = verdict_of_pass(settings, err, &counts);

    if (verdict.found != verdict.status)
        log_warn("%s: fail_on leaves that out, so the exit status is 0", verdict.why);
    else if (verdict.status != EXIT_DONE && verdict.status != EXIT_NODE_FAILED)
        log_error("%s", verdict.why);
    return verdict;
}

static int print_report(const struct settings *settings, struct report *report, bool plan)
{
    if (settings->request->output == OUTPUT_JSON)
        return report_print_json(report, stdout);
    if (settings->request->verbosity < 0 && !plan)
        return 0;
    if (report_print(report, !plan, stdout))
        return -1;
    return report_print_counts(report, stdout);
}

/* Writes what was asked for; returns the exit status, which trouble with the report changes. */
static int deliver(const struct cmd_context *context, struct report *report, bool plan, int status)
{
    const char *path = context->settings->request->report;
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

/* Meanwhile a signal is no end at once: the report is still to be delivered. */
static void publish_pass(const struct cmd_context *context, struct plugins *plugins)
{
    struct casb_call call = cmd_last_call(context);

    if (!publish_is_wanted(context->settings))
        return;
    cmd_busy(context, true);
    publish(plugins, &call);
    cmd_busy(context, false);
}

/* Says how the pass ended where a container's end is looked at. */
static void conclude(const struct cmd_context *context, const struct verdict *verdict, int status,
                     struct report *report, const char *why)
{
    int found = verdict->found != verdict->status ? verdict->found : status;
    char line[CONCLUSION_BYTES];

    termination_say(context->settings->env, conclusion_write(line, status, found, report, why));
}

static int run_pass(const struct cmd_context *context, struct plugins *plugins, bool plan)
{
    _cleanup_(report_freep) struct report *report = NULL;
    struct verdict verdict = {.status = EXIT_DONE};
    struct casb_error err = {0};
    int r = report_new(plugins->instance, plugins->primary.id, &report, &err), status;

    if (!r)
        r = cmd_pass(context, plugins, plan ? PASS_PLAN : PASS_RUN, report, &err);
    if (r || !plan)
        verdict = judge(context->settings, report, r ? &err : NULL);
    status = verdict.status;
    if (!plan && report && verdict.found != EXIT_LOCKED)
        publish_pass(context, plugins);
    if (*context->signal)
        status = 128 + *context->signal;
    if (report && verdict.found != EXIT_LOCKED)
        status = deliver(context, report, plan, status);
    if (!plan)
        conclude(context, &verdict, status, r ? NULL : report, r ? err.text : NULL);
    return status;
}

static int open_and_run(const struct cmd_context *context, bool plan)
{
    const char *path = context->settings->request->report;
    struct plugins plugins = {0};
    struct casb_error err = {0};
    int status;

    if (path && report_check_path(path, &err)) {
        err_wrap(&err, err.code, "--report");
        return cmd_fail(&err);
    }
    status = cmd_open(context, PLUGINS_ALL, &plugins);
    if (status)
        return status;
    status = run_pass(context, &plugins, plan);
    plugins_close(&plugins);
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
