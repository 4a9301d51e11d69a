/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events on the nodes, which `kubectl describe node` shows (Kubernetes API reference, "Event
 * v1 events.k8s.io"). Thread-safe.
 */
#ifndef DISCOVERY_KUBERNETES_EVENTS_H
#define DISCOVERY_KUBERNETES_EVENTS_H

#include "common/kube/kube.h"

#include <cas-backup/discovery.h>

#define EVENTS_MAX        25 /* a pass; of the rest there is one summary */
#define EVENTS_NOTE_BYTES 1024
#define EVENTS_GROUP      "events.k8s.io"
#define EVENTS_NAMESPACE  "default"     /* where those of nodes are */
#define EVENTS_BEFORE     "kube-system" /* where the API server wants them before Kubernetes 1.21 */

struct events;

/* Makes them. `namespace` is the one that the summary is about. All is borrowed until
 * events_free(). */
int events_new(const struct casb_host *host, struct kube *kube, const char *namespace,
               struct events **ret, struct casb_error *err) _warn_unused_;

/* Frees them; NULL is fine. */
void events_free(struct events *events);
DEFINE_FREEP(struct events *, events_free)

/*
 * Makes the Event of what became of a node, or counts it for the summary. Takes at most 10 s. After
 * a failure that others would share none is made any more, which that failure's error says.
 */
int events_tell(struct events *events, const struct casb_call *call, const struct casb_news *news,
                struct casb_error *err) _warn_unused_;

/* Makes the summary, where there is anything in it. */
int events_end(struct events *events, const struct casb_call *call, struct casb_error *err)
    _warn_unused_;

#endif
