/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kube.h without a cluster: keeps pods in memory, plays their kubelet, and misbehaves as told. A
 * test fills the struct before it starts a thread.
 */
#ifndef TESTS_UNIT_FAKE_KUBE_H
#define TESTS_UNIT_FAKE_KUBE_H

#include "kube/kube.h"

#include <pthread.h>
#include <stddef.h>

/* What becomes of a POST for a free name. */
enum fake_answer {
    FAKE_CREATED,
    FAKE_LOST,      /* created, but the answer is lost */
    FAKE_DROPPED,   /* not created, and the caller cannot know */
    FAKE_FORBIDDEN, /* 403, by PodSecurity */
    FAKE_QUOTA,     /* 403, by a quota */
    FAKE_CONFLICT,  /* 409 though the name is free: a quota's */
    FAKE_CANCELLED, /* the caller is cancelled; the pod comes with the next but one GET */
};

/* One POST: its answer, and the statuses that the pod goes through then; "gone" deletes it. */
struct fake_create {
    enum fake_answer answer;
    const char *statuses[4]; /* JSON; NULL: no more */
};

struct kube {
    pthread_mutex_t lock;
    pthread_cond_t began; /* a watch began */
    size_t watches;
    json_t *pods;   /* by name */
    json_t *nodes;  /* array */
    json_t *events; /* array of {object, deleted} that the watch has yet to give */
    json_t *logs;   /* by "pod/container": the text, null for a 404, or the class of a failure */
    int wake_fd;    /* readable: the watch has something to look at */

    struct fake_create creates[4];
    int list_fails[4];   /* classes that lists fail with, in turn; 0: they do not */
    bool version_is_old; /* the watch ends with CASB_ECONFLICT, once */
    bool stubborn;       /* a deleted pod keeps being deleted */
    bool secretive;      /* a deleted pod goes without an event */
    int delete_fails;    /* class that every DELETE fails with */
    int cancel_fd;       /* written to at FAKE_CANCELLED */

    const char *namespace;
    bool in_cluster;
    const char *denied;                        /* the verb that kube_allowed() says no to */
    size_t posts, gets, deletes, lists, texts; /* how often each was asked for */
    int64_t text_deadline_ns;                  /* of the last log's call */
    int64_t delete_deadline_ns;                /* of the last DELETE's call */
    int late_gets;                             /* GETs until the pod of a FAKE_CANCELLED is there */
    json_t *late_pod;
    char query[256]; /* the last list's labelSelector */
    unsigned uids;
};

/* What kube_open() gives, with this namespace unless the settings name one. */
extern struct kube *fake_kube_to_open;

void fake_kube_init(struct kube *kube);
void fake_kube_free(struct kube *kube);

/* Puts a pod there, as if it had always been; consumes it. */
void fake_kube_add_pod(struct kube *kube, json_t *pod);

/* Waits until that many watches began: what comes then is told by events, not by a list. */
void fake_kube_await_watch(struct kube *kube, size_t count);

/* Gives an event to the watch; NULL status: the pod is deleted. */
void fake_kube_event(struct kube *kube, const char *pod, const char *status);

/* Takes a pod away without telling the watch, which then finds its version too old. */
void fake_kube_lose_pod(struct kube *kube, const char *pod);

#endif
