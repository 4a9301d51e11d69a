/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/elsewhere.h"

#include "base/share.h"
#include "pass/twins.h"
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

/*
 * How many of them are no machine of this pass. Of one that is there is a warning; those that are
 * one machine in other shares are for those to tell of.
 */
static int count_new(const struct machine *machines, size_t own, size_t all, size_t *ret)
{
    _cleanup_(freep) const struct machine **known = calloc(all + 1, sizeof *known);
    size_t count = 0;

    if (!known)
        return CASB_ENOMEM;
    for (size_t i = 0; i < all; i++) {
        const struct machine *one = &machines[i], *first = one->same_as ? one->same_as : one;
        const struct machine **ours = &known[first - machines];

        if (i < own && !*ours)
            *ours = one;
        else if (i >= own && *ours)
            twins_tell(*ours, one, one->same_as ? one->same_kind : (*ours)->same_kind);
        else if (i >= own)
            count += first == one;
    }
    *ret = count;
    return 0;
}

static int count_others(struct pass *pass, const struct records *now, struct casb_error *err)
{
    _cleanup_(freep) struct machine *machines =
        calloc(records_count(pass->records) + records_count(now) + 1, sizeof *machines);
    struct census census = {pass, machines, 0};
    size_t own, others;

    if (!machines)
        return err_nomem(err);
    records_each(pass->records, add_own, &census);
    own = census.count;
    records_each(now, add_other, &census);
    if (machines_match(machines, census.count) || count_new(machines, own, census.count, &others))
        return err_nomem(err);
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
