/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/pool.h"

#include "base/clock.h"
#include "base/cond.h"

/* How often a thread that waits for a place looks whether its call was cancelled. */
#define LIMIT_LOOK_NS (100 * CLOCK_MS)

struct queue {
    struct pool_job *head, **tail;
};

struct pool {
    pool_fn *run;
    void *arg;
    size_t most;          /* threads */
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    struct queue first, last;
    size_t queued, idle;
    bool ending; /* from then on no thread starts */
    size_t count;
    pthread_t threads[];
};

static void push(struct queue *queue, struct pool_job *job)
{
    job->next = NULL;
    *queue->tail = job;
    queue->tail = &job->next;
}

static struct pool_job *pop(struct queue *queue)
{
    struct pool_job *job = queue->head;

    queue->head = job->next;
    if (!queue->head)
        queue->tail = &queue->head;
    return job;
}

/* With the lock held: waits for the next job; NULL: there is no further one. */
static struct pool_job *next(struct pool *pool)
{
    pool->idle++;
    while (pool->queued == 0 && !pool->ending)
        pthread_cond_wait(&pool->changed, &pool->lock);
    pool->idle--;
    if (pool->queued == 0)
        return NULL;
    pool->queued--;
    return pop(pool->first.head ? &pool->first : &pool->last);
}

static void *work(void *arg)
{
    struct pool *pool = arg;
    struct pool_job *job;

    pthread_mutex_lock(&pool->lock);
    while ((job = next(pool))) {
        pthread_mutex_unlock(&pool->lock);
        pool->run(job, pool->arg);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static int start(struct pool *pool)
{
    int r = pthread_create(&pool->threads[pool->count], NULL, work, pool);

    pool->count += r == 0;
    return r;
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
    pool->most = workers;
    r = start(pool);
    if (r)
        return err_set_errno(err, r, "start a worker");
    *ret = TAKE_PTR(pool);
    return 0;
}

void pool_submit(struct pool *pool, struct pool_job *job, bool first)
{
    pthread_mutex_lock(&pool->lock);
    push(first ? &pool->first : &pool->last, job);
    /* where no further one can be started, those that are there do it all */
    if (++pool->queued > pool->idle && !pool->ending && pool->count < pool->most)
        (void)!start(pool);
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
    int r = cond_init(&limit->freed);

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
        cond_wait(&limit->freed, &limit->lock, LIMIT_LOOK_NS);
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
