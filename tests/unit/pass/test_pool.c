/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/clock.h"
#include "pass/pool.h"

#include <dirent.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

struct job {
    struct pool_job pool;
    int number;
};

struct shared {
    struct pool *pool;
    atomic_int done;
    pthread_mutex_t lock; /* guards `order` */
    int order[16];
    struct limit limit;
    int inside, most_inside;
};

static void note_order(struct pool_job *pool_job, void *arg)
{
    struct shared *shared = arg;

    pthread_mutex_lock(&shared->lock);
    shared->order[shared->done++] = ((struct job *)pool_job)->number;
    pthread_mutex_unlock(&shared->lock);
}

static void jobs_put_first_come_first(void **state)
{
    struct shared shared = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct job jobs[4] = {{.number = 0}, {.number = 1}, {.number = 2}, {.number = 3}};
    static const int want[] = {2, 3, 0, 1};
    struct pool *pool;

    (void)state;
    pthread_mutex_lock(&shared.lock); /* holds the only worker until all are queued */
    assert_int_equal(pool_new(1, note_order, &shared, &pool, NULL), 0);
    {
        struct job held = {.number = 9};

        pool_submit(pool, &held.pool, false);
        pool_submit(pool, &jobs[0].pool, false);
        pool_submit(pool, &jobs[1].pool, false);
        pool_submit(pool, &jobs[2].pool, true);
        pool_submit(pool, &jobs[3].pool, true);
        pthread_mutex_unlock(&shared.lock);
        pool_free(pool);
    }
    assert_int_equal(shared.done, 5);
    for (size_t i = 0, n = 0; i < 5; i++)
        if (shared.order[i] != 9)
            assert_int_equal(shared.order[i], want[n++]);
}

static int count_threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    int n = -2; /* . and .. */

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static void threads_start_as_there_is_work(void **state)
{
    struct shared shared = {.lock = PTHREAD_MUTEX_INITIALIZER};
    const int before = count_threads();
    struct job jobs[6] = {0};
    struct pool *pool;

    (void)state;
    assert_int_equal(pool_new(4, note_order, &shared, &pool, NULL), 0);
    assert_int_equal(count_threads(), before + 1);
    pthread_mutex_lock(&shared.lock); /* holds the workers */
    for (size_t i = 0; i < ELEMENTS(jobs); i++)
        pool_submit(pool, &jobs[i].pool, false);
    assert_int_equal(count_threads(), before + 4);
    pthread_mutex_unlock(&shared.lock);
    pool_free(pool);
    assert_int_equal(shared.done, ELEMENTS(jobs));
}

static void go_round(struct pool_job *pool_job, void *arg)
{
    struct shared *shared = arg;

    if (++((struct job *)pool_job)->number < 100)
        pool_submit(shared->pool, pool_job, false);
    else
        shared->done++;
}

static void a_job_may_submit_itself_again(void **state)
{
    struct shared shared = {0};
    struct job jobs[8] = {0};

    (void)state;
    assert_int_equal(pool_new(3, go_round, &shared, &shared.pool, NULL), 0);
    for (size_t i = 0; i < 8; i++)
        pool_submit(shared.pool, &jobs[i].pool, false);
    while (shared.done < 8)
        sched_yield();
    pool_free(shared.pool);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(jobs[i].number, 100);
}

static void enter_and_leave(struct pool_job *pool_job, void *arg)
{
    struct casb_call call = {.deadline_ns = clock_now_ns() + 60 * CLOCK_S, .cancel_fd = -1};
    struct shared *shared = arg;

    (void)pool_job;
    if (limit_enter(&shared->limit, &call))
        return;
    pthread_mutex_lock(&shared->lock);
    if (++shared->inside > shared->most_inside)
        shared->most_inside = shared->inside;
    pthread_mutex_unlock(&shared->lock);
    sched_yield();
    pthread_mutex_lock(&shared->lock);
    shared->inside--;
    shared->done++;
    pthread_mutex_unlock(&shared->lock);
    limit_leave(&shared->limit);
}

static void a_limit_holds_and_lets_everybody_through(void **state)
{
    struct shared shared = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct job jobs[64] = {0};

    (void)state;
    assert_int_equal(limit_init(&shared.limit, 2, NULL), 0);
    assert_int_equal(pool_new(8, enter_and_leave, &shared, &shared.pool, NULL), 0);
    for (size_t i = 0; i < 64; i++)
        pool_submit(shared.pool, &jobs[i].pool, false);
    pool_free(shared.pool);
    assert_int_equal(shared.done, 64);
    assert_in_range(shared.most_inside, 1, 2);
    limit_done(&shared.limit);
}

static void waiting_for_a_place_ends_with_the_call(void **state)
{
    struct casb_call call = {.deadline_ns = clock_now_ns() + 60 * CLOCK_S,
                             .cancel_fd = eventfd(1, EFD_CLOEXEC)};
    struct limit limit;

    (void)state;
    assert_int_equal(limit_init(&limit, 1, NULL), 0);
    assert_int_equal(limit_enter(&limit, &(struct casb_call){call.deadline_ns, -1}), 0);
    assert_int_equal(limit_enter(&limit, &call), CASB_ECANCELLED);
    close(call.cancel_fd);
    call = (struct casb_call){clock_now_ns() + CLOCK_MS, -1};
    assert_int_equal(limit_enter(&limit, &call), CASB_ETIMEOUT);
    limit_leave(&limit);
    call.deadline_ns = clock_now_ns() + 60 * CLOCK_S;
    assert_int_equal(limit_enter(&limit, &call), 0);
    limit_done(&limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_put_first_come_first),
        cmocka_unit_test(threads_start_as_there_is_work),
        cmocka_unit_test(a_job_may_submit_itself_again),
        cmocka_unit_test(a_limit_holds_and_lets_everybody_through),
        cmocka_unit_test(waiting_for_a_place_ends_with_the_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
