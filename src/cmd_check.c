/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "base/clock.h"
#include "cli.h"
#include "loader.h"
#include "log.h"
#include "table.h"
#include "tool.h"

#include <jansson.h>
#include <string.h>

/* What the checks found so far. */
struct findings {
    json_t *list;
    const char *plugin, *source; /* whose check runs */
    bool missing;
    bool lost; /* out of memory */
};

static void add_finding(const char *what, bool good, const char *detail, void *arg)
{
    struct findings *findings = arg;
    char clean_what[256], clean_detail[CASB_ERROR_TEXT_BYTES];
    json_t *item =
        json_pack("{ss, ss, ss, sb, ss?}", "plugin", findings->plugin, "source", findings->source,
                  "what", text_clean(clean_what, sizeof clean_what, what), "good", good, "detail",
                  detail ? text_clean(clean_detail, sizeof clean_detail, detail) : NULL);

    if (json_array_append_new(findings->list, item))
        findings->lost = true;
    if (!good)
        findings->missing = true;
}

static void check_plugin(const struct plugin *plugin, const struct casb_call *call,
                         struct findings *findings)
{
    const struct casb_plugin *descriptor = plugin->descriptor;
    struct casb_error err = {0};
    char name[128];

    snprintf(name, sizeof name, "%s-%s", loader_kind_name(descriptor->kind), descriptor->name);
    findings->plugin = name;
    findings->source = plugin->host.source;
    if (!descriptor->check)
        add_finding("settings", true, NULL, findings);
    else if (descriptor->check(plugin->self, call, add_finding, findings, &err))
        add_finding("check", false, err.text, findings);
}

static int print_table(const json_t *list)
{
    static const char *const titles[] = {"PLUGIN", "SOURCE", "CHECK", "RESULT", "DETAIL", NULL};
    _cleanup_(table_freep) struct table *table = table_new(titles);
    const json_t *item;
    size_t i;

    if (!table)
        return -1;
    json_array_foreach (list, i, item)
        table_row(table,
                  (const char *[]){json_string_value(json_object_get(item, "plugin")),
                                   json_string_value(json_object_get(item, "source")),
                                   json_string_value(json_object_get(item, "what")),
                                   json_is_true(json_object_get(item, "good")) ? "ok" : "MISSING",
                                   json_string_value(json_object_get(item, "detail"))});
    return table_print(table, stdout);
}

static int print_findings(const struct findings *findings, bool as_json)
{
    if (findings->lost)
        return -1;
    if (as_json)
        return json_dumpf(findings->list, stdout, JSON_INDENT(2)) || puts("") < 0 ? -1 : 0;
    return print_table(findings->list);
}

static void check_all(const struct tool *tool, const struct casb_call *call,
                      struct findings *findings)
{
    check_plugin(&tool->registration, call, findings);
    for (size_t i = 0; i < tool->n_sources; i++)
        check_plugin(&tool->sources[i], call, findings);
    check_plugin(&tool->state, call, findings);
}

int cmd_check(const struct cmd_context *context)
{
    const struct settings *settings = context->settings;
    const struct casb_call call = {clock_now_ns() + settings->deadline_ns, context->cancel_fd};
    json_auto_t *list = json_array();
    struct findings findings = {.list = list, .lost = !list};
    struct tool tool;
    int status = cmd_open(context, &tool);

    if (status)
        return status;
    log_info("instance '%s', primary '%s'", tool.instance, tool.primary.address);
    check_all(&tool, &call, &findings);
    tool_close(&tool);
    if (print_findings(&findings, settings->cli->output_json)) {
        log_error("the findings could not be printed");
        return EXIT_PASS_FAILED;
    }
    return findings.missing ? EXIT_PASS_FAILED : EXIT_DONE;
}
