/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/elsewhere.h"

#include "base/share.h"
#include "report/coverage.h"
#include "report/machines.h"

/* The machines that hold a registration: those of this pass, and then those of others. */
struct census {
    struct pass *pass;
    struct machine *machines;
    size_t count;
};

static void add(struct census *census, const struct record *record)
{
    census->machines[census->count++] = machine_of_record(record);
}

static int add_own(struct record *record, void *arg)
{
    if (records_is_holding(record))
        add(arg, record);
    return 0;
}

static int add_other(struct record *record, void *arg)
{
    struct census *census = arg;
    const struct pass *pass = census->pass;
    struct casb_record values;
    const struct casb_record *known = records_values(record, &values);

    if (!share_has(&pass->settings->share, known->uid) && known->absent == 0 &&
        !coverage_reason(known, pass->plugins->primary.id))
        add(census, record);
    return 0;
}

static int count_others(struct pass *pass, const struct records *now, struct casb_error *err)
{
    _cleanup_(freep) struct machine *machines =
        calloc(records_count(pass->records) + records_count(now) + 1, sizeof *machines);
    struct census census = {pass, machines, 0};
    size_t own, others = 0;

    if (!machines)
        return err_nomem(err);
    records_each(pass->records, add_own, &census);
    own = census.count;
    records_each(now, add_other, &census);
    if (machines_match(machines, census.count))
        return err_nomem(err);
    for (size_t i = own; i < census.count; i++)
        others += !machines[i].same_as;
    report_set_elsewhere(pass->report, others);
    return 0;
}

int elsewhere_count(struct pass *pass, struct casb_error *err)
{
    _cleanup_(records_freep) struct records *now = NULL;
    struct casb_call call = turn_cleanup_call(pass);
    int r;

    if (!share_is_partial(&pass->settings->share))
        return 0;
    r = coverage_load(pass->plugins, &call, &now, err);
    return r ? r : count_others(pass, now, err);
}
