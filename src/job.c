/* SPDX-License-Identifier: Apache-2.0 */
#include "job.h"

#include "base/clock.h"
#include "log.h"
#include "pack.h"

const char *job_stage_name(enum job_stage stage)
{
    static const char *const names[JOB_STAGES] = {"waiting",     "identifying", "spawning",
                                                  "registering", "writing",     "removing"};

    return names[stage];
}

void job_enter(struct job *job, enum job_stage stage)
{
    pthread_mutex_lock(&job->pass->lock);
    job->stage = stage;
    job->since_ns = clock_now_ns();
    pthread_mutex_unlock(&job->pass->lock);
}

/* ---- a job's life */

/* Makes the job one of the pass's, which waits for all of them. */
static void job_open(struct job *job)
{
    struct pass *pass = job->pass;

    pthread_mutex_lock(&pass->lock);
    job->since_ns = clock_now_ns();
    job->next = pass->jobs;
    job->link = &pass->jobs;
    if (job->next)
        job->next->link = &job->next;
    pass->jobs = job;
    pass->open_jobs++;
    pthread_mutex_unlock(&pass->lock);
}

struct job *job_new(struct pass *pass, struct plugin *source, const struct casb_node *from,
                    struct record *record)
{
    struct casb_node node = *from;
    const char **strings[] = {&node.uid,        &node.name,    &node.las_key,
                              &node.las_source, &node.boot_id, &node.blocked};
    struct job *job = calloc(1, sizeof *job + pack_size(strings, ELEMENTS(strings)));

    if (!job)
        return NULL;
    pack_strings(strings, ELEMENTS(strings), job->text);
    job->node = node;
    job->pass = pass;
    job->source = source;
    job->record = record;
    job_open(job);
    return job;
}

void job_end(struct job *job)
{
    struct pass *pass = job->pass;

    pthread_mutex_lock(&pass->lock);
    *job->link = job->next;
    if (job->next)
        job->next->link = job->link;
    if (--pass->open_jobs == 0)
        pthread_cond_signal(&pass->job_ended);
    pthread_mutex_unlock(&pass->lock);
    free(job->keyless);
    free(job);
}

void job_step(struct pool_job *pool_job, void *arg)
{
    struct job *job = (struct job *)pool_job;

    (void)arg;
    job->step(job);
}

void job_queue(struct job *job, void (*step)(struct job *), bool first)
{
    job->step = step;
    pool_submit(job->pass->pool, &job->pool, first);
}

/* ---- remove, and the end */

static double job_seconds(const struct job *job)
{
    return (double)(job->ended_ns - job->started_ns) / 1e9;
}

void job_report(struct job *job)
{
    struct report_node outcome = {
        .source = job->source->host.source,
        .name = job->node.name,
        .uid = job->node.uid,
        .reason = job->decision.reason,
        .outcome = job->succeeded ? REPORT_REGISTERED : REPORT_FAILED,
        .message = job->succeeded ? NULL : job->err.text,
        .seconds = job_seconds(job),
        .holds = job->succeeded || job->decision.holds,
    };

    report_add(job->pass->report, &outcome);
}

/* Takes the note that a backup CAS was begun out of the record. */
static void forget_spawn(struct job *job)
{
    struct casb_record values;

    if (!records_values(job->record) || !records_values(job->record)->spawned)
        return;
    values = *records_values(job->record);
    values.spawned = 0;
    if (records_set(job->pass->records, job->record, &values, NULL, NULL, NULL))
        job_log(job, CASB_WARN, "out of memory; the next pass removes its backup CAS again");
}

/* False: it is still there, as far as is known. */
static bool remove_backup(struct job *job)
{
    const struct casb_discovery_ops *ops = tool_discovery(job->source);
    struct casb_call call = pass_cleanup_call(job->pass);
    struct casb_error err = {0};

    job_enter(job, JOB_REMOVING);
    if (ops->remove(job->source->self, &call, &job->node, &err)) {
        job_log(job, CASB_WARN, "its backup CAS is left for the next pass to remove: %s", err.text);
        return false;
    }
    forget_spawn(job);
    return true;
}

static void remove_and_end(struct job *job)
{
    (void)remove_backup(job);
    job_report(job);
    job_end(job);
}

static void remove_orphan_and_end(struct job *job)
{
    if (!remove_backup(job))
        atomic_fetch_add(&job->pass->orphans_left, 1);
    job_end(job);
}

/* ---- the record of an attempt */

static void record_written(int result, void *arg)
{
    struct job *job = arg;

    (void)result; /* a backup CAS goes whatever becomes of the record; the pass reports the rest */
    job_queue(job, remove_and_end, true);
}

static struct casb_record attempt_values(const struct job *job)
{
    const struct casb_record *old = records_values(job->record);
    struct casb_record values = old ? *old : (struct casb_record){0};

    values.uid = job->node.uid;
    values.name = job->node.name;
    values.source = job->source->host.source;
    values.attempted = values.seen = clock_wall_ms() / 1000;
    return values;
}

static struct casb_record success_values(const struct job *job)
{
    struct casb_record values = attempt_values(job);
    const char *source = job->node.las_source;
    bool was_read = job->node.las_key || decide_is_keyless(source);

    values.status = CASB_REGISTERED;
    values.registered = values.attempted;
    values.primary = job->pass->tool->primary.id;
    values.las_key = job->node.las_key;
    values.las_source = was_read && !text_empty(source) ? source : NULL;
    values.boot_id = job->node.boot_id;
    values.changed = 0;
    values.attempts = 0;
    values.error = NULL;
    return values;
}

static struct casb_record failure_values(const struct job *job, const char *error)
{
    struct casb_record values = attempt_values(job);

    (void)decide_note_change(&values, &job->decision, values.attempted);
    if (decide_is_keyless(job->node.las_source))
        values.las_source = job->node.las_source;
    values.status = CASB_FAILED;
    values.attempts++;
    values.error = error;
    return values;
}

static void record_attempt(struct job *job)
{
    char error[CASB_RECORD_ERROR_BYTES];
    struct casb_record values =
        job->succeeded ? success_values(job)
                       : failure_values(job, text_clean(error, sizeof error, job->err.text));

    job_enter(job, JOB_WRITING);
    if (records_set(job->pass->records, job->record, &values, record_written, job, NULL))
        record_written(CASB_ENOMEM, job);
}

/* ---- spawn and register */

static int register_at(struct job *job, const char *address, struct casb_error *err)
{
    struct pass *pass = job->pass;
    struct casb_call call = pass->call;
    int r = limit_enter(&pass->registrations, &call);

    if (r)
        return err_set(err, r, "%s while waiting to register", err_class_name(r));
    job_enter(job, JOB_REGISTERING);
    job_log(job, CASB_DEBUG, "registering the backup CAS at %s", address);
    call.deadline_ns = clock_deadline(&pass->call, pass->settings->registration_timeout_ns);
    r = tool_registration(pass->tool)
            ->register_backup(pass->tool->registration.self, &call, address, err);
    limit_leave(&pass->registrations);
    return r ? err_wrap(err, r, "register") : 0;
}

static int spawn_and_register(struct job *job, struct casb_error *err)
{
    char address[CASB_ADDRESS_LENGTH + 1];
    int r;

    job_enter(job, JOB_SPAWNING);
    job_log(job, CASB_INFO, "provisioning a backup CAS");
    job->spawned = true;
    r = tool_discovery(job->source)
            ->spawn(job->source->self, &job->pass->call, &job->node, address, err);
    if (r)
        return err_wrap(err, r, "spawn");
    return register_at(job, address, err);
}

void job_cut_short(struct job *job)
{
    struct pass *pass = job->pass;

    atomic_store(&pass->cut_short, true);
    job->err = (struct casb_error){0};
    (void)pass_end_error(pass, "before the node's turn was over", &job->err);
    job_log(job, CASB_WARN, "not %s: %s", pass->mode == PASS_PLAN ? "looked at" : "registered",
            job->err.text);
    if (job->spawned) {
        remove_and_end(job);
        return;
    }
    if (job->noted)
        forget_spawn(job);
    job_report(job);
    job_end(job);
}

static void register_node(struct job *job)
{
    int r = 0;

    job->started_ns = clock_now_ns();
    if (!pass_interrupted(job->pass))
        r = spawn_and_register(job, &job->err);
    job->ended_ns = clock_now_ns();
    if (r == 0 && job->spawned) {
        job->succeeded = true;
        job_log(job, CASB_INFO, "successfully registered in %.1f s", job_seconds(job));
    } else if (pass_interrupted(job->pass)) {
        job_cut_short(job);
        return;
    } else {
        job_log(job, CASB_ERROR, "not registered: %s", job->err.text);
    }
    record_attempt(job);
}

static void spawn_noted(int result, void *arg)
{
    struct job *job = arg;

    if (result)
        job_log(job, CASB_WARN, "the state could not be written before its backup CAS is begun");
    job_queue(job, register_node, false);
}

/* All notes of a scan are made early, so that a batch of them costs one write. */
int job_register(struct job *job, struct casb_error *err)
{
    const struct casb_record *old = records_values(job->record);
    struct casb_record values = old ? *old : (struct casb_record){0};

    if (tool_discovery(job->source)->sweep) {
        job_queue(job, register_node, false);
        return 0;
    }
    values.uid = job->node.uid;
    values.name = job->node.name;
    values.source = job->source->host.source;
    job->noted = !values.spawned; /* else the one of an earlier pass is there still */
    values.spawned = values.seen = clock_wall_ms() / 1000;
    return records_set(job->pass->records, job->record, &values, spawn_noted, job, err);
}

int job_remove_orphan(struct pass *pass, struct plugin *source, const struct casb_node *node,
                      struct record *record, struct casb_error *err)
{
    struct job *job = job_new(pass, source, node, record);

    if (!job)
        return err_nomem(err);
    job->decision.reason = "orphan";
    job_queue(job, remove_orphan_and_end, false);
    return 0;
}
