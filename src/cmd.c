/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "base/clock.h"
#include "cli.h"
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

struct casb_call cmd_call(const struct cmd_context *context)
{
    return (struct casb_call){.deadline_ns = clock_now_ns() + context->settings->deadline_ns,
                              .cancel_fd = context->cancel_fd};
}

int cmd_print_json(json_t *json)
{
    int r = json && json_dumpf(json, stdout, JSON_INDENT(2)) == 0 && printf("\n") > 0 ? 0 : -1;

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
