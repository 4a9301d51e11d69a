/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cond.h"

#include "base/clock.h"

int cond_init(pthread_cond_t *cond)
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

void cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t timeout_ns)
{
    int64_t until = clock_now_ns() + timeout_ns;
    struct timespec ts = {.tv_sec = until / CLOCK_S, .tv_nsec = until % CLOCK_S};

    pthread_cond_timedwait(cond, lock, &ts);
}
