/* SPDX-License-Identifier: Apache-2.0 */
#include "coverage.h"

#include <string.h>

static const char hardware_changed[] = "its hardware changed since";

const char *coverage_reason(const struct casb_record *record, const char *primary)
{
    if (!record)
        return "unknown";
    if (record->registered <= 0)
        return record->status == CASB_FAILED ? "registration failed" : "never registered";
    if (!text_equal(record->primary, primary))
        return "registered with another primary";
    return record->changed > 0 ? hardware_changed : NULL;
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

int coverage_load(const struct tool *tool, const struct casb_call *call, struct records **ret,
                  struct casb_error *err)
{
    _cleanup_(records_freep) struct records *records = NULL;
    struct load load = {NULL, err};
    int r = records_new(&records, err);

    if (r)
        return r;
    load.records = records;
    r = tool_state(tool)->load(tool->state.self, call, add, &load, err);
    if (r)
        return err_wrap(err, r, "load the records");
    *ret = TAKE_PTR(records);
    return 0;
}

/* What is being asked, and where the answers go. */
struct ask {
    struct records *records;
    const char *primary;
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

/* `uid`: NULL for a machine of which nothing is known. */
static int add_row(struct ask *ask, const char *name, const char *uid, int64_t since_s,
                   const char *reason)
{
    struct coverage *coverage = ask->coverage;
    struct coverage_row *rows, row = {.opens = !reason, .since_s = since_s, .reason = reason};

    ask->found++;
    if (has_row(coverage, uid))
        return 0;
    rows = reallocarray(coverage->rows, coverage->count + 1, sizeof *rows);
    if (!rows)
        return CASB_ENOMEM;
    coverage->rows = rows;
    if (text_dup(name, &row.name) || text_dup(uid, &row.uid)) {
        free(row.name);
        return CASB_ENOMEM;
    }
    rows[coverage->count++] = row;
    coverage->opens += row.opens;
    return 0;
}

static bool is_meant(const struct ask *ask, const char *name, const char *uid)
{
    return !ask->name || text_equal(ask->name, name) || text_equal(ask->name, uid);
}

static int ask_scan(const struct report_node *node, void *arg)
{
    struct ask *ask = arg;
    const struct record *record;
    const struct casb_record *known;
    const char *reason;

    if (!is_meant(ask, node->name, node->uid))
        return 0;
    record = records_find(ask->records, node->uid);
    known = record ? records_values(record) : NULL;
    reason = node->holds ? NULL : coverage_reason(known, ask->primary);
    if (!node->holds && !reason)
        reason = hardware_changed;
    return add_row(ask, node->name, node->uid, known ? known->registered : 0, reason);
}

static int ask_record(struct record *record, void *arg)
{
    struct ask *ask = arg;
    const struct casb_record *known = records_values(record);

    if (!is_meant(ask, known->name, known->uid))
        return 0;
    return add_row(ask, known->name, known->uid, known->registered,
                   coverage_reason(known, ask->primary));
}

static int ask_name(struct ask *ask, struct report *report)
{
    int r = report_each(report, ask_scan, ask);

    if (r || ask->found || !ask->name)
        return r;
    r = records_each(ask->records, ask_record, ask);
    return r || ask->found ? r
                           : add_row(ask, ask->name, NULL, 0, coverage_reason(NULL, ask->primary));
}

int coverage_make(struct records *records, struct report *report, const char *primary,
                  const char *const *names, struct coverage *ret, struct casb_error *err)
{
    struct ask ask = {.records = records, .primary = primary, .coverage = ret};
    int r = 0;

    if (!names || !names[0])
        r = ask_name(&ask, report);
    for (size_t i = 0; r == 0 && names && names[i]; i++) {
        ask.name = names[i];
        ask.found = 0;
        r = ask_name(&ask, report);
    }
    return r ? err_nomem(err) : 0;
}

void coverage_done(struct coverage *coverage)
{
    for (size_t i = 0; i < coverage->count; i++) {
        free(coverage->rows[i].name);
        free(coverage->rows[i].uid);
    }
    free(coverage->rows);
    *coverage = (struct coverage){0};
}
