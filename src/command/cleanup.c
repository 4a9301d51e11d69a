/* SPDX-License-Identifier: Apache-2.0 */
/* cleanup: remove every backup CAS of the instance, and the metrics that were pushed. */
#include "base/text.h"
#include "command/command.h"
#include "log.h"
#include "report/publish.h"
#include "settings/request.h"

int cmd_cleanup(const struct cmd_context *context)
{
    _cleanup_(report_freep) struct report *report = NULL;
    struct casb_error err = {0};
    struct plugins plugins = {0};
    struct casb_call call;
    int status, r;

    if (context->settings->request->only || context->settings->request->force) {
        log_error("cleanup: it is for all nodes, without --only and --force");
        return EXIT_USAGE;
    }
    status = cmd_open(context, PLUGINS_KNOWN, &plugins);
    if (status)
        return status;
    r = report_new(plugins.instance, plugins.primary.id, &report, &err);
    if (!r)
        r = cmd_pass(context, &plugins, PASS_CLEANUP, report, &err);
    if (!r) {
        call = cmd_last_call(context);
        publish_delete(&plugins, &call);
    }
    plugins_close(&plugins);
    return r ? cmd_fail(&err) : EXIT_DONE;
}
