/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/orphans.h"

#include "base/privatecopy.h"
#include "base/share.h"
#include "log.h"
#include "pass/job.h"

/* A step of a job: removes what may be there, and ends the job. */
static void remove_and_end(struct job *job)
{
    if (!job_remove(job))
        atomic_fetch_add(&job->turn.pass->orphans_left, 1);
    queue_job_end(job);
}

static int queue_removal(struct pass *pass, struct plugin *source, const struct casb_node *node,
                         struct record *record, struct casb_error *err)
{
    struct job *job = queue_job_new(pass, source, node, record);

    if (!job)
        return err_nomem(err);
    job->decision.reason = "orphan";
    queue_job(job, remove_and_end, false);
    return 0;
}

/* Of a source that cannot list them, the record says where a backup CAS was begun. */
static int remove_noted(struct record *record, void *arg)
{
    struct pass *pass = arg;
    struct casb_record values;
    const struct casb_record *known = records_values(record, &values);
    const struct casb_node node = {.uid = known->uid, .name = known->name};
    struct plugin *source = known->spawned ? turn_source_of(pass, known) : NULL;

    if (!source || plugins_discovery(source)->sweep ||
        !share_has(&pass->settings->share, known->uid))
        return 0;
    if (pass->mode == PASS_CLEANUP)
        (void)records_mark_present(record); /* the scan need not do it again */
    return queue_removal(pass, source, &node, record, NULL);
}

struct cleanup {
    struct pass *pass;
    struct plugin *source;
    struct casb_error *err;
};

static int remove_anyway(const struct casb_node *node, void *arg)
{
    struct cleanup *cleanup = arg;
    struct record *record;
    int r = records_get(cleanup->pass->records, node->uid, &record, cleanup->err);

    if (r || !records_mark_present(record))
        return r;
    return queue_removal(cleanup->pass, cleanup->source, node, record, cleanup->err);
}

/* Cleans up one source: it lists what it spawned, or else cleanup has it try each node. */
static int sweep_source(struct pass *pass, struct plugin *source, struct casb_error *err)
{
    const struct casb_discovery_ops *ops = plugins_discovery(source);
    struct cleanup cleanup = {pass, source, err};
    size_t removed = 0;
    int r = 0;

    if (ops->sweep)
        r = ops->sweep(source->self, &pass->call, pass->mode == PASS_CLEANUP, &removed, err);
    else if (pass->mode == PASS_CLEANUP)
        r = ops->scan(source->self, &pass->call, remove_anyway, &cleanup, err);
    if (removed > 0)
        log_info("source '%s': removed %zu backup CAS that an earlier pass left",
                 source->host.source, removed);
    return r ? err_wrap(err, r, "source '%s': remove what an earlier pass left",
                        source->host.source)
             : 0;
}

/* Whatever registers now: an earlier pass may have had another plugin. */
static void remove_private_copies(void)
{
    struct casb_error err = {0};
    size_t removed;

    if (privatecopy_sweep(&removed, &err) < 0)
        log_warn("a private folder of a dead pass stays behind: %s", err.text);
    if (removed > 0)
        log_info("removed %zu private folders of dead passes", removed);
}

void orphans_look_again(struct pass *pass)
{
    struct casb_call call = turn_cleanup_call(pass);

    for (size_t i = 0; i < pass->plugins->n_sources; i++) {
        const struct plugin *source = &pass->plugins->sources[i];
        const struct casb_discovery_ops *ops = plugins_discovery(source);
        struct casb_error err = {0};
        size_t removed = 0;

        if (!ops->sweep || !atomic_load(&pass->left_behind) || atomic_load(&pass->lock_lost))
            continue;
        if (ops->sweep(source->self, &call, false, &removed, &err))
            log_warn("source '%s': what is left is not removed: %s", source->host.source, err.text);
        if (removed > 0)
            log_info("source '%s': removed %zu backup CAS that had stayed behind",
                     source->host.source, removed);
    }
}

int orphans_remove(struct pass *pass, struct casb_error *err)
{
    int r = records_each(pass->records, remove_noted, pass);

    remove_private_copies();
    if (r)
        err_nomem(err);
    for (size_t i = 0; r == 0 && i < pass->plugins->n_sources; i++)
        r = sweep_source(pass, &pass->plugins->sources[i], err);
    turn_wait(pass);
    if (r == 0 && pass->mode == PASS_CLEANUP && atomic_load(&pass->orphans_left) > 0)
        r = err_set(err, CASB_EFAILED, "%zu backup CAS could not be removed",
                    atomic_load(&pass->orphans_left));
    return r;
}
