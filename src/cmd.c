/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "log.h"
#include "tool.h"

const struct command cmd_table[] = {
    {"run", NULL, "make one pass", cmd_run},
    {"plan", NULL, "show what a pass would do, and change nothing", cmd_plan},
    {"status", NULL, "show the records", cmd_status},
    {"coverage", "[NODE...]", "would the primary's database open there?", cmd_coverage},
    {"check", NULL, "look whether all that a pass needs is there", cmd_check},
    {"cleanup", NULL, "remove every backup CAS of the instance", cmd_cleanup},
    {"forget", "NODE...", "have the next pass register the node again", cmd_forget},
    {"plugins", NULL, "list the plugins; with -v their settings too", cmd_plugins},
    {0},
};

int cmd_fail(const struct casb_error *err)
{
    log_error("%s", err->text);
    switch (err->code) {
    case CASB_EINVALID:
        return EXIT_USAGE;
    case CASB_ECONFLICT:
        return EXIT_LOCKED;
    default:
        return EXIT_PASS_FAILED;
    }
}

int cmd_open(const struct cmd_context *context, struct tool *ret)
{
    struct casb_error err = {0};

    return tool_open(context->settings, ret, &err) ? cmd_fail(&err) : 0;
}
