/* SPDX-License-Identifier: Apache-2.0 */
/* forget: have nodes registered again. */
#include "base/clock.h"
#include "base/text.h"
#include "command/command.h"
#include "log.h"
#include "pass/news.h"
#include "report/coverage.h"
#include "settings/request.h"

/* A signal is to end all in 20 s; nor is the lock left where `deadline` ended the rest. */
#define UNLOCK_NS (15 * CLOCK_S)

/* What is to be forgotten. As everywhere a name means the node that is there now. */
struct forget {
    const char *const *names; /* or uids */
    struct records *records;
    bool scanned;        /* it is known which nodes are there now */
    bool *there, *seen;  /* parallel to names: such a node is there; there is its record */
    const char **absent; /* also: uid of one that is not there, but has the name */
    const char **uids;   /* of the records to be dropped */
    size_t count;
};

/* ---- what the names mean */

static int take_node(const struct casb_node *node, void *arg)
{
    struct forget *forget = arg;
    struct record *record = records_find(forget->records, node->uid);

    for (size_t i = 0; forget->names[i]; i++) {
        if (!text_equal(forget->names[i], node->name))
            continue;
        forget->there[i] = true;
        forget->seen[i] |= record != NULL;
        if (record)
            (void)records_mark_present(record);
    }
    return 0;
}

/* Looks which nodes are there. Where that fails the records must do, which passes keep. */
static void scan(struct forget *forget, const struct plugins *plugins, const struct casb_call *call)
{
    struct casb_error err = {0};
    int r = 0;

    for (size_t i = 0; r == 0 && i < plugins->n_sources; i++) {
        const struct plugin *source = &plugins->sources[i];

        r = plugins_discovery(source)->scan(source->self, call, take_node, forget, &err);
    }
    forget->scanned = r == 0;
    if (r)
        log_warn("going by the records alone: %s", err.text);
}

/* Does the name, counted from 0, mean the record's node? */
static bool is_meant(struct forget *forget, size_t i, struct record *record)
{
    struct casb_record values;
    const struct casb_record *known = records_values(record, &values);

    if (text_equal(forget->names[i], known->uid))
        return true;
    if (!text_equal(forget->names[i], known->name))
        return false;
    if (forget->scanned || known->absent > 0)
        forget->absent[i] = known->uid;
    return !forget->scanned && known->absent == 0;
}

static int choose(struct record *record, void *arg)
{
    struct forget *forget = arg;
    struct casb_record values;
    const struct casb_record *known = records_values(record, &values);
    bool meant = records_is_present(record);

    for (size_t i = 0; forget->names[i] && !records_is_present(record); i++) {
        if (!is_meant(forget, i, record))
            continue;
        meant = forget->seen[i] = true;
    }
    if (!meant)
        return 0;
    if (known->spawned)
        log_warn("node '%s': a pass that was killed may have left a backup CAS there", known->name);
    forget->uids[forget->count++] = known->uid;
    return 0;
}

/* A name that nothing is known about is more likely mistyped than meant. */
static int check_seen(const struct forget *forget, struct casb_error *err)
{
    for (size_t i = 0; forget->names[i]; i++) {
        const char *name = forget->names[i];

        if (forget->seen[i])
            continue;
        if (!forget->there[i] && forget->absent[i])
            return err_set(err, CASB_EINVALID,
                           "no node '%s' is there now; one that is absent goes by its UID: '%s'",
                           name, forget->absent[i]);
        return err_set(err, CASB_EINVALID, "no record of a node '%s'", name);
    }
    return 0;
}

/* ---- forgetting */

static int drop_chosen(struct forget *forget, const struct plugins *plugins,
                       const struct casb_call *call, struct casb_error *err)
{
    int r;

    scan(forget, plugins, call);
    records_each(forget->records, choose, forget);
    r = check_seen(forget, err);
    if (!r)
        r = plugins_state(plugins)->drop(plugins->state.self, call, forget->uids, forget->count,
                                         err);
    for (size_t i = 0; i < forget->count && !r; i++)
        news_tell_dropped(plugins, call, records_find(forget->records, forget->uids[i]));
    if (!r)
        log_info("%zu nodes forgotten: a pass that finds them registers them again", forget->count);
    return r;
}

static int drop_named(const struct plugins *plugins, const struct casb_call *call,
                      const char *const *names, struct casb_error *err)
{
    _cleanup_(records_freep) struct records *records = NULL;
    _cleanup_(freep) const char **uids = NULL;
    _cleanup_(freep) const char **absent = NULL;
    _cleanup_(freep) bool *there = NULL;
    _cleanup_(freep) bool *seen = NULL;
    struct forget forget = {.names = names};
    size_t n = 0;
    int r = coverage_load(plugins, call, &records, err);

    if (r)
        return r;
    while (names[n])
        n++;
    forget.records = records;
    forget.uids = uids = calloc(records_count(records) + 1, sizeof *uids);
    forget.absent = absent = calloc(n + 1, sizeof *absent);
    forget.there = there = calloc(n + 1, sizeof *there);
    forget.seen = seen = calloc(n + 1, sizeof *seen);
    if (!uids || !absent || !there || !seen)
        return err_nomem(err);
    return drop_chosen(&forget, plugins, call, err);
}

static void lock_lost(const char *why, void *arg)
{
    (void)arg;
    log_error("the lock is lost: %s", why);
}

static int forget_locked(const struct cmd_context *context, const struct plugins *plugins,
                         struct casb_error *err)
{
    struct casb_call call = {.deadline_ns = clock_now_ns() + context->settings->deadline_ns,
                             .cancel_fd = context->cancel_fd};
    struct casb_error unlock_err = {0};
    int r = plugins_state(plugins)->lock(plugins->state.self, &call, lock_lost, NULL, err);

    if (r)
        return err_wrap(err, r, "lock");
    r = drop_named(plugins, &call, (const char *const *)context->settings->request->args, err);
    call = (struct casb_call){clock_now_ns() + UNLOCK_NS, -1};
    if (plugins_state(plugins)->unlock(plugins->state.self, &call, &unlock_err))
        log_warn("the lock is left to expire: %s", unlock_err.text);
    return r;
}

int cmd_forget(const struct cmd_context *context)
{
    struct casb_error err = {0};
    struct plugins plugins = {0};
    int status, r;

    if (!context->settings->request->args || !context->settings->request->args[0]) {
        log_error("forget: which nodes?");
        return EXIT_USAGE;
    }
    status = cmd_open(context, PLUGINS_KNOWN, &plugins);
    if (status)
        return status;
    cmd_busy(context, true);
    r = forget_locked(context, &plugins, &err);
    cmd_busy(context, false);
    plugins_close(&plugins);
    return r ? cmd_fail(&err) : EXIT_DONE;
}
