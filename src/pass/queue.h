/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes on their way to a worker: jobs, and what waits to become one. A scan runs far ahead of the
 * workers, so that what waits is packed: there are no more jobs than are worked on, and a few that
 * wait for a record to be written.
 */
#ifndef CAS_BACKUP_QUEUE_H
#define CAS_BACKUP_QUEUE_H

#include "log.h"
#include "pass/decide.h"
#include "pass/turn.h"

/* What the pool takes: the first part of a job, and of what waits to become one. */
struct queued {
    struct pool_job pool; /* first */
    void (*take)(struct queued *queued);
};

/* One node that is worked on, by one thread at a time. */
struct job {
    struct queued queued; /* first */
    void (*step)(struct job *job);
    struct turn turn;
    struct plugin *source;
    struct casb_node node; /* its own copy */
    struct record *record;
    struct decision decision;
    struct decide_policy policy;
    int64_t started_ns, ended_ns;
    bool noted;   /* the record says so, since this job said it */
    bool spawned; /* a backup CAS may be there */
    bool registering;
    bool succeeded;
    enum casb_outcome news; /* what to tell the source next; 0: nothing */
    struct casb_error err;
    char text[]; /* the node's strings */
};

/* One node that waits. */
struct waiting {
    struct queued queued; /* first */
    void (*step)(struct job *job);
    struct pass *pass;
    struct plugin *source;
    struct record *record;
    struct decide_policy policy;
    const char *uid, *name, *las_source, *blocked, *las, *boot; /* as in the node, behind this */
    enum casb_identity_kind las_kind;
    bool las_none, control_plane;
    bool noted; /* as in a job, with the next */
    enum casb_outcome news;
};

#define job_log(job, level, ...)                                                                   \
    log_line(level,                                                                                \
             LOG_FIELDS({"node", (job)->node.name}, {"source", (job)->source->host.source},        \
                        {"reason", (job)->decision.reason}),                                       \
             __VA_ARGS__)

/* The pool's function: takes the next step. */
pool_fn queue_step;

/*
 * A job for a copy of the node, one of those that the pass waits for until queue_job_end(). NULL:
 * no memory.
 */
struct job *queue_job_new(struct pass *pass, struct plugin *source, const struct casb_node *node,
                          struct record *record);

/* Takes the job out of the pass and frees it. */
void queue_job_end(struct job *job);

/* Has the pool take `step` next; `first` before what only waits for its turn. */
void queue_job(struct job *job, void (*step)(struct job *job), bool first);

/*
 * A node that will wait, likewise one of those that the pass waits for. NULL: no memory. Its job's
 * decision is made anew, of the same policy: no other one can come of it meanwhile.
 */
struct waiting *queue_waiting_new(struct pass *pass, struct plugin *source,
                                  const struct casb_node *node, struct record *record,
                                  const struct decide_policy *policy);

/* Takes it out of the pass and frees it. */
void queue_waiting_end(struct waiting *waiting);

/* Has it wait until the pool makes a job of it, which takes `step`; it is given away. */
void queue_waiting(struct waiting *waiting, void (*step)(struct job *job));

#endif
