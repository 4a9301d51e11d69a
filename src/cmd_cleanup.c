/* SPDX-License-Identifier: Apache-2.0 */
/* cleanup: remove every backup CAS of the instance. forget: have nodes registered again. */
#include "base/clock.h"
#include "cli.h"
#include "cmd.h"
#include "coverage.h"
#include "log.h"
#include "pass.h"

int cmd_cleanup(const struct cmd_context *context)
{
    _cleanup_(report_freep) struct report *report = NULL;
    struct casb_error err = {0};
    struct tool tool = {0};
    int status, r;

    if (context->settings->cli->only || context->settings->cli->force) {
        log_error("cleanup: it is for all nodes, without --only and --force");
        return EXIT_USAGE;
    }
    status = cmd_open(context, &tool);
    if (status)
        return status;
    r = report_new(tool.instance, tool.primary.id, &report, &err);
    if (!r)
        r = pass_run(context, &tool, report, PASS_CLEANUP, &err);
    tool_close(&tool);
    return r ? cmd_fail(&err) : EXIT_DONE;
}

/* ---- forget */

struct forget {
    const char *const *names;
    const char **uids;
    size_t count;
    bool *seen; /* parallel to names */
};

static int choose(struct record *record, void *arg)
{
    struct forget *forget = arg;
    const struct casb_record *known = records_values(record);

    for (size_t i = 0; forget->names[i]; i++) {
        if (!text_equal(forget->names[i], known->name) && !text_equal(forget->names[i], known->uid))
            continue;
        if (known->spawned)
            log_warn("node '%s': a pass that was killed may have left a backup CAS there",
                     known->name);
        forget->uids[forget->count++] = known->uid;
        forget->seen[i] = true;
        break;
    }
    return 0;
}

/* A name that nothing is known about is more likely mistyped than meant. */
static int check_seen(const struct forget *forget, struct casb_error *err)
{
    for (size_t i = 0; forget->names[i]; i++)
        if (!forget->seen[i])
            return err_set(err, CASB_EINVALID, "no record of a node '%s'", forget->names[i]);
    return 0;
}

static int drop_named(const struct tool *tool, const struct casb_call *call,
                      const char *const *names, struct casb_error *err)
{
    _cleanup_(records_freep) struct records *records = NULL;
    _cleanup_(freep) const char **uids = NULL;
    _cleanup_(freep) bool *seen = NULL;
    struct forget forget = {.names = names};
    size_t n = 0;
    int r = coverage_load(tool, call, &records, err);

    if (r)
        return r;
    while (names[n])
        n++;
    forget.uids = uids = calloc(records_count(records) + 1, sizeof *uids);
    forget.seen = seen = calloc(n + 1, sizeof *seen);
    if (!uids || !seen)
        return err_nomem(err);
    records_each(records, choose, &forget);
    r = check_seen(&forget, err);
    if (!r)
        r = tool_state(tool)->drop(tool->state.self, call, uids, forget.count, err);
    if (!r)
        log_info("%zu nodes forgotten: a pass that finds them registers them again", forget.count);
    return r;
}

static void lock_lost(const char *why, void *arg)
{
    (void)arg;
    log_error("the lock is lost: %s", why);
}

static int forget_locked(const struct cmd_context *context, const struct tool *tool,
                         struct casb_error *err)
{
    struct casb_call call = {.deadline_ns = clock_now_ns() + context->settings->deadline_ns,
                             .cancel_fd = context->cancel_fd};
    struct casb_error unlock_err = {0};
    int r = tool_state(tool)->lock(tool->state.self, &call, lock_lost, NULL, err);

    if (r)
        return err_wrap(err, r, "lock");
    r = drop_named(tool, &call, (const char *const *)context->settings->cli->args, err);
    call.cancel_fd = -1;
    if (tool_state(tool)->unlock(tool->state.self, &call, &unlock_err))
        log_warn("the lock is left to expire: %s", unlock_err.text);
    return r;
}

int cmd_forget(const struct cmd_context *context)
{
    struct casb_error err = {0};
    struct tool tool = {0};
    int status, r;

    if (!context->settings->cli->args || !context->settings->cli->args[0]) {
        log_error("forget: which nodes?");
        return EXIT_USAGE;
    }
    status = cmd_open(context, &tool);
    if (status)
        return status;
    r = forget_locked(context, &tool, &err);
    tool_close(&tool);
    return r ? cmd_fail(&err) : EXIT_DONE;
}
