/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/job.h"

#include "base/clock.h"
#include "base/identity.h"
#include "base/text.h"
#include "log.h"
#include "pass/attempt.h"
#include "pass/giveup.h"
#include "pass/news.h"
#include "pass/note.h"

#define LAST_WORDS_NS (5 * CLOCK_S) /* a kubelet that does not answer is not worth more */

/* ---- remove, and the end */

static double job_seconds(const struct job *job)
{
    return (double)(job->ended_ns - job->started_ns) / 1e9;
}

void job_report(struct job *job)
{
    struct casb_record values;
    struct report_node outcome = {
        .source = job->source->host.source,
        .name = job->node.name,
        .uid = job->node.uid,
        .reason = job->decision.reason,
        .outcome = job->succeeded                        ? REPORT_REGISTERED
                   : job->decision.action == DECIDE_SKIP ? REPORT_SKIPPED
                                                         : REPORT_FAILED,
        .message = job->err.text[0] ? job->err.text : NULL,
        .seconds = job_seconds(job),
        .release = job->succeeded
                       ? job->decision.release
                       : decide_release(records_values(job->record, &values), &job->decision),
        .holds = job->succeeded || job->decision.holds,
    };

    report_add(job->turn.pass->report, &outcome);
    if (outcome.holds)
        records_mark_holding(job->record, job->decision.selected);
}

/* Takes the note that a backup CAS was begun out of the record. */
static void forget_spawn(struct job *job)
{
    struct casb_record values;

    if (!records_values(job->record, &values) || !values.spawned)
        return;
    values.spawned = 0;
    if (records_set(job->turn.pass->records, job->record, &values, NULL, NULL, NULL))
        job_log(job, CASB_WARN, "out of memory; the next pass removes its backup CAS again");
}

bool job_remove(struct job *job)
{
    const struct casb_discovery_ops *ops = plugins_discovery(job->source);
    struct casb_call call = turn_cleanup_call(job->turn.pass);
    struct casb_error err = {0};

    turn_enter(&job->turn, TURN_REMOVING);
    if (ops->remove(job->source->self, &call, &job->node, &err)) {
        atomic_store(&job->turn.pass->left_behind, true);
        job_log(job, CASB_WARN, "its backup CAS is left for the next pass to remove: %s", err.text);
        return false;
    }
    forget_spawn(job);
    return true;
}

/* Tells the source what its record says of the node now. */
static void tell(struct job *job, enum casb_outcome outcome, const char *message)
{
    struct casb_call call = turn_news_call(job->turn.pass);
    struct casb_record values;

    records_values(job->record, &values);
    news_tell(job->source, &call, &values, outcome, message);
}

static void remove_and_end(struct job *job)
{
    (void)job_remove(job);
    if (job->news)
        tell(job, job->news, job->succeeded ? job->decision.reason : job->err.text);
    job_report(job);
    queue_job_end(job);
}

/* ---- the record of an attempt */

static void record_written(int result, void *arg)
{
    struct job *job = arg;

    if (result) /* a backup CAS goes all the same; the pass reports the rest */
        job->news = 0;
    queue_job(job, remove_and_end, true);
}

static struct casb_record begin_values(const struct job *job)
{
    struct casb_record values;

    return attempt_begin(records_values(job->record, &values), &job->node,
                         job->source->host.source);
}

static void record_attempt(struct job *job)
{
    struct casb_record values = begin_values(job);
    char error[CASB_RECORD_ERROR_BYTES];

    if (job->succeeded)
        attempt_success(&values, &job->node, &job->decision, job->turn.pass->plugins->primary.id);
    else
        attempt_failure(&values, &job->node, &job->decision,
                        text_clean(error, sizeof error, job->err.text));
    turn_enter(&job->turn, TURN_WRITING);
    if (job->succeeded) {
        job->news = CASB_OUTCOME_REGISTERED;
    } else if (news_is_due(&values)) {
        job->news = CASB_OUTCOME_FAILED;
        values.told = values.attempted;
    }
    if (records_set(job->turn.pass->records, job->record, &values, record_written, job, NULL))
        record_written(CASB_ENOMEM, job);
}

/* ---- spawn and register */

static int register_at(struct job *job, const char *address, struct casb_error *err)
{
    struct pass *pass = job->turn.pass;
    struct casb_call call = pass->call;
    int r = limit_enter(&pass->registrations, &call);

    if (r)
        return err_set(err, r, "%s while waiting to register", err_class_name(r));
    turn_enter(&job->turn, TURN_REGISTERING);
    job->registering = true;
    job_log(job, CASB_DEBUG, "registering the backup CAS at %s", address);
    call.deadline_ns = clock_deadline(&pass->call, pass->settings->registration_timeout_ns);
    r = plugins_registration(pass->plugins)
            ->register_backup(pass->plugins->registration.self, &call, address, err);
    limit_leave(&pass->registrations);
    return r ? err_wrap(err, r, "register") : 0;
}

/* Recorded is the machine that the backup CAS runs on, and what was read of another one is not. */
static void note_machine(struct decision *decision, const struct casb_identity *boot)
{
    if (!identity_is_known(boot))
        return;
    if (identity_compare(&decision->machine.boot, boot) == IDENTITY_DIFFERS) {
        decision->machine.las = (struct casb_identity){0};
        decision->las_none = false;
    }
    decision->machine.boot = *boot;
}

static int spawn_and_register(struct job *job, struct casb_error *err)
{
    struct casb_backup backup = {0};
    int r;

    turn_enter(&job->turn, TURN_SPAWNING);
    job_log(job, CASB_INFO, "provisioning a backup CAS");
    job->spawned = true;
    r = plugins_discovery(job->source)
            ->spawn(job->source->self, &job->turn.pass->call, &job->node, &backup, err);
    if (r)
        return err_wrap(err, r, "spawn");
    note_machine(&job->decision, &backup.boot);
    return register_at(job, backup.address, err);
}

void job_cut_short(struct job *job)
{
    struct pass *pass = job->turn.pass;

    atomic_store(&pass->cut_short, true);
    job->err = (struct casb_error){0};
    (void)turn_end_error(pass, "before the node's turn was over", &job->err);
    job_log(job, CASB_WARN, "not %s: %s", pass->mode == PASS_PLAN ? "looked at" : "registered",
            job->err.text);
    if (note_node(pass, job->source, &job->node, job->record, &job->decision, NULL))
        job_log(job, CASB_WARN, "out of memory; its record stays as it was");
    if (job->spawned) {
        remove_and_end(job);
        return;
    }
    if (job->noted)
        forget_spawn(job);
    job_report(job);
    queue_job_end(job);
}

/* Nothing is begun on the node: what fails on all of them would fail there, too. */
static void give_up(struct job *job)
{
    job->decision.action = DECIDE_SKIP;
    job->decision.reason = "given-up";
    if (job->noted)
        forget_spawn(job);
    if (note_node(job->turn.pass, job->source, &job->node, job->record, &job->decision, NULL))
        job_log(job, CASB_WARN, "out of memory; its record stays as it was");
    job_report(job);
    queue_job_end(job);
}

/* What failed may have said why: it is asked before it goes. */
static void show_last_words(const struct job *job)
{
    const struct casb_discovery_ops *ops = plugins_discovery(job->source);
    struct casb_call call = job->turn.pass->call;

    if (!job->spawned || !ops->last_words || !log_enabled(CASB_DEBUG))
        return;
    call.deadline_ns = clock_deadline(&call, LAST_WORDS_NS);
    ops->last_words(job->source->self, &call, &job->node);
}

static void register_node(struct job *job)
{
    int r = 0;

    if (job->news == CASB_OUTCOME_HARDWARE_CHANGED)
        tell(job, job->news, job->decision.reason);
    job->news = 0;
    if (!turn_is_over(job->turn.pass) && giveup_is_due(job->turn.pass)) {
        give_up(job);
        return;
    }
    job->started_ns = clock_now_ns();
    if (!turn_is_over(job->turn.pass))
        r = spawn_and_register(job, &job->err);
    job->ended_ns = clock_now_ns();
    if (r == 0 && job->spawned) {
        job->succeeded = true;
        giveup_note_success(job->turn.pass);
        job_log(job, CASB_INFO, "successfully registered in %.1f s", job_seconds(job));
    } else if (turn_is_over(job->turn.pass)) {
        job_cut_short(job);
        return;
    } else {
        job_log(job, CASB_ERROR, "not registered: %s", job->err.text);
        giveup_note_failure(job->turn.pass, job->source, job->node.name, job->registering,
                            &job->err);
        show_last_words(job);
    }
    record_attempt(job);
}

static void spawn_noted(int result, void *arg)
{
    struct waiting *waiting = arg;

    if (result) {
        log_line(CASB_WARN,
                 LOG_FIELDS({"node", waiting->name}, {"source", waiting->source->host.source}),
                 "the state could not be written before its backup CAS is begun");
        waiting->news = 0;
    }
    queue_waiting(waiting, register_node);
}

/*
 * All notes of a scan are made early, so that a batch of them costs one write. That a machine is
 * another one than was registered is not kept back until it is registered, which may take a while.
 */
int job_register(struct waiting *waiting, const struct casb_node *node,
                 const struct decision *decision, struct casb_error *err)
{
    const struct plugin *source = waiting->source;
    struct casb_record known;
    struct casb_record values =
        attempt_begin(records_values(waiting->record, &known), node, source->host.source);
    bool changed = decision->changed && values.changed == 0;

    if (plugins_discovery(source)->sweep && !changed) {
        queue_waiting(waiting, register_node);
        return 0;
    }
    if (!plugins_discovery(source)->sweep) {
        waiting->noted = !values.spawned; /* else the one of an earlier pass is there still */
        values.spawned = values.seen;
    }
    if (changed) {
        (void)decide_note(&values, node, decision, values.seen);
        waiting->news = CASB_OUTCOME_HARDWARE_CHANGED;
    }
    return records_set(waiting->pass->records, waiting->record, &values, spawn_noted, waiting, err);
}
