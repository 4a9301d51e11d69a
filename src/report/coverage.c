/* SPDX-License-Identifier: Apache-2.0 */
#include "report/coverage.h"

#include "report/machines.h"

#include "base/text.h"

#include <string.h>

static const char hardware_changed[] = "its hardware changed since";

const char *coverage_reason(const struct casb_record *record, const char *primary)
{
    if (!record)
        return "unknown";
    if (record->registered <= 0)
        return record->status == CASB_FAILED ? "registration failed" : "never registered";
    if (text_empty(primary))
        return "it is unknown which primary is meant";
    if (!text_equal(record->primary, primary))
        return "registered with another primary";
    return record->changed > 0 ? hardware_changed : NULL;
}

const char *coverage_why(char out[static COVERAGE_WHY_BYTES], const struct casb_record *record,
                         const char *primary)
{
    const char *reason = record->reason ? record->reason : "";
    const char *error = record->error ? record->error : "";

    if (!*reason && !*error)
        return coverage_reason(record, primary);
    snprintf(out, COVERAGE_WHY_BYTES, "%s%s%s", reason, *reason && *error ? ": " : "", error);
    return out;
}

struct load {
    struct records *records;
    struct casb_error *err;
};

static int add(const struct casb_record *record, void *arg)
{
    struct load *load = arg;

    return records_add(load->records, record, load->err);
}

int coverage_load(const struct plugins *plugins, const struct casb_call *call, struct records **ret,
                  struct casb_error *err)
{
    _cleanup_(records_freep) struct records *records = NULL;
    struct load load = {NULL, err};
    int r = records_new(&records, err);

    if (r)
        return r;
    load.records = records;
    r = plugins_state(plugins)->load(plugins->state.self, call, add, &load, err);
    if (r)
        return err_wrap(err, r, "load the records");
    *ret = TAKE_PTR(records);
    return 0;
}

/* What is being asked, and where the answers go. */
struct ask {
    struct records *records;
    const struct plugins *plugins;
    const char *name; /* NULL: any */
    struct coverage *coverage;
    size_t found;
};

/* Is there a row for the machine? One that is named twice counts once. */
static bool has_row(const struct coverage *coverage, const char *uid)
{
    for (size_t i = 0; uid && i < coverage->count; i++)
        if (text_equal(coverage->rows[i].uid, uid))
            return true;
    return false;
}

/*
 * One of which it is not recorded counts as made for the present release, and so does each where
 * there is no source to say which that is.
 */
static bool is_current(const struct plugins *plugins, const char *source,
                       const struct casb_record *known)
{
    if (!known->release || plugins->n_sources == 0)
        return true;
    for (size_t i = 0; i < plugins->n_sources; i++)
        if (text_equal(plugins->sources[i].host.source, source))
            return text_equal(plugins->sources[i].release, known->release);
    return false;
}

static void row_done(struct coverage_row *row)
{
    free(row->name);
    free(row->uid);
    free(row->source);
    free(row->release);
}

/* `known`, and the node's uid and source: NULL for a machine of which nothing is known. */
static int add_row(struct ask *ask, const struct report_node *node, const struct casb_record *known,
                   const char *reason)
{
    struct coverage *coverage = ask->coverage;
    struct coverage_row *rows, row = {.opens = !reason, .reason = reason};

    row.selected = !node->unselected;
    row.current = row.opens && is_current(ask->plugins, node->source, known);

    ask->found++;
    if (has_row(coverage, node->uid))
        return 0;
    rows = reallocarray(coverage->rows, coverage->count + 1, sizeof *rows);
    if (!rows)
        return CASB_ENOMEM;
    coverage->rows = rows;
    if (known) {
        row.since_s = known->registered;
        row.machine = known->machine;
    }
    if (text_dup(node->name, &row.name) || text_dup(node->uid, &row.uid) ||
        text_dup(node->source, &row.source) ||
        text_dup(known ? known->release : NULL, &row.release)) {
        row_done(&row);
        return CASB_ENOMEM;
    }
    rows[coverage->count++] = row;
    coverage->opens += row.opens;
    return 0;
}

static int ask_scan(const struct report_node *node, void *arg)
{
    struct ask *ask = arg;
    const struct record *record;
    const struct casb_record *known;
    struct casb_record values;
    const char *reason;

    if (ask->name && !text_equal(ask->name, node->name) && !text_equal(ask->name, node->uid))
        return 0;
    record = records_find(ask->records, node->uid);
    known = record ? records_values(record, &values) : NULL;
    reason = node->holds ? NULL : coverage_reason(known, ask->plugins->primary.id);
    if (!node->holds && !reason)
        reason = hardware_changed;
    return add_row(ask, node, known, reason);
}

static int ask_record(struct record *record, void *arg)
{
    struct ask *ask = arg;
    struct casb_record values;
    const struct casb_record *known = records_values(record, &values);

    if (!ask->name && known->absent > 0)
        return 0;
    return add_row(
        ask, &(struct report_node){.name = known->name, .uid = known->uid, .source = known->source},
        known, coverage_reason(known, ask->plugins->primary.id));
}

static int ask_name(struct ask *ask, struct report *report)
{
    int r = report ? report_each(report, ask_scan, ask) : 0;

    if (r || ask->found || (report && !ask->name))
        return r;
    if (!ask->name)
        return records_each(ask->records, ask_record, ask);
    r = records_each_meant(ask->records, ask->name, ask_record, ask);
    return r || ask->found ? r
                           : add_row(ask, &(struct report_node){.name = ask->name}, NULL,
                                     coverage_reason(NULL, NULL));
}

/* Has each machine count once. */
static int find_twins(struct coverage *coverage)
{
    _cleanup_(freep) struct machine *machines = calloc(coverage->count + 1, sizeof *machines);
    _cleanup_(freep) struct coverage_row **rows = calloc(coverage->count + 1, sizeof *rows);
    size_t n = 0;

    if (!machines || !rows)
        return CASB_ENOMEM;
    for (size_t i = 0; i < coverage->count; i++) {
        if (!coverage->rows[i].opens)
            continue;
        rows[n] = &coverage->rows[i];
        machines[n] = machine_of(rows[n]->name, &rows[n]->machine);
        n++;
    }
    if (machines_match(machines, n))
        return CASB_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (!machines[i].same_as)
            continue;
        rows[i]->same_as = machines[i].same_as->name;
        coverage->opens--;
    }
    return 0;
}

int coverage_make(struct records *records, struct report *report, const struct plugins *plugins,
                  const char *const *names, struct coverage *ret, struct casb_error *err)
{
    struct ask ask = {.records = records, .plugins = plugins, .coverage = ret};
    int r = 0;

    if (!names || !names[0])
        r = ask_name(&ask, report);
    for (size_t i = 0; r == 0 && names && names[i]; i++) {
        ask.name = names[i];
        ask.found = 0;
        r = ask_name(&ask, report);
    }
    if (r == 0)
        r = find_twins(ret);
    return r ? err_nomem(err) : 0;
}

bool coverage_is_current(const struct coverage_row *row, struct records *records,
                         const struct plugins *plugins)
{
    const struct record *record = row->uid ? records_find(records, row->uid) : NULL;
    struct casb_record values;
    const struct casb_record *known = record ? records_values(record, &values) : NULL;

    return !coverage_reason(known, plugins->primary.id) && is_current(plugins, row->source, known);
}

void coverage_done(struct coverage *coverage)
{
    for (size_t i = 0; i < coverage->count; i++)
        row_done(&coverage->rows[i]);
    free(coverage->rows);
    *coverage = (struct coverage){0};
}
