/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include "base/clock.h"

#include <errno.h>

/* How often a thread that waits for a place looks whether its call was cancelled. */
#define LIMIT_LOOK_NS (100 * CLOCK_MS)

struct queue {
    struct pool_job *head, **tail;
};

struct pool {
    pthread_mutex_t lock; /* guards the queues and `ending` */
    pthread_cond_t changed;
    struct queue first, last;
    bool ending;
    pool_fn *run;
    void *arg;
    size_t count;
    pthread_t threads[];
};

int worker_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    int r = pthread_condattr_init(&attr);

    if (r)
        return r;
    r = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    if (!r)
        r = pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
    return r;
}

void worker_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t timeout_ns)
{
    int64_t until = clock_now_ns() + timeout_ns;
    struct timespec ts = {.tv_sec = until / CLOCK_S, .tv_nsec = until % CLOCK_S};

    pthread_cond_timedwait(cond, lock, &ts);
}

static void push(struct queue *queue, struct pool_job *job)
{
    job->next = NULL;
    *queue->tail = job;
    queue->tail = &job->next;
}

static struct pool_job *pop(struct queue *queue)
{
    struct pool_job *job = queue->head;

    if (!job)
        return NULL;
    queue->head = job->next;
    if (!queue->head)
        queue->tail = &queue->head;
    return job;
}

static void *work(void *arg)
{
    struct pool *pool = arg;
    struct pool_job *job;

    pthread_mutex_lock(&pool->lock);
    for (;;) {
        job = pop(&pool->first);
        if (!job)
            job = pop(&pool->last);
        if (job) {
            pthread_mutex_unlock(&pool->lock);
            pool->run(job, pool->arg);
            pthread_mutex_lock(&pool->lock);
        } else if (pool->ending) {
            break;
        } else {
            pthread_cond_wait(&pool->changed, &pool->lock);
        }
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

int pool_new(size_t workers, pool_fn *run, void *arg, struct pool **ret, struct casb_error *err)
{
    _cleanup_(pool_freep) struct pool *pool =
        calloc(1, sizeof *pool + workers * sizeof pool->threads[0]);
    int r;

    if (!pool)
        return err_nomem(err);
    pool->run = run;
    pool->arg = arg;
    pool->first.tail = &pool->first.head;
    pool->last.tail = &pool->last.head;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->changed, NULL);
    for (; pool->count < workers; pool->count++) {
        r = pthread_create(&pool->threads[pool->count], NULL, work, pool);
        if (r)
            return err_set_errno(err, r, "start a worker");
    }
    *ret = TAKE_PTR(pool);
    return 0;
}

void pool_submit(struct pool *pool, struct pool_job *job, bool first)
{
    pthread_mutex_lock(&pool->lock);
    push(first ? &pool->first : &pool->last, job);
    pthread_cond_signal(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->ending = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    while (pool->count > 0)
        pthread_join(pool->threads[--pool->count], NULL);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

int limit_init(struct limit *limit, size_t count, struct casb_error *err)
{
    int r = worker_cond_init(&limit->freed);

    if (r)
        return err_set_errno(err, r, "make a condition variable");
    pthread_mutex_init(&limit->lock, NULL);
    limit->free = count;
    return 0;
}

int limit_enter(struct limit *limit, const struct casb_call *call)
{
    int r = 0;

    pthread_mutex_lock(&limit->lock);
    while (limit->free == 0 && (r = clock_check(call)) == 0)
        worker_cond_wait(&limit->freed, &limit->lock, LIMIT_LOOK_NS);
    if (r == 0)
        limit->free--;
    pthread_mutex_unlock(&limit->lock);
    return r;
}

void limit_leave(struct limit *limit)
{
    pthread_mutex_lock(&limit->lock);
    limit->free++;
    pthread_cond_signal(&limit->freed);
    pthread_mutex_unlock(&limit->lock);
}

void limit_done(struct limit *limit)
{
    pthread_cond_destroy(&limit->freed);
    pthread_mutex_destroy(&limit->lock);
}
