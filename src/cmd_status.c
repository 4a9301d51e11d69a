/* SPDX-License-Identifier: Apache-2.0 */
/* status: the records as a table. */
#include "base/clock.h"
#include "cli.h"
#include "cmd.h"
#include "coverage.h"
#include "log.h"
#include "table.h"

#include <string.h>

static const char *status_name(enum casb_status status)
{
    static const char *const names[] = {"none", "registered", "failed"};

    return names[status];
}

struct listing {
    const char *primary;
    struct table *table;
    json_t *json;
};

static int list_record(struct record *record, void *arg)
{
    struct listing *listing = arg;
    const struct casb_record *r = records_values(record);
    const char *opens = coverage_reason(r, listing->primary) ? "no" : "yes";
    char registered[CLOCK_RFC3339_BYTES], attempted[CLOCK_RFC3339_BYTES], seen[CLOCK_RFC3339_BYTES];

    table_row(listing->table, (const char *[]){r->name, r->source, status_name(r->status), opens,
                                               cmd_time(registered, r->registered),
                                               cmd_time(attempted, r->attempted),
                                               cmd_time(seen, r->seen), r->error});
    return json_array_append_new(
               listing->json,
               json_pack("{s:s, s:s*, s:s*, s:s, s:b, s:s*, s:s*, s:s*, s:s*, s:s*, s:I, s:s*}",
                         "uid", r->uid, "name", r->name, "source", r->source, "status",
                         status_name(r->status), "opens", strcmp(opens, "yes") == 0, "las_key",
                         r->las_key, "boot_id", r->boot_id, "registered",
                         cmd_time(registered, r->registered), "attempted",
                         cmd_time(attempted, r->attempted), "seen", cmd_time(seen, r->seen),
                         "attempts", (json_int_t)r->attempts, "error", r->error))
               ? CASB_ENOMEM
               : 0;
}

static int print_records(const struct cmd_context *context, const struct tool *tool,
                         const struct records *records)
{
    static const char *const titles[] = {"NODE",      "SOURCE", "STATUS", "OPENS", "REGISTERED",
                                         "ATTEMPTED", "SEEN",   "ERROR",  NULL};
    _cleanup_(table_freep) struct table *table = table_new(titles);
    json_auto_t *json = json_array();
    struct listing listing = {tool->primary.id, table, json};

    if (!table || !json || records_each(records, list_record, &listing))
        return -1;
    table_sort(table);
    return context->settings->cli->output_json ? cmd_print_json(json_incref(json))
                                               : table_print(table, stdout);
}

int cmd_status(const struct cmd_context *context)
{
    _cleanup_(records_freep) struct records *records = NULL;
    struct casb_call call = cmd_call(context);
    struct casb_error err = {0};
    struct tool tool = {0};
    int status = cmd_open(context, &tool);

    if (status)
        return status;
    if (coverage_load(&tool, &call, &records, &err)) {
        status = cmd_fail(&err);
    } else {
        status = cmd_printed(print_records(context, &tool, records), EXIT_DONE);
    }
    tool_close(&tool);
    return status;
}
