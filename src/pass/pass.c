/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/pass.h"

#include "base/clock.h"
#include "base/cond.h"
#include "log.h"
#include "pass/absent.h"
#include "pass/elsewhere.h"
#include "pass/giveup.h"
#include "pass/intake.h"
#include "pass/news.h"
#include "pass/orphans.h"
#include "pass/overdue.h"
#include "pass/queue.h"
#include "pass/registrar.h"
#include "pass/remember.h"
#include "pass/twins.h"
#include "report/verdict.h"

#include <unistd.h>

#define LOCK_STEP_NS      CLOCK_S /* between two tries to take the lock */
#define WRITE_INTERVAL_NS CLOCK_S /* DESIGN: at most one write a second */

/* ---- the state */

static int add_record(const struct casb_record *record, void *arg)
{
    struct pass *pass = arg;

    return records_add(pass->records, record, NULL);
}

static int load_records(struct pass *pass, struct casb_error *err)
{
    int r = plugins_state(pass->plugins)
                ->load(pass->plugins->state.self, &pass->call, add_record, pass, err);

    if (r)
        return err_wrap(err, r, "load the records");
    log_debug("%zu records loaded", records_count(pass->records));
    return 0;
}

static int store_batch(const struct casb_record *batch, size_t count, void *arg,
                       struct casb_error *err)
{
    struct pass *pass = arg;
    struct casb_call call = turn_cleanup_call(pass);
    struct casb_error local = {0};
    int r;

    if (atomic_load(&pass->lock_lost))
        r = err_set(&local, CASB_ECONFLICT, "the lock is lost: somebody else may be writing");
    else
        r = plugins_state(pass->plugins)
                ->store(pass->plugins->state.self, &call, batch, count, &local);
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

/* ---- the pass */

/* Removes orphans, scans and waits for every job. The records are loaded, the pool runs. */
static int work_off(struct pass *pass, struct casb_error *err)
{
    int r = pass->mode == PASS_PLAN ? 0 : orphans_remove(pass, err);

    if (r || pass->mode == PASS_CLEANUP)
        return r;
    r = intake_scan(pass, err);
    turn_wait(pass);
    orphans_look_again(pass);
    giveup_tell(pass);
    if (!r)
        intake_judge_las(pass);
    if (!r)
        r = absent_note(pass, err);
    if (!r)
        r = twins_settle(pass, err);
    if (!r && pass->mode == PASS_RUN)
        overdue_judge(pass);
    if (!r && pass->mode == PASS_PLAN && atomic_load(&pass->cut_short))
        r = turn_end_error(pass, "before every node was looked at", err);
    return r;
}

static int with_workers(struct pass *pass, struct casb_error *err)
{
    int r = load_records(pass, err), written;

    if (!r && pass->mode == PASS_RUN)
        r = remember_begin(pass, err);
    if (!r)
        r = records_start(pass->records, WRITE_INTERVAL_NS, store_batch, pass, err);
    if (!r)
        r = pool_new((size_t)pass->settings->parallel, queue_step, NULL, &pass->pool, err);
    if (!r)
        r = work_off(pass, err);
    pool_free(pass->pool);
    pass->pool = NULL;
    written = records_stop(pass->records, r ? NULL : err);
    r = r ? r : written;
    if (!r && pass->mode == PASS_RUN)
        r = absent_drop(pass, err); /* not before the writer ended, which could write one anew */
    if (!r && pass->mode == PASS_RUN)
        r = elsewhere_count(pass, err);
    if (!written && pass->mode == PASS_RUN)
        news_tell_noted(pass);
    if (!r && pass->mode != PASS_PLAN)
        r = news_settle(pass, err);
    /* these two classes mean more to the caller: a wrong --only, and a held lock */
    if (r == CASB_EINVALID || r == CASB_ECONFLICT)
        r = err->code = CASB_EFAILED;
    return r;
}

static int when_prepared(struct pass *pass, struct casb_error *err)
{
    int r = pass->mode == PASS_CLEANUP ? 0 : registrar_prepare(pass, err);

    return r ? r : with_workers(pass, err);
}

static int make(struct pass *pass, struct casb_error *err)
{
    int r = when_prepared(pass, err);

    if (!r && pass->mode == PASS_RUN)
        registrar_describe(pass);
    if (!r && pass->mode != PASS_CLEANUP)
        r = selection_check(&pass->selection, err);
    return r;
}

static int exit_status(struct pass *pass, int r, const struct casb_error *err)
{
    const struct report_counts counts = report_counts(pass->report);
    int number = pass->signal ? atomic_load(pass->signal) : 0;

    if (number)
        return 128 + number;
    return verdict_of_pass(pass->settings, r ? err : NULL, &counts).status;
}

static int give_up_lock(const struct pass *pass, const struct casb_error *trouble,
                        struct casb_error *err)
{
    struct casb_error over = {0};
    int r = turn_end_error(pass, "while it waited for the lock", &over);

    return err_set(err, r, "%s: %s", over.text, trouble->text);
}

/* Takes the instance's lock, and waits for it as long as the settings want. */
static int take_lock(struct pass *pass, struct casb_error *err)
{
    const struct plugin *state = &pass->plugins->state;
    const int64_t until_ns = clock_now_ns() + pass->settings->lock_wait_ns;

    for (bool waits = false;; waits = true) {
        struct casb_error trouble = {0};
        int r =
            plugins_state(pass->plugins)->lock(state->self, &pass->call, lock_lost, pass, &trouble);
        int64_t left_ns = until_ns - clock_now_ns();

        if (!r)
            return 0;
        if (r != CASB_ECONFLICT || left_ns <= 0)
            return err_set(err, r, "lock: %s", trouble.text);
        if (!waits)
            log_info("waiting for the lock: %s", trouble.text);
        if (clock_sleep(&pass->call, left_ns < LOCK_STEP_NS ? left_ns : LOCK_STEP_NS))
            return give_up_lock(pass, &trouble, err);
    }
}

static int with_lock(struct pass *pass, struct casb_error *err)
{
    const struct casb_state_ops *state = plugins_state(pass->plugins);
    struct casb_error unlock_err = {0};
    struct casb_call call;
    int r = take_lock(pass, err);

    if (r)
        return r;
    r = make(pass, err);
    remember_end(pass, exit_status(pass, r, err));
    call = turn_cleanup_call(pass);
    if (state->unlock(pass->plugins->state.self, &call, &unlock_err))
        log_warn("the lock is left to expire: %s", unlock_err.text);
    if (atomic_load(&pass->lock_lost) && !r)
        r = err_set(err, CASB_EFAILED, "the lock was lost during the pass");
    return r;
}

static int pass_init(struct pass *pass, struct casb_error *err)
{
    int r = cond_init(&pass->ended);

    pthread_mutex_init(&pass->lock, NULL);
    if (r)
        return err_set_errno(err, r, "make a condition variable");
    r = limit_init(&pass->registrations, (size_t)pass->settings->registration_parallel, err);
    if (!r)
        r = selection_init(&pass->selection, pass->settings->request, err);
    return r ? r : records_new(&pass->records, err);
}

static void pass_done(struct pass *pass)
{
    records_free(pass->records);
    lastpass_done(&pass->last);
    selection_done(&pass->selection);
    limit_done(&pass->registrations);
    pthread_cond_destroy(&pass->ended);
    pthread_mutex_destroy(&pass->lock);
}

int pass_run(struct plugins *plugins, enum pass_mode mode, int cancel_fd, const atomic_int *signal,
             const struct pass_view *view, struct report *report, struct casb_error *err)
{
    struct pass pass = {
        .settings = plugins->settings,
        .plugins = plugins,
        .report = report,
        .view = view,
        .signal = signal,
        .mode = mode,
        .call = {.deadline_ns = clock_now_ns() + plugins->settings->deadline_ns,
                 .cancel_fd = cancel_fd},
    };
    int r = pass_init(&pass, err);

    if (!r)
        r = mode == PASS_PLAN ? make(&pass, err) : with_lock(&pass, err);
    pass_done(&pass);
    return r;
}
