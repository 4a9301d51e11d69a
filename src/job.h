/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to one node: identify -> decide -> spawn -> register -> write the record -> remove
 * the backup CAS, whatever the outcome. One job is worked on by one thread at a time.
 */
#ifndef CAS_BACKUP_JOB_H
#define CAS_BACKUP_JOB_H

#include "log.h"
#include "pass.h"

enum job_stage {
    JOB_WAITING,
    JOB_IDENTIFYING,
    JOB_SPAWNING,
    JOB_REGISTERING,
    JOB_WRITING,
    JOB_REMOVING,
    JOB_STAGES,
};

struct job {
    struct pool_job pool;     /* first */
    struct job *next, **link; /* in pass->jobs */
    struct pass *pass;
    struct plugin *source;
    struct casb_node node; /* its own copy */
    struct casb_identity identity;
    char *keyless; /* node.las_source with its mark, or NULL */
    struct record *record;
    struct decision decision;
    bool forced;
    void (*step)(struct job *job); /* what the pool does next */
    enum job_stage stage;
    int64_t since_ns; /* when the stage began */
    int64_t started_ns, ended_ns;
    bool noted;   /* the record says so, since this job said it */
    bool spawned; /* a backup CAS may be there */
    bool succeeded;
    struct casb_error err;
    char text[]; /* the node's strings */
};

#define job_log(job, level, ...)                                                                   \
    log_line(level,                                                                                \
             LOG_FIELDS({"node", (job)->node.name}, {"source", (job)->source->host.source},        \
                        {"reason", (job)->decision.reason}),                                       \
             __VA_ARGS__)

/* The pool's function: takes the job's next step. */
pool_fn job_step;

/*
 * A job for a copy of the node, one of those that the pass waits for until job_end(). NULL: no
 * memory.
 */
struct job *job_new(struct pass *pass, struct plugin *source, const struct casb_node *node,
                    struct record *record);

/* Takes the job out of the pass and frees it. */
void job_end(struct job *job);

/* Notes for the progress what the job is doing now. */
void job_enter(struct job *job, enum job_stage stage);

/* Has the pool take `step` next; `first` before jobs that only wait for their turn. */
void job_queue(struct job *job, void (*step)(struct job *job), bool first);

/*
 * Has the node registered. A source that cannot list what it spawned gets a note in the record
 * before anything is begun. On failure the job is still the caller's.
 */
int job_register(struct job *job, struct casb_error *err) _warn_unused_;

/*
 * Ends a job that the end of the pass overtook, its backup CAS removed. That says nothing about the
 * node: its record stays.
 */
void job_cut_short(struct job *job);

/* Adds the outcome of the job's attempt to the report. */
void job_report(struct job *job);

/* Has the backup CAS removed that a dead pass may have begun there. Returns 0 or CASB_ENOMEM. */
int job_remove_orphan(struct pass *pass, struct plugin *source, const struct casb_node *node,
                      struct record *record, struct casb_error *err) _warn_unused_;

/* "spawning", ... Static. */
const char *job_stage_name(enum job_stage stage);

#endif
