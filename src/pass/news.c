/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/news.h"

#include "base/clock.h"
#include "log.h"
#include "settings/request.h"

#define AGAIN_S (30 * 60) /* between two tellings of a node that fails again and again */

bool news_is_due(const struct casb_record *record)
{
    return record->attempts <= 1 || record->told == 0 ||
           record->attempted - record->told >= AGAIN_S ||
           clock_is_ahead(record->told, record->attempted);
}

/* When it first came to that, and how often since: only failures come again. */
static struct casb_news news_of(const struct casb_record *record, enum casb_outcome outcome,
                                const char *message)
{
    bool failed = outcome == CASB_OUTCOME_FAILED;
    int64_t now_s = clock_wall_ms() / 1000;

    return (struct casb_news){
        .uid = record->uid,
        .name = record->name,
        .outcome = outcome,
        .message = message ? message : "",
        .since = failed && record->unprotected > 0 ? record->unprotected : now_s,
        .count = failed ? record->attempts : 1,
    };
}

void news_tell(const struct plugin *source, const struct casb_call *call,
               const struct casb_record *record, enum casb_outcome outcome, const char *message)
{
    const struct casb_news news = news_of(record, outcome, message);
    const struct casb_discovery_ops *ops = plugins_discovery(source);
    struct casb_error err = {0};

    if (ops->tell && ops->tell(source->self, call, &news, &err))
        log_line(CASB_WARN, LOG_FIELDS({"node", record->name}, {"source", source->host.source}),
                 "what became of it could not be told: %s", err.text);
}

void news_tell_dropped(const struct plugins *plugins, const struct casb_call *call,
                       const struct record *record)
{
    struct casb_record values;
    const struct casb_record *known = records_values(record, &values);
    const struct plugin *source = plugins_source(plugins, known->source);

    if (source)
        news_tell(source, call, known, CASB_OUTCOME_DROPPED, NULL);
}

static int tell_noted(struct record *record, void *arg)
{
    struct pass *pass = arg;
    struct casb_record values;
    const struct casb_record *known = records_values(record, &values);
    const struct plugin *source = records_news(record) ? turn_source_of(pass, known) : NULL;
    struct casb_call call = turn_news_call(pass);

    if (source && clock_check(&call) == 0)
        news_tell(source, &call, known, records_news(record), known->reason);
    return 0;
}

void news_tell_noted(struct pass *pass)
{
    if (!atomic_load(&pass->lock_lost))
        (void)records_each(pass->records, tell_noted, pass);
}

static bool is_protected(const char *uid, void *arg)
{
    struct pass *pass = arg;
    const struct record *record = records_find(pass->records, uid);

    return record && records_is_protected(record);
}

int news_settle(struct pass *pass, struct casb_error *err)
{
    bool nothing = pass->mode == PASS_CLEANUP;
    struct casb_call call = turn_news_call(pass);

    if (atomic_load(&pass->lock_lost) || (nothing && !pass->settings->request->label))
        return 0;
    for (size_t i = 0; i < pass->plugins->n_sources; i++) {
        const struct plugin *source = &pass->plugins->sources[i];
        const struct casb_discovery_ops *ops = plugins_discovery(source);
        struct casb_error why = {0};
        int r = ops->settle
                    ? ops->settle(source->self, &call, nothing ? NULL : is_protected, pass, &why)
                    : 0;

        if (r && nothing)
            return err_set(err, r, "source '%s': %s", source->host.source, why.text);
        if (r)
            log_warn("source '%s': what it shows of nodes may be out of date: %s",
                     source->host.source, why.text);
    }
    return 0;
}
