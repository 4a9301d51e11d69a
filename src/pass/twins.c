/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/twins.h"

#include "base/identity.h"
#include "log.h"

struct twins {
    struct machine *machines;
    size_t count;
};

static int collect(struct record *record, void *arg)
{
    struct twins *twins = arg;

    if (records_is_holding(record))
        twins->machines[twins->count++] = machine_of_record(record);
    return 0;
}

void twins_tell(const struct machine *first, const struct machine *second,
                enum casb_identity_kind kind)
{
    log_warn("nodes '%s' and '%s' are one machine, with one %s: they count once", first->name,
             second->name, identity_kind_name(kind));
}

int twins_settle(struct pass *pass, struct casb_error *err)
{
    _cleanup_(freep) struct machine *machines =
        calloc(records_count(pass->records) + 1, sizeof *machines);
    struct twins twins = {.machines = machines};

    if (!machines)
        return err_nomem(err);
    records_each(pass->records, collect, &twins);
    if (machines_match(machines, twins.count))
        return err_nomem(err);
    for (size_t i = 0; i < twins.count; i++) {
        if (!machines[i].same_as)
            continue;
        twins_tell(machines[i].same_as, &machines[i], machines[i].same_kind);
        report_add_twin(pass->report);
    }
    return 0;
}
