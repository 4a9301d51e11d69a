/* SPDX-License-Identifier: Apache-2.0 */
/* A pool of threads that work off jobs, and a limit on how many do one thing at a time. */
#ifndef CAS_BACKUP_POOL_H
#define CAS_BACKUP_POOL_H

#include "base/error.h"

#include <cas-backup/host.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct pool;

/* The part of a job that the pool needs: embed it. The pool never allocates for a job. */
struct pool_job {
    struct pool_job *next;
};

/* Works on one job, in one of the pool's threads. The job may submit itself again, or be freed. */
typedef void pool_fn(struct pool_job *job, void *arg);

/*
 * Makes a pool of at most `workers` threads, which start as there is work for them: only the first
 * is certain to be there. The caller ends them by pool_free().
 */
int pool_new(size_t workers, pool_fn *run, void *arg, struct pool **ret, struct casb_error *err)
    _warn_unused_;

/*
 * Queues a job; `first` puts it before those that wait (and behind earlier ones of the kind).
 * From any thread.
 */
void pool_submit(struct pool *pool, struct pool_job *job, bool first);

/* Waits until the queue is empty, ends the threads and frees the pool. NULL is fine. */
void pool_free(struct pool *pool);
DEFINE_FREEP(struct pool *, pool_free)

/* At most so many at a time. */
struct limit {
    pthread_mutex_t lock; /* guards `free` */
    pthread_cond_t freed;
    size_t free;
};

/* Makes a limit; it needs limit_done(). */
int limit_init(struct limit *limit, size_t count, struct casb_error *err) _warn_unused_;

/* Waits for a place as long as the call allows. Returns 0, CASB_ECANCELLED or CASB_ETIMEOUT. */
int limit_enter(struct limit *limit, const struct casb_call *call) _warn_unused_;

/* Gives the place back. */
void limit_leave(struct limit *limit);

/* Frees what limit_init() made. */
void limit_done(struct limit *limit);

#endif
