/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kube.h without a network: objects in memory, with uids, resourceVersions, label selectors, merge
 * patches and preconditions as the API server has them, and failures on request. What cannot work
 * ends the test. Thread-safe.
 */
#ifndef TESTS_UNIT_MEMORY_KUBE_H
#define TESTS_UNIT_MEMORY_KUBE_H

#include "common/kube/kube.h"

/* Requests with this verb and path part fail from now on. */
struct memory_failure {
    enum kube_verb verb;
    const char *path; /* a part of it */
    int times;        /* so many; -1: always */
    int code, http;   /* CASB_ETIMEOUT comes when the call's time is over */
    bool done;        /* the request is done all the same: its answer is lost */
    const char *text; /* of the error; NULL: some */
    int delay_ms;     /* nothing fails: it takes that long */
};

/* An empty cluster with the namespace "ns". Ended by kube_close(). */
struct kube *memory_kube_new(void);

/* What kube_open() gives from now on; a second kube_close() of it is ignored. */
void memory_kube_serve(struct kube *kube);

void memory_kube_fail(struct kube *kube, const struct memory_failure *failure);

/* Puts an object there as somebody else would, from JSON with ' for "; NULL removes it. */
void memory_kube_set(struct kube *kube, const char *path, const char *text);

/* Bodies of more bytes get 413 from now on, as from a proxy; 0: none does. */
void memory_kube_limit(struct kube *kube, size_t bytes);

/* What is created loses that label from now on; NULL: none does. */
void memory_kube_strip(struct kube *kube, const char *label);

/* A copy of the object there, which the caller owns; NULL: none. */
json_t *memory_kube_get(struct kube *kube, const char *path);

/* How many requests came with this verb and path part. */
int memory_kube_count(struct kube *kube, enum kube_verb verb, const char *path);

/* Waits until so many came; ends the test after ten seconds. */
void memory_kube_wait(struct kube *kube, enum kube_verb verb, const char *path, int count);

/* Rights that kube_allowed() does not grant, as "verb resource"; NULL: all are granted. */
void memory_kube_deny(struct kube *kube, const char *right);

#endif
