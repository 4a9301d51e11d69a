/* SPDX-License-Identifier: Apache-2.0 */
/* status: what is remembered of the nodes, and of the last pass. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/identity.h"
#include "base/jsonx.h"
#include "base/record.h"
#include "base/summary.h"
#include "base/text.h"
#include "command/command.h"
#include "log.h"
#include "report/coverage.h"
#include "report/publish.h"
#include "report/table.h"
#include "settings/request.h"

#include <string.h>

/* What the command prints from. */
struct known {
    const struct plugins *plugins;
    struct records *records;
    struct lastpass last;
};

static const char *status_name(enum casb_status status)
{
    static const char *const names[] = {"none", "registered", "failed"};

    return names[status];
}

/* ---- as a table */

enum {
    NODE,
    SOURCE,
    UID,
    STATUS,
    OPENS,
    REGISTERED,
    ATTEMPTED,
    SEEN,
    ABSENT,
    UNPROTECTED,
    FAILED,
    RELEASE,
    MACHINE,
    BOOT_ID,
    REASON,
    COLUMNS
};

static const struct column {
    const char *title;
    bool wide; /* only there */
} columns[COLUMNS] = {
    [NODE] = {"NODE", false},
    [SOURCE] = {"SOURCE", false},
    [UID] = {"UID", true},
    [STATUS] = {"STATUS", false},
    [OPENS] = {"OPENS", false},
    [REGISTERED] = {"REGISTERED", false},
    [ATTEMPTED] = {"ATTEMPTED", true},
    [SEEN] = {"SEEN", true},
    [ABSENT] = {"ABSENT", false},
    [UNPROTECTED] = {"UNPROTECTED", false},
    [FAILED] = {"FAILED", false},
    [RELEASE] = {"RELEASE", false},
    [MACHINE] = {"LAS", true},
    [BOOT_ID] = {"BOOT ID", true},
    [REASON] = {"REASON", false},
};

/* The cells of the columns that are wanted, in place. */
static void choose_columns(const char *cells[static COLUMNS + 1], bool wide)
{
    size_t n = 0;

    for (size_t i = 0; i < COLUMNS; i++)
        if (wide || !columns[i].wide)
            cells[n++] = cells[i];
    cells[n] = NULL;
}

/* Where the column stands then. */
static size_t place_of(size_t column, bool wide)
{
    size_t place = 0;

    for (size_t i = 0; i < column; i++)
        place += wide || !columns[i].wide;
    return place;
}

struct listing {
    const char *primary;
    struct table *table;
    bool wide;
};

static int list_record(struct record *record, void *arg)
{
    struct listing *listing = arg;
    struct casb_record values;
    const struct casb_record *r = records_values(record, &values);
    char times[5][CLOCK_RFC3339_BYTES], failed[16] = "", reason[COVERAGE_WHY_BYTES];
    const char *cells[COLUMNS + 1] = {
        [NODE] = r->name,
        [SOURCE] = r->source,
        [UID] = r->uid,
        [STATUS] = status_name(r->status),
        [OPENS] = coverage_reason(r, listing->primary) ? "no" : "yes",
        [REGISTERED] = cmd_time(times[0], r->registered),
        [ATTEMPTED] = cmd_time(times[1], r->attempted),
        [SEEN] = cmd_time(times[2], r->seen),
        [ABSENT] = cmd_time(times[3], r->absent),
        [UNPROTECTED] = cmd_time(times[4], r->unprotected),
        [FAILED] = failed,
        [RELEASE] = r->release,
        [MACHINE] = r->machine.las.text,
        [BOOT_ID] = r->machine.boot.text,
        [REASON] = coverage_why(reason, r, listing->primary),
    };

    if (r->attempts > 0)
        snprintf(failed, sizeof failed, "%u", r->attempts);
    choose_columns(cells, listing->wide);
    table_row(listing->table, cells);
    if (coverage_reason(r, listing->primary))
        table_stress(listing->table, place_of(OPENS, listing->wide), TERMINAL_BAD);
    return 0;
}

static int print_table(const struct known *known, bool wide)
{
    const char *titles[COLUMNS + 1];
    _cleanup_(table_freep) struct table *table = NULL;
    struct listing listing = {.primary = known->plugins->primary.id, .wide = wide};

    for (size_t i = 0; i < COLUMNS; i++)
        titles[i] = columns[i].title;
    choose_columns(titles, wide);
    listing.table = table = table_new(titles);
    if (!table)
        return -1;
    records_each(known->records, list_record, &listing);
    table_sort(table);
    return table_print(table, stdout);
}

/* ---- as names */

struct names {
    const char **list;
    size_t count;
};

static int take_name(struct record *record, void *arg)
{
    struct casb_record values;
    const struct casb_record *r = records_values(record, &values);
    struct names *names = arg;

    if (r->name && r->absent == 0)
        names->list[names->count++] = r->name;
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

/* Of the nodes that are there, as other commands take them. */
static int print_names(const struct known *known)
{
    _cleanup_(freep) const char **list = calloc(records_count(known->records) + 1, sizeof *list);
    struct names names = {.list = list};
    char clean[256];

    if (!list)
        return -1;
    records_each(known->records, take_name, &names);
    qsort(list, names.count, sizeof *list, compare_names);
    for (size_t i = 0; i < names.count; i++)
        if (puts(text_clean(clean, sizeof clean, list[i])) == EOF)
            return -1;
    return 0;
}

/* ---- as JSON */

struct nodes {
    const char *primary;
    json_t *list;
};

static int append_record(struct record *record, void *arg)
{
    const struct nodes *nodes = arg;
    struct casb_record values;
    const struct casb_record *r = records_values(record, &values);
    json_auto_t *json = NULL;
    json_t *node;

    if (record_to_json(r, &json, NULL))
        return -1;
    node = jsonx_new("{s:s, s:b, s:s}", "uid", r->uid, "opens", !coverage_reason(r, nodes->primary),
                     "status", status_name(r->status));
    if (json_array_append_new(nodes->list, node))
        return -1;
    return json_object_update(node, json);
}

static int print_json(const struct known *known)
{
    json_auto_t *list = json_array(), *pass = NULL;
    struct nodes nodes = {known->plugins->primary.id, list};

    if (!list || records_each(known->records, append_record, &nodes) ||
        summary_to_json(&known->last.values, &pass, NULL))
        return -1;
    return cmd_print_json(jsonx_new("{s:O, s:O}", "pass", pass, "nodes", list));
}

/* ---- as metrics */

static int print_metrics(const struct known *known)
{
    _cleanup_(buf_free) struct buf text = BUF_INIT(PUBLISH_BYTES);
    struct casb_error err = {0};

    if (publish_text(known->plugins, known->records, &known->last.values, &text, &err)) {
        log_error("%s", err.text);
        return -1;
    }
    return fputs(buf_text(&text), stdout) < 0 ? -1 : 0;
}

/* ---- the command */

static int print_known(const struct known *known, enum request_output output)
{
    switch (output) {
    case OUTPUT_JSON:
        return print_json(known);
    case OUTPUT_NAME:
        return print_names(known);
    case OUTPUT_PROMETHEUS:
        return print_metrics(known);
    default:
        return print_table(known, output == OUTPUT_WIDE);
    }
}

int cmd_status(const struct cmd_context *context)
{
    _cleanup_(records_freep) struct records *records = NULL;
    struct casb_call call = cmd_call(context);
    struct casb_error err = {0};
    struct plugins plugins = {0};
    struct known known = {.plugins = &plugins};
    int status = cmd_open(context, PLUGINS_KNOWN, &plugins);

    if (status)
        return status;
    status = cmd_recall(context, &plugins, &known.last);
    if (!status && coverage_load(&plugins, &call, &records, &err))
        status = cmd_fail(&err);
    known.records = records;
    if (!status)
        status = cmd_printed(print_known(&known, context->settings->request->output), EXIT_DONE);
    lastpass_done(&known.last);
    plugins_close(&plugins);
    return status;
}
