/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/text.h"
#include "log.h"
#include "plugin/loader.h"
#include "plugin/plugins.h"
#include "report/publish.h"
#include "report/table.h"
#include "settings/request.h"

#include <jansson.h>

#define TEXT_BYTES 1024

/* What the checks found so far. */
struct findings {
    json_t *list;
    char plugin[128]; /* whose check runs */
    const char *source;
    bool missing;
    bool lost; /* out of memory */
};

/* Text from outside; null where there is none. */
static json_t *clean_json(const char *text)
{
    char clean[TEXT_BYTES];

    return text ? json_string(text_clean(clean, sizeof clean, text)) : json_null();
}

static void add_finding(const struct casb_finding *finding, void *arg)
{
    struct findings *findings = arg;
    const char *remedy = finding->good ? NULL : finding->remedy;
    json_t *item =
        jsonx_new("{ss, ss, so, sb, so, so}", "plugin", findings->plugin, "source",
                  findings->source, "what", clean_json(finding->what), "good", finding->good,
                  "detail", clean_json(finding->detail), "remedy", clean_json(remedy));

    if (json_array_append_new(findings->list, item))
        findings->lost = true;
    if (!finding->good)
        findings->missing = true;
}

/* What mends that a plugin could not even look. */
static const char *remedy_of(int code)
{
    switch (code) {
    case CASB_EDENIED:
        return "renew the credential that is used there";
    case CASB_EUNREACHABLE:
    case CASB_ETIMEOUT:
        return "see that what it talks to runs and is reached from here";
    default:
        return "mend what the detail names, and check again";
    }
}

static void check_plugin(const struct plugin *plugin, const struct casb_call *call,
                         struct findings *findings)
{
    const struct casb_plugin *descriptor = plugin->descriptor;
    struct casb_error err = {0};
    int r;

    snprintf(findings->plugin, sizeof findings->plugin, "%s-%s", loader_kind_name(descriptor->kind),
             descriptor->name);
    findings->source = plugin->host.source;
    if (!descriptor->check) {
        add_finding(&(struct casb_finding){.what = "settings", .good = true}, findings);
        return;
    }
    r = descriptor->check(plugin->self, call, add_finding, findings, &err);
    if (r)
        add_finding(
            &(struct casb_finding){.what = "check", .detail = err.text, .remedy = remedy_of(r)},
            findings);
}

static const char *member(const json_t *item, const char *key)
{
    return json_string_value(json_object_get(item, key));
}

static int print_table(const json_t *list)
{
    static const char *const titles[] = {"PLUGIN", "SOURCE", "CHECK", "RESULT", "DETAIL", NULL};
    _cleanup_(table_freep) struct table *table = table_new(titles);
    const json_t *item;
    size_t i;

    if (!table)
        return -1;
    json_array_foreach (list, i, item) {
        bool good = json_is_true(json_object_get(item, "good"));

        table_row(table, (const char *[]){member(item, "plugin"), member(item, "source"),
                                          member(item, "what"), good ? "ok" : "MISSING",
                                          member(item, "detail")});
        if (!good)
            table_stress(table, 3, TERMINAL_BAD);
    }
    return table_print(table, stdout);
}

/* A line for each thing that fails, to be done as it stands. */
static int print_remedies(const json_t *list)
{
    const json_t *item;
    size_t i;
    int r = 0;

    json_array_foreach (list, i, item)
        if (member(item, "remedy"))
            r |= printf("%s: %s\n", member(item, "what"), member(item, "remedy")) < 0;
    return r;
}

static int print_findings(const struct findings *findings, bool as_json)
{
    if (findings->lost)
        return -1;
    if (as_json)
        return jsonx_print(findings->list, stdout);
    return print_table(findings->list) || print_remedies(findings->list) ? -1 : 0;
}

static void check_all(const struct plugins *plugins, const struct casb_call *call,
                      struct findings *findings)
{
    check_plugin(&plugins->registration, call, findings);
    for (size_t i = 0; i < plugins->n_sources; i++)
        check_plugin(&plugins->sources[i], call, findings);
    check_plugin(&plugins->state, call, findings);
    snprintf(findings->plugin, sizeof findings->plugin, "metrics");
    findings->source = "";
    publish_check(plugins, call, add_finding, findings);
}

static void add_verified(enum casb_kind kind, const struct plugin_ref *ref,
                         const struct casb_error *err, void *arg)
{
    struct findings *findings = arg;
    char what[128] = "options";

    snprintf(findings->plugin, sizeof findings->plugin, "command line");
    if (ref) {
        snprintf(findings->plugin, sizeof findings->plugin, "%s-%s", loader_kind_name(kind),
                 ref->plugin);
        snprintf(what, sizeof what, "settings in %s", ref->path);
    }
    findings->source = ref ? ref->source : "";
    add_finding(&(struct casb_finding){.what = what,
                                       .good = err->code == 0,
                                       .detail = err->code ? err->text : NULL,
                                       .remedy = "mend what is named; `cas-backup plugins -v` has "
                                                 "every key"},
                findings);
}

/* Prints them, and says how the command ends: with `status` where something is missing. */
static int conclude(const struct cmd_context *context, const struct findings *findings, int status)
{
    if (print_findings(findings, context->settings->request->output == OUTPUT_JSON)) {
        log_error("the findings could not be printed");
        return EXIT_PASS_FAILED;
    }
    return findings->missing ? status : EXIT_DONE;
}

/* The file was read, or we were not here; what only the plugins can say of it is missing yet. */
static int check_settings(const struct cmd_context *context, struct findings *findings)
{
    plugins_verify(context->settings, add_verified, findings);
    return conclude(context, findings, EXIT_USAGE);
}

int cmd_check(const struct cmd_context *context)
{
    const struct settings *settings = context->settings;
    const struct casb_call call = {clock_now_ns() + settings->deadline_ns, context->cancel_fd};
    json_auto_t *list = json_array();
    struct findings findings = {.list = list, .lost = !list};
    struct plugins plugins;
    int status;

    if (settings->request->settings_only)
        return check_settings(context, &findings);
    status = cmd_open(context, PLUGINS_ALL, &plugins);
    if (status)
        return status;
    cmd_busy(context, true);
    log_info("instance '%s', primary '%s'", plugins.instance, plugins.primary.address);
    check_all(&plugins, &call, &findings);
    cmd_busy(context, false);
    plugins_close(&plugins);
    return conclude(context, &findings, EXIT_PASS_FAILED);
}
