/* SPDX-License-Identifier: Apache-2.0 */
/* explain: every fact behind what is decided about a node. */
#include "base/jsonx.h"
#include "base/text.h"
#include "command/command.h"
#include "log.h"
#include "pass/explanation.h"
#include "report/coverage.h"
#include "report/table.h"
#include "settings/request.h"

#include <string.h>

/* What is found out about the nodes that are asked for. */
struct explain {
    const char *const *names; /* or uids */
    const char *primary;      /* its identity */
    struct records *records;
    bool scanned;         /* it is known which nodes are there now */
    pthread_mutex_t lock; /* guards the rest, while the pass runs */
    json_t *list;
    bool lost; /* out of memory */
};

static const char *member(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void add(struct explain *explain, json_t *explanation)
{
    pthread_mutex_lock(&explain->lock);
    explain->lost |= json_array_append_new(explain->list, explanation) != 0;
    pthread_mutex_unlock(&explain->lock);
}

/* ---- who is meant */

static void on_decision(const struct pass_sight *sight, void *arg)
{
    add(arg, explanation_of_node(sight));
}

/* Is there an answer to the name yet? */
static bool is_answered(const struct explain *explain, const char *name)
{
    const json_t *item;
    size_t i;

    json_array_foreach (explain->list, i, item)
        if (text_equal(member(item, "name"), name) || text_equal(member(item, "uid"), name))
            return true;
    return false;
}

static int add_record(struct record *record, void *arg)
{
    struct explain *explain = arg;
    struct casb_record values;
    const struct casb_record *known = records_values(record, &values);

    if (!is_answered(explain, known->uid))
        add(explain, explanation_of_record(known, explain->primary, explain->scanned));
    return 0;
}

/* All names of which there is a record. */
struct known {
    const char **names;
    size_t count;
};

static int add_name(struct record *record, void *arg)
{
    const char *name = records_name(record);
    struct known *known = arg;

    if (name)
        known->names[known->count++] = name;
    return 0;
}

static int answer_with_nothing(struct explain *explain, const char *name)
{
    _cleanup_(freep) const char **names =
        calloc(records_count(explain->records) + 1, sizeof *names);
    struct known known = {.names = names};

    if (!names)
        return CASB_ENOMEM;
    records_each(explain->records, add_name, &known);
    add(explain, explanation_of_nothing(name, text_nearest(name, names), explain->scanned));
    return 0;
}

/* "all" means, as with --force, each node that is there now; where that is unknown all records. */
static int answer_from_records(struct explain *explain, const char *name)
{
    const bool all = text_equal(name, "all");

    if (is_answered(explain, name) || (all && explain->scanned))
        return 0;
    if (all)
        return records_each(explain->records, add_record, explain);
    records_each_meant(explain->records, name, add_record, explain);
    return is_answered(explain, name) ? 0 : answer_with_nothing(explain, name);
}

/* A plan for these nodes alone: it decides as a pass would, and changes nothing. */
static int plan(const struct cmd_context *context, struct plugins *plugins, struct explain *explain,
                struct casb_error *err)
{
    const struct pass_view view = {.decided = on_decision, .arg = explain};
    _cleanup_(report_freep) struct report *report = NULL;
    struct casb_error trouble = {0};
    int r = report_new(plugins->instance, plugins->primary.id, &report, err);

    if (r)
        return r;
    cmd_busy(context, true);
    r = pass_run(plugins, PASS_PLAN, context->cancel_fd, context->signal, &view, report, &trouble);
    cmd_busy(context, false);
    explain->scanned = r == 0 || r == CASB_EINVALID; /* no source has a node of such a name */
    if (!explain->scanned)
        log_warn("going by the records alone: %s", trouble.text);
    return 0;
}

static int find_out(const struct cmd_context *context, struct plugins *plugins,
                    struct explain *explain, struct casb_error *err)
{
    struct casb_call call = cmd_call(context);
    int r = coverage_load(plugins, &call, &explain->records, err);

    explain->primary = plugins->primary.id;
    if (!r)
        r = plan(context, plugins, explain, err);
    for (size_t i = 0; explain->names[i] && !r; i++)
        r = answer_from_records(explain, explain->names[i]);
    return r || explain->lost ? err_nomem(err) : 0; /* unless it is set */
}

/* ---- the answer */

/* A fact's value for people; NULL: there is none. */
static const char *value(const json_t *facts, const char *key, char out[static 32])
{
    const json_t *fact = json_object_get(facts, key);

    if (json_is_integer(fact)) {
        snprintf(out, 32, "%lld", (long long)json_integer_value(fact));
        return out;
    }
    if (json_is_boolean(fact))
        return json_is_true(fact) ? "yes" : NULL;
    return json_string_value(fact);
}

static int print_facts(const json_t *item)
{
    static const char *const titles[] = {"FACT", "RECORD", "NOW", "DIFFERS", NULL};
    static const char *const keys[] = {
        "name",     "source",     "primary",  "release", "las_key",       "las_qe_id",
        "boot_id",  "las_source", "las_none", "status",  "registered",    "attempted",
        "attempts", "error",      "reason",   "changed", "unprotected",   "seen",
        "absent",   "spawned",    "excluded", "blocked", "control_plane",
    };
    const json_t *record = json_object_get(item, "record"), *now = json_object_get(item, "now");
    _cleanup_(table_freep) struct table *table = table_new(titles);
    char buffers[2][32];

    for (size_t i = 0; table && i < ELEMENTS(keys); i++) {
        const char *was = value(record, keys[i], buffers[0]), *is = value(now, keys[i], buffers[1]);

        bool differs = was && is && strcmp(was, is) != 0;

        if (!was && !is)
            continue;
        table_row(table, (const char *[]){keys[i], was, is, differs ? "yes" : NULL});
        if (differs)
            table_stress(table, 3, TERMINAL_DOUBTFUL);
    }
    if (!table)
        return -1;
    return table_rows(table) > 0 ? table_print(table, stdout) : 0;
}

static void print_line(const char *title, const json_t *item, const char *key, const char *more)
{
    char clean[2][TABLE_CELL_BYTES];
    const char *first = member(item, key), *second = more ? member(item, more) : NULL;

    if (text_empty(first) && text_empty(second))
        return;
    printf("%-13s %s%s%s\n", title, text_clean(clean[0], sizeof clean[0], first ? first : ""),
           text_empty(first) || text_empty(second) ? "" : ": ",
           text_clean(clean[1], sizeof clean[1], second ? second : ""));
}

static int print_item(const json_t *item, bool first)
{
    const char *uid = member(item, "uid");
    char clean[TABLE_CELL_BYTES];

    printf("%snode '%s'", first ? "" : "\n", text_clean(clean, sizeof clean, member(item, "name")));
    if (uid)
        printf(" of source '%s', UID %s", text_clean(clean, sizeof clean, member(item, "source")),
               uid);
    printf("\n");
    if (print_facts(item))
        return -1;
    print_line("decision:", item, "decision", NULL);
    print_line("reason:", item, "reason", "meaning");
    print_line("behind that:", item, "behind", "behind_meaning");
    printf("%-13s %s\n",
           "protected:", json_is_true(json_object_get(item, "protected")) ? "yes" : "no");
    print_line("next attempt:", item, "next_attempt", NULL);
    print_line("run next:", item, "command", NULL);
    return ferror(stdout) ? -1 : 0;
}

static int print_all(const struct cmd_context *context, const struct explain *explain)
{
    const json_t *item;
    size_t i;
    int r = 0;

    if (context->settings->request->output == OUTPUT_JSON)
        return cmd_print_json(json_incref(explain->list));
    json_array_foreach (explain->list, i, item)
        r |= print_item(item, i == 0);
    return r;
}

/* ---- the command */

static int explain_nodes(const struct cmd_context *context, struct plugins *plugins)
{
    const char *const *names = (const char *const *)context->settings->request->args;
    struct explain explain = {.names = names, .list = json_array()};
    struct casb_error err = {0};
    int status, r;

    pthread_mutex_init(&explain.lock, NULL);
    r = find_out(context, plugins, &explain, &err);
    status = r ? cmd_fail(&err) : cmd_printed(print_all(context, &explain), EXIT_DONE);
    records_free(explain.records);
    json_decref(explain.list);
    pthread_mutex_destroy(&explain.lock);
    return status;
}

int cmd_explain(const struct cmd_context *context)
{
    struct request request = *context->settings->request;
    struct settings settings = *context->settings;
    struct cmd_context own = *context;
    struct plugins plugins = {0};
    struct lastpass last = {0};
    int status;

    request.only = request.args; /* no other is looked at */
    settings.request = &request;
    own.settings = &settings;
    status = cmd_open(&own, PLUGINS_KNOWN, &plugins);
    if (status)
        return status;
    status = cmd_recall(&own, &plugins, &last);
    if (!status)
        status = explain_nodes(&own, &plugins);
    lastpass_done(&last);
    plugins_close(&plugins);
    return *context->signal ? 128 + *context->signal : status;
}
