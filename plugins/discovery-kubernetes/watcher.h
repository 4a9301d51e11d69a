/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One watch for all backup CAS pods of an instance: a thread of its own follows them, and each
 * caller that waits for a pod has a waiter. Thread-safe, but for new and free.
 */
#ifndef DISCOVERY_KUBERNETES_WATCHER_H
#define DISCOVERY_KUBERNETES_WATCHER_H

#include "base/error.h"
#include "discovery-kubernetes/judge.h"
#include "common/kube/kube.h"

#include <cas-backup/host.h>

struct watcher;
struct waiter;

/* What is known about a waiter's pod. */
struct pod_news {
    struct pod_verdict verdict;
    bool gone; /* the pod does not exist any more */
};

/*
 * Makes a watcher of the pods that `selector` selects; see pod_judge() for host_ip. No connection
 * is made before watcher_start(). `host` and `kube` are borrowed, strings copied.
 */
int watcher_new(const struct casb_host *host, struct kube *kube, const char *namespace,
                const char *selector, bool host_ip, struct watcher **ret, struct casb_error *err)
    _warn_unused_;

/* Ends the thread and frees the watcher. No waiter may be left. NULL is fine. */
void watcher_free(struct watcher *watcher);
DEFINE_FREEP(struct watcher *, watcher_free)

/* Starts the thread unless it was started. */
int watcher_start(struct watcher *watcher, struct casb_error *err) _warn_unused_;

/*
 * Begins to wait for a pod of this name, before it is created, so that no event is missed. `pod`
 * is a label, and is copied.
 */
int waiter_new(struct watcher *watcher, const char *pod, struct waiter **ret,
               struct casb_error *err) _warn_unused_;

/* Ends the waiting; NULL is fine. */
void waiter_free(struct waiter *waiter);
DEFINE_FREEP(struct waiter *, waiter_free)

/* Says which pod of that name it is, as the API gave it: from now on others are ignored. */
void waiter_adopt(struct waiter *waiter, const json_t *pod);

/* Says what the API has of that pod by now, whatever the watch showed; NULL: nothing. */
void waiter_update(struct waiter *waiter, const json_t *pod);

/* Lets go of the pod that was adopted: its successor under the name is waited for. */
void waiter_reset(struct waiter *waiter);

/*
 * What is known now. An error where the watch has ended for good (permission denied).
 */
int waiter_look(struct waiter *waiter, struct pod_news *ret, struct casb_error *err) _warn_unused_;

/* Why there may be no news: the watch fails at present. Code 0: it does not. */
void waiter_trouble(struct waiter *waiter, struct casb_error *ret);

/*
 * Sleeps until there may be news since the last waiter_look(), or until_ns (CLOCK_MONOTONIC)
 * comes. Returns 0, or CASB_ECANCELLED or CASB_ETIMEOUT as the call says.
 */
int waiter_sleep(struct waiter *waiter, const struct casb_call *call, int64_t until_ns)
    _warn_unused_;

#endif
