/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/overdue.h"

#include "base/clock.h"
#include "log.h"

struct overdue {
    int64_t now_s, after_s;
    size_t count;
    const char *longest; /* its name */
    int64_t since;       /* which it has been unprotected */
};

static int look(struct record *record, void *arg)
{
    struct casb_record values;
    const struct casb_record *known = records_values(record, &values);
    struct overdue *overdue = arg;

    if (!records_is_present(record) || known->unprotected == 0 ||
        overdue->now_s - known->unprotected <= overdue->after_s)
        return 0;
    overdue->count++;
    if (overdue->longest && known->unprotected >= overdue->since)
        return 0;
    overdue->longest = known->name;
    overdue->since = known->unprotected;
    return 0;
}

void overdue_judge(struct pass *pass)
{
    struct overdue overdue = {.now_s = clock_wall_ms() / 1000,
                              .after_s = clock_whole_s(pass->settings->overdue_after_ns)};
    char since[CLOCK_RFC3339_BYTES];

    if (pass->settings->overdue_after_ns == 0)
        return;
    records_each(pass->records, look, &overdue);
    if (overdue.count == 0)
        return;
    clock_format(since, overdue.since * 1000, false);
    log_warn("node '%s' has been unprotected since %s, the longest of %zu that are overdue",
             overdue.longest, since, overdue.count);
    report_set_overdue(pass->report, overdue.count, overdue.longest, overdue.since);
}
