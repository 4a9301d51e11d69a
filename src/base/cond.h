/* SPDX-License-Identifier: Apache-2.0 */
/* Condition variables that wait by CLOCK_MONOTONIC, so that a changed wall clock delays nothing. */
#ifndef BASE_COND_H
#define BASE_COND_H

#include "base/cleanup.h"

#include <pthread.h>
#include <stdint.h>

/* Makes one, which pthread_cond_destroy() frees. Returns 0 or an errno. */
int cond_init(pthread_cond_t *cond) _warn_unused_;

/*
 * Waits on one of cond_init()'s for at most timeout_ns, with `lock` held; it may come back earlier
 * without a reason.
 */
void cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t timeout_ns);

#endif
