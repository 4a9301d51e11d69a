/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "command/progress.h"
#include "log.h"
#include "plugin/plugins.h"
#include "report/verdict.h"
#include "settings/request.h"

#define LAST_NS         (4 * CLOCK_S)
#define LAST_AT_ONCE_NS (2 * CLOCK_S) /* after a signal: 15 s of cleaning up went before */

int cmd_fail(const struct casb_error *err)
{
    log_error("%s", err->text);
    return verdict_of_error(err);
}

void cmd_busy(const struct cmd_context *context, bool busy)
{
    pthread_mutex_lock(&context->work->lock);
    context->work->busy = busy;
    context->work->idle_ns = clock_now_ns();
    pthread_mutex_unlock(&context->work->lock);
}

int cmd_open(const struct cmd_context *context, enum plugins_use use, struct plugins *ret)
{
    struct casb_error err = {0};

    return plugins_open(context->settings, use, ret, &err) ? cmd_fail(&err) : 0;
}

int cmd_recall(const struct cmd_context *context, struct plugins *plugins, struct lastpass *ret)
{
    struct casb_call call = cmd_call(context);
    struct casb_primary *primary = &plugins->primary;
    struct casb_error err = {0};

    if (lastpass_load(plugins, &call, ret, &err))
        return cmd_fail(&err);
    if (plugins->registration.open)
        return 0;
    if (ret->values.primary) {
        snprintf(primary->id, sizeof primary->id, "%s", ret->values.primary);
        if (ret->values.address)
            snprintf(primary->address, sizeof primary->address, "%s", ret->values.address);
    } else if (plugins_open_registration(plugins, &err)) {
        log_warn("the state does not say which primary is meant, and neither do the settings: %s",
                 err.text);
    }
    return 0;
}

int cmd_pass(const struct cmd_context *context, struct plugins *plugins, enum pass_mode mode,
             struct report *report, struct casb_error *err)
{
    struct progress *progress = progress_new(report, context->settings->request->verbosity < 0);
    const struct pass_view view = {.draw = progress_draw, .arg = progress};
    int r;

    cmd_busy(context, true);
    r = pass_run(plugins, mode, context->cancel_fd, context->signal, progress ? &view : NULL,
                 report, err);
    cmd_busy(context, false);
    progress_free(progress);
    return r;
}

struct casb_call cmd_call(const struct cmd_context *context)
{
    return (struct casb_call){.deadline_ns = clock_now_ns() + context->settings->deadline_ns,
                              .cancel_fd = context->cancel_fd};
}

struct casb_call cmd_last_call(const struct cmd_context *context)
{
    bool ends = atomic_load(context->signal) != 0;

    return (struct casb_call){.deadline_ns = clock_now_ns() + (ends ? LAST_AT_ONCE_NS : LAST_NS),
                              .cancel_fd = ends ? -1 : context->cancel_fd};
}

int cmd_print_json(json_t *json)
{
    int r = jsonx_print(json, stdout);

    json_decref(json);
    return r;
}

int cmd_printed(int r, int status)
{
    if (r == 0 && fflush(stdout) == 0)
        return status;
    log_error("the answer could not be printed");
    return EXIT_PASS_FAILED;
}

const char *cmd_time(char out[static CLOCK_RFC3339_BYTES], int64_t seconds)
{
    return seconds > 0 ? clock_format(out, seconds * 1000, false) : NULL;
}
