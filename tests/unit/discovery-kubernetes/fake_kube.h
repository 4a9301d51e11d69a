/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kube.h without a cluster: keeps pods in memory, plays their kubelet, and misbehaves as told. A
 * test fills the struct before it starts a thread.
 */
#ifndef TESTS_UNIT_FAKE_KUBE_H
#define TESTS_UNIT_FAKE_KUBE_H

#include "common/kube/kube.h"

#include <pthread.h>
#include <stddef.h>

/* What becomes of a POST for a free name. */
enum fake_answer {
    FAKE_CREATED,
    FAKE_LOST,      /* created, but the answer is lost */
    FAKE_DROPPED,   /* not created, and the caller cannot know */
    FAKE_REFUSED,   /* not created: `http`, with `status` */
    FAKE_CANCELLED, /* the caller is cancelled; the pod comes with the next but one GET */
};

/* One POST: its answer, and the statuses that the pod goes through then; "gone" deletes it. */
struct fake_create {
    enum fake_answer answer;
    const char *statuses[4]; /* JSON; NULL: no more */
    int http;
    const char *status; /* members of the Status, JSON; NULL: it is no Status, but a page */
};

/* A FAKE_REFUSED as one of `creates`. */
#define FAKE_REFUSE(code, members)                                                                 \
    ((struct fake_create){.answer = FAKE_REFUSED, .http = (code), .status = (members)})

/* The host of a pass "pass-1" of the instance "cas", whose log goes nowhere. */
extern const struct casb_host fake_host;

struct kube {
    pthread_mutex_t lock;
    pthread_cond_t began; /* a watch began */
    size_t watches;
    json_t *pods;         /* by name */
    json_t *nodes;        /* array */
    json_t *events;       /* array of {object, deleted} that the watch has yet to give */
    json_t *strays;       /* array: nodes that only the label of protected nodes finds */
    json_t *told;         /* array: the Events that were made */
    json_t *marked;       /* array: the patches of nodes, with their paths */
    bool refuses_default; /* as before Kubernetes 1.21: Events in that namespace */
    size_t refused;       /* how many were */
    int tell_fails;       /* class that both fail with */
    json_t *logs; /* by "pod/container": the text, null for a 404, or the class of a failure */
    int wake_fd;  /* readable: the watch has something to look at */

    struct fake_create creates[4];
    int list_fails[4];    /* classes that lists fail with, in turn; 0: they do not */
    bool version_is_old;  /* the watch ends with CASB_ECONFLICT, once */
    bool stubborn;        /* a deleted pod keeps being deleted */
    bool secretive;       /* a deleted pod goes without an event */
    const char *bound_to; /* the node that new pods go to; NULL: the one that they are meant for */
    const char *unseen;   /* the status that a new pod gets without an event; NULL: none */
    const char *stripped; /* label that admission takes from a new pod; NULL: none */
    const char *renamed;  /* the name that admission gives to a new pod; NULL: its own */
    int delete_fails;     /* class that every DELETE fails with */
    int cancel_fd;        /* written to at FAKE_CANCELLED */

    const char *namespace;
    bool in_cluster;
    const char *denied; /* the verb that kube_allowed() says no to */
    bool confined;      /* kube_allowed() says no to the pods of all namespaces */
    size_t posts, gets, deletes, lists, texts; /* how often each was asked for */
    int64_t text_deadline_ns;                  /* of the last log's call */
    int64_t delete_deadline_ns;                /* of the last DELETE's call */
    int late_gets; /* GETs until the pod of a FAKE_CANCELLED is there; 0: 2 */
    json_t *late_pod;
    char query[256], query_before[256]; /* labelSelectors of the last list, and the one before */
    unsigned uids;
};

/* What kube_open() gives, with this namespace unless the settings name one. */
extern struct kube *fake_kube_to_open;

void fake_kube_init(struct kube *kube);
void fake_kube_free(struct kube *kube);

/* Puts a pod there, as if it had always been; consumes it. */
void fake_kube_add_pod(struct kube *kube, json_t *pod);

/* Has a finalizer more hold the pod, and so tells no watch of it. */
void fake_kube_hold_pod(struct kube *kube, const char *pod, const char *finalizer);

/* Waits until that many watches began: what comes then is told by events, not by a list. */
void fake_kube_await_watch(struct kube *kube, size_t count);

/* Gives an event to the watch; NULL status: the pod is deleted. */
void fake_kube_event(struct kube *kube, const char *pod, const char *status);

/* Takes a pod away without telling the watch, which then finds its version too old. */
void fake_kube_lose_pod(struct kube *kube, const char *pod);

#endif
