/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts API calls as the audit log names them, verb and resource, and connections. Thread-safe.
 */
#ifndef KUBE_CALLS_H
#define KUBE_CALLS_H

#include "base/cleanup.h"

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>

#define CALLS_NAME_BYTES 80

struct calls {
    pthread_mutex_t lock; /* guards counts */
    json_t *counts;       /* name -> number */
};

/* Returns 0 or CASB_ENOMEM. */
int calls_init(struct calls *calls) _warn_unused_;

/*
 * Writes "list nodes", "get pods/log", "create leases" for a method and an encoded path (of the
 * form that "API concepts" of the Kubernetes documentation gives). Returns out.
 */
char *calls_name(char out[static CALLS_NAME_BYTES], const char *method, const char *path,
                 bool watch);

/* So many more of that name. Where memory is short they are not counted. */
void calls_add(struct calls *calls, const char *name, long count);

/* All counts as one line of JSON, which the caller frees; NULL where memory is short. */
char *calls_dump(struct calls *calls) _warn_unused_;

/* Frees what is in it. */
void calls_free(struct calls *calls);

#endif
