/* SPDX-License-Identifier: Apache-2.0 */
#include "pass.h"

#include "base/clock.h"
#include "cli.h"
#include "intake.h"
#include "job.h"
#include "log.h"
#include "progress.h"

#include <string.h>

#define WRITE_INTERVAL_NS CLOCK_S        /* DESIGN: at most one write a second */
#define CLEANUP_NS        (15 * CLOCK_S) /* DESIGN: done within 20 s of a signal */
#define DRAW_NS           (100 * CLOCK_MS)

bool pass_interrupted(struct pass *pass)
{
    int64_t never = 0;

    if (clock_check(&pass->call) == 0)
        return false;
    atomic_compare_exchange_strong(&pass->interrupted_ns, &never, clock_now_ns());
    return true;
}

int pass_end_error(const struct pass *pass, const char *what, struct casb_error *err)
{
    enum casb_code why = clock_check(&pass->call);

    return err_set(err, why, "%s %s",
                   why == CASB_ETIMEOUT ? "the pass's deadline passed" : "the pass was ended",
                   what);
}

struct casb_call pass_cleanup_call(struct pass *pass)
{
    int64_t from = pass_interrupted(pass) ? atomic_load(&pass->interrupted_ns) : clock_now_ns();

    return (struct casb_call){.deadline_ns = from + CLEANUP_NS, .cancel_fd = -1};
}

/* ---- the state */

static int add_record(const struct casb_record *record, void *arg)
{
    struct pass *pass = arg;

    return records_add(pass->records, record, NULL);
}

static int load_records(struct pass *pass, struct casb_error *err)
{
    int r =
        tool_state(pass->tool)->load(pass->tool->state.self, &pass->call, add_record, pass, err);

    if (r)
        return err_wrap(err, r, "load the records");
    log_debug("%zu records loaded", records_count(pass->records));
    return 0;
}

static int store_batch(const struct casb_record *batch, size_t count, void *arg,
                       struct casb_error *err)
{
    struct pass *pass = arg;
    struct casb_call call = pass_cleanup_call(pass);
    struct casb_error local = {0};
    int r;

    if (atomic_load(&pass->lock_lost))
        r = err_set(&local, CASB_ECONFLICT, "the lock is lost: somebody else may be writing");
    else
        r = tool_state(pass->tool)->store(pass->tool->state.self, &call, batch, count, &local);
    if (r == 0) {
        log_debug("%zu records written", count);
        return 0;
    }
    log_warn("%zu records are not written yet: %s", count, local.text);
    return err_set(err, r, "write the records: %s", local.text);
}

static void lock_lost(const char *why, void *arg)
{
    struct pass *pass = arg;
    uint64_t one = 1;

    log_error("the lock is lost, the pass ends: %s", why);
    atomic_store(&pass->lock_lost, true);
    if (write(pass->call.cancel_fd, &one, sizeof one) < 0)
        log_error("the pass cannot be cancelled");
}

/* ---- orphans of a dead pass */

static bool same_source(const struct plugin *source, const struct casb_record *record)
{
    return text_equal(source->host.source, record->source);
}

static void wait_for_jobs(struct pass *pass)
{
    pthread_mutex_lock(&pass->lock);
    while (pass->open_jobs > 0) {
        worker_cond_wait(&pass->job_ended, &pass->lock, DRAW_NS);
        pthread_mutex_unlock(&pass->lock);
        (void)pass_interrupted(pass);
        progress_draw(pass->progress);
        pthread_mutex_lock(&pass->lock);
    }
    pthread_mutex_unlock(&pass->lock);
}

/* Of a source that cannot list them, the record says where a backup CAS was begun. */
static int remove_noted(struct record *record, void *arg)
{
    struct pass *pass = arg;
    const struct casb_record *known = records_values(record);
    const struct casb_node node = {.uid = known->uid, .name = known->name};

    for (size_t i = 0; known->spawned && i < pass->tool->n_sources; i++) {
        struct plugin *source = &pass->tool->sources[i];

        if (!same_source(source, known) || tool_discovery(source)->sweep)
            continue;
        if (pass->mode == PASS_CLEANUP)
            (void)records_mark_present(record); /* the scan need not do it again */
        return job_remove_orphan(pass, source, &node, record, NULL);
    }
    return 0;
}

/* One pass's view of a source that is being scanned. */
struct scan {
    struct pass *pass;
    struct plugin *source;
    struct casb_error *err;
};

static int remove_anyway(const struct casb_node *node, void *arg)
{
    struct scan *scan = arg;
    struct record *record;
    int r = records_get(scan->pass->records, node->uid, &record, scan->err);

    if (r || !records_mark_present(record))
        return r;
    return job_remove_orphan(scan->pass, scan->source, node, record, scan->err);
}

/* Cleans up one source: it lists what it spawned, or else cleanup has it try each node. */
static int sweep_source(struct pass *pass, struct plugin *source, struct casb_error *err)
{
    const struct casb_discovery_ops *ops = tool_discovery(source);
    struct scan scan = {pass, source, err};
    size_t removed = 0;
    int r = 0;

    if (ops->sweep)
        r = ops->sweep(source->self, &pass->call, &removed, err);
    else if (pass->mode == PASS_CLEANUP)
        r = ops->scan(source->self, &pass->call, remove_anyway, &scan, err);
    if (removed > 0)
        log_info("source '%s': removed %zu backup CAS that an earlier pass left",
                 source->host.source, removed);
    return r ? err_wrap(err, r, "source '%s': remove what an earlier pass left",
                        source->host.source)
             : 0;
}

static int sweep(struct pass *pass, struct casb_error *err)
{
    int r = records_each(pass->records, remove_noted, pass);

    if (r)
        err_nomem(err);
    for (size_t i = 0; r == 0 && i < pass->tool->n_sources; i++)
        r = sweep_source(pass, &pass->tool->sources[i], err);
    wait_for_jobs(pass);
    if (r == 0 && pass->mode == PASS_CLEANUP && atomic_load(&pass->orphans_left) > 0)
        r = err_set(err, CASB_EFAILED, "%zu backup CAS could not be removed",
                    atomic_load(&pass->orphans_left));
    return r;
}

/* ---- the scan */

static int scan_node(const struct casb_node *node, void *arg)
{
    struct scan *scan = arg;

    if (pass_interrupted(scan->pass))
        return pass_end_error(scan->pass, "before the scan was complete", scan->err);
    progress_draw(scan->pass->progress);
    return intake_node(scan->pass, scan->source, node, scan->err);
}

/* Scans every source; one that fails does not keep the others from being worked off. */
static int scan_sources(struct pass *pass, struct casb_error *err)
{
    int result = 0, r;

    for (size_t i = 0; i < pass->tool->n_sources; i++) {
        struct casb_error local = {0};
        struct scan scan = {pass, &pass->tool->sources[i], &local};

        r = tool_discovery(scan.source)
                ->scan(scan.source->self, &pass->call, scan_node, &scan, &local);
        if (r == 0)
            continue;
        if (!result)
            result = err_set(err, r, "scan source '%s': %s", scan.source->host.source, local.text);
        else
            log_error("scan source '%s': %s", scan.source->host.source, local.text);
    }
    return result;
}

/* ---- nodes that vanished */

struct absent {
    struct pass *pass;
    int64_t now_s;
    const char **drop;
    size_t n_drop;
};

static bool source_is_scanned(const struct pass *pass, const struct casb_record *known)
{
    for (size_t i = 0; i < pass->tool->n_sources; i++)
        if (same_source(&pass->tool->sources[i], known))
            return true;
    return false;
}

static int take_absent(struct record *record, void *arg)
{
    struct absent *absent = arg;
    const struct casb_record *known = records_values(record);

    if (records_is_present(record) || !source_is_scanned(absent->pass, known))
        return 0;
    if (!known->spawned &&
        absent->now_s - known->seen > absent->pass->settings->absent_after_ns / CLOCK_S)
        absent->drop[absent->n_drop++] = known->uid;
    else if (known->registered > 0)
        report_add_absent(absent->pass->report);
    return 0;
}

/* Counts the absent ones and forgets those that are absent for too long. */
static int settle_absent(struct pass *pass, struct casb_error *err)
{
    _cleanup_(freep) const char **drop = calloc(records_count(pass->records) + 1, sizeof *drop);
    struct absent absent = {pass, clock_wall_ms() / 1000, drop, 0};
    struct casb_call call = pass_cleanup_call(pass);
    int r;

    if (!drop)
        return err_nomem(err);
    records_each(pass->records, take_absent, &absent);
    if (absent.n_drop == 0 || pass->mode == PASS_PLAN)
        return 0;
    log_info("forgetting %zu nodes that have been absent for too long", absent.n_drop);
    r = tool_state(pass->tool)->drop(pass->tool->state.self, &call, drop, absent.n_drop, err);
    return r ? err_wrap(err, r, "forget absent nodes") : 0;
}

/* ---- the pass */

/* Sweeps, scans and waits for every job. The records are loaded, the pool runs. */
static int work_off(struct pass *pass, struct casb_error *err)
{
    int r = pass->mode == PASS_PLAN ? 0 : sweep(pass, err);

    if (r || pass->mode == PASS_CLEANUP)
        return r;
    r = scan_sources(pass, err);
    wait_for_jobs(pass);
    if (!r && pass->mode == PASS_PLAN && atomic_load(&pass->cut_short))
        r = pass_end_error(pass, "before every node was looked at", err);
    return r;
}

static int with_workers(struct pass *pass, struct casb_error *err)
{
    int r = load_records(pass, err), written;

    if (!r)
        r = records_start(pass->records, WRITE_INTERVAL_NS, store_batch, pass, err);
    if (!r)
        r = pool_new((size_t)pass->settings->parallel, job_step, NULL, &pass->pool, err);
    if (!r)
        r = work_off(pass, err);
    pool_free(pass->pool);
    pass->pool = NULL;
    written = records_stop(pass->records, r ? NULL : err);
    r = r ? r : written;
    if (!r && pass->mode != PASS_CLEANUP)
        r = settle_absent(pass, err); /* not before the writer ended, which could write one anew */
    /* these two classes mean more to the caller: a wrong --only, and a held lock */
    if (r == CASB_EINVALID || r == CASB_ECONFLICT)
        r = err->code = CASB_EFAILED;
    return r;
}

static int with_lock(struct pass *pass, struct casb_error *err)
{
    const struct casb_state_ops *state = tool_state(pass->tool);
    struct casb_error unlock_err = {0};
    struct casb_call call;
    int r;

    r = state->lock(pass->tool->state.self, &pass->call, lock_lost, pass, err);
    if (r)
        return err_wrap(err, r, "lock");
    r = with_workers(pass, err);
    call = pass_cleanup_call(pass);
    if (state->unlock(pass->tool->state.self, &call, &unlock_err))
        log_warn("the lock is left to expire: %s", unlock_err.text);
    if (atomic_load(&pass->lock_lost) && !r)
        r = err_set(err, CASB_EFAILED, "the lock was lost during the pass");
    return r;
}

static size_t list_length(const char *const *list)
{
    size_t n = 0;

    while (list && list[n])
        n++;
    return n;
}

static int pass_init(struct pass *pass, struct casb_error *err)
{
    const struct cli *cli = pass->settings->cli;
    int r;

    pthread_mutex_init(&pass->lock, NULL);
    r = worker_cond_init(&pass->job_ended);
    if (r)
        return err_set_errno(err, r, "make a condition variable");
    r = limit_init(&pass->registrations, (size_t)pass->settings->registration_parallel, err);
    if (r)
        return r;
    pass->only_seen = calloc(list_length((const char *const *)cli->only) + 1, sizeof(bool));
    pass->force_seen = calloc(list_length((const char *const *)cli->force) + 1, sizeof(bool));
    if (!pass->only_seen || !pass->force_seen)
        return err_nomem(err);
    return records_new(&pass->records, err);
}

static void pass_done(struct pass *pass)
{
    records_free(pass->records);
    free(pass->only_seen);
    free(pass->force_seen);
    limit_done(&pass->registrations);
    pthread_cond_destroy(&pass->job_ended);
    pthread_mutex_destroy(&pass->lock);
}

static int check_names(const char *option, const char *const *names, const bool *seen,
                       struct casb_error *err)
{
    for (size_t i = 0; names && names[i]; i++)
        if (!seen[i] && !text_equal(names[i], "all"))
            return err_set(err, CASB_EINVALID, "%s: no source has a node '%s'", option, names[i]);
    return 0;
}

static int check_all_names(const struct pass *pass, struct casb_error *err)
{
    const struct cli *cli = pass->settings->cli;
    int r = check_names("--only", (const char *const *)cli->only, pass->only_seen, err);

    return r ? r : check_names("--force", (const char *const *)cli->force, pass->force_seen, err);
}

int pass_run(const struct cmd_context *context, struct tool *tool, struct report *report,
             enum pass_mode mode, struct casb_error *err)
{
    struct pass pass = {
        .settings = context->settings,
        .tool = tool,
        .report = report,
        .mode = mode,
        .call = {.deadline_ns = clock_now_ns() + context->settings->deadline_ns,
                 .cancel_fd = context->cancel_fd},
    };
    int r = pass_init(&pass, err);

    if (!r) {
        pass.progress = progress_new(&pass);
        r = mode == PASS_PLAN ? with_workers(&pass, err) : with_lock(&pass, err);
        progress_free(pass.progress);
        if (!r && mode != PASS_CLEANUP)
            r = check_all_names(&pass, err);
    }
    pass_done(&pass);
    return r;
}
