/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/absent.h"

#include "base/clock.h"
#include "base/share.h"
#include "log.h"
#include "pass/news.h"

#define DAY_S (24 * 60 * 60)

struct absent {
    struct pass *pass;
    int64_t now_s;
    int64_t after_s; /* absent_after */
    int64_t most_s;  /* that the time since the scan before can count */
    const char **drop;
    size_t n_drop;
    struct casb_error *err;
};

static struct absent absent_begin(struct pass *pass, struct casb_error *err)
{
    int64_t after_s = clock_whole_s(pass->settings->absent_after_ns);
    int64_t half_s = (after_s + 1) / 2;

    return (struct absent){
        .pass = pass,
        .now_s = clock_wall_ms() / 1000,
        .after_s = after_s,
        .most_s = half_s < DAY_S ? half_s : DAY_S,
        .err = err,
    };
}

static bool is_absent(const struct absent *absent, const struct record *record)
{
    struct casb_record values;
    const struct casb_record *known = records_values(record, &values);

    return !records_is_present(record) && share_has(&absent->pass->settings->share, known->uid) &&
           turn_source_of(absent->pass, known);
}

/* What the time since the last scan that missed it counts. */
static int64_t since_missed(const struct absent *absent, const struct casb_record *known)
{
    int64_t since_s = absent->now_s - known->missed;

    if (known->absent == 0 || since_s < 0)
        return 0;
    return since_s < absent->most_s ? since_s : absent->most_s;
}

static bool is_due(const struct absent *absent, const struct casb_record *known)
{
    return !known->spawned && (absent->after_s == 0 ||
                               known->absent_s + since_missed(absent, known) > absent->after_s);
}

/* Brings *record up to date; false where there is nothing to write. */
static bool count(const struct absent *absent, struct casb_record *record)
{
    int64_t since_s = since_missed(absent, record);
    bool ahead = clock_is_ahead(record->missed, absent->now_s);

    if (record->absent > 0 && !ahead && since_s < absent->most_s)
        return false;
    record->absent_s += (uint32_t)since_s;
    record->missed = absent->now_s;
    if (record->absent == 0 || clock_is_ahead(record->absent, absent->now_s))
        record->absent = absent->now_s;
    return true;
}

static int note(struct record *record, void *arg)
{
    const struct absent *absent = arg;
    struct pass *pass = absent->pass;
    struct casb_record values;

    records_values(record, &values);
    if (!is_absent(absent, record) || is_due(absent, &values))
        return 0;
    if (values.registered > 0)
        report_add_absent(pass->report);
    if (pass->mode == PASS_PLAN || !count(absent, &values))
        return 0;
    return records_set(pass->records, record, &values, NULL, NULL, absent->err);
}

int absent_note(struct pass *pass, struct casb_error *err)
{
    struct absent absent = absent_begin(pass, err);

    return records_each(pass->records, note, &absent);
}

static int choose(struct record *record, void *arg)
{
    struct absent *absent = arg;
    struct casb_record values;
    const struct casb_record *known = records_values(record, &values);

    if (is_absent(absent, record) && is_due(absent, known))
        absent->drop[absent->n_drop++] = known->uid;
    return 0;
}

int absent_drop(struct pass *pass, struct casb_error *err)
{
    _cleanup_(freep) const char **drop = calloc(records_count(pass->records) + 1, sizeof *drop);
    struct absent absent = absent_begin(pass, err);
    struct casb_call call = turn_cleanup_call(pass);
    int r;

    if (!drop)
        return err_nomem(err);
    absent.drop = drop;
    records_each(pass->records, choose, &absent);
    if (absent.n_drop == 0 || atomic_load(&pass->lock_lost))
        return 0;
    log_info("forgetting %zu nodes that have been absent for too long", absent.n_drop);
    r = plugins_state(pass->plugins)
            ->drop(pass->plugins->state.self, &call, drop, absent.n_drop, err);
    if (r)
        return err_wrap(err, r, "forget absent nodes");
    for (size_t i = 0; i < absent.n_drop; i++)
        news_tell_dropped(pass->plugins, &call, records_find(pass->records, drop[i]));
    return 0;
}
