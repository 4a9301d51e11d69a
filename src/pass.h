/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass: lock, sweep, scan, work off, store, unlock. pass.c has the order of things, job.c what
 * happens to one node.
 */
#ifndef CAS_BACKUP_PASS_H
#define CAS_BACKUP_PASS_H

#include "cmd.h"
#include "decide.h"
#include "records.h"
#include "report.h"
#include "tool.h"
#include "worker.h"

#include <stdatomic.h>

struct job;
struct progress;

enum pass_mode {
    PASS_RUN,
    PASS_PLAN,    /* scan and decide only; changes nothing, takes no lock */
    PASS_CLEANUP, /* remove what earlier passes may have left, and nothing else */
};

/* What everything in a pass shares. Made by pass_run(); job.c and progress.c read it. */
struct pass {
    const struct settings *settings;
    struct tool *tool;
    struct report *report;
    struct records *records;
    struct pool *pool;
    struct limit registrations; /* registration.parallel */
    struct progress *progress;  /* NULL where there is no terminal */
    struct casb_call call;      /* of all work: ends with the deadline or a signal */
    enum pass_mode mode;
    bool *only_seen, *force_seen;   /* parallel to cli->only and cli->force */
    _Atomic int64_t interrupted_ns; /* when the work was first seen to be over; 0: it goes on */
    atomic_bool lock_lost;
    atomic_size_t orphans_left; /* backup CAS of earlier passes that could not be removed */
    atomic_bool cut_short;      /* some node's turn was not over when the pass had to end */

    pthread_mutex_t lock; /* guards `jobs`, `open_jobs` and every job's stage */
    pthread_cond_t job_ended;
    struct job *jobs; /* that are not finished */
    size_t open_jobs;
};

/*
 * Makes a pass and fills `report`. Returns 0
 * where the pass could be made, whatever became of single nodes; CASB_ECONFLICT where another
 * pass holds the lock (then err->text names it); CASB_EINVALID where --only or --force name a
 * node that no source has.
 */
int pass_run(const struct cmd_context *context, struct tool *tool, struct report *report,
             enum pass_mode mode, struct casb_error *err) _warn_unused_;

/* Is the pass to end now? Notes the time when it first is. */
bool pass_interrupted(struct pass *pass);

/* Sets the error of an interrupted pass: that its deadline passed, or that it was ended. */
int pass_end_error(const struct pass *pass, const char *what, struct casb_error *err);

/*
 * The context for what must be done whatever happens (removing, writing, unlocking): not
 * cancelled, 15 s long, or what is left of 15 s since the interruption.
 */
struct casb_call pass_cleanup_call(struct pass *pass);

#endif
