/* SPDX-License-Identifier: Apache-2.0 */
/* Has the API make a backup CAS pod under its name, which a leftover may have. */
#ifndef DISCOVERY_KUBERNETES_CREATE_H
#define DISCOVERY_KUBERNETES_CREATE_H

#include "discovery-kubernetes/discovery.h"

/* A pod that is being made. Borrowed. */
struct creation {
    struct discovery *discovery;
    const struct casb_call *caller; /* who asked for it */
    struct casb_call call;          /* the same, but ends with ready_timeout at the latest */
    const char *node, *node_uid, *pod;
    struct waiter *waiter; /* gets the pod that was made */
};

/*
 * Creates the pod, and notes it in the ledger. One that an earlier pass left under the name is
 * removed first; one of somebody else is CASB_ECONFLICT. What may pass, as a quota without room or
 * a webhook that fails, is tried again until the call is over; then, as in all other cases, the
 * error is what the API said. What holds for the pods of all nodes is returned by later creations
 * of the pass without asking.
 */
int create_pod(const struct creation *creation, const json_t *manifest, struct casb_error *err)
    _warn_unused_;

/*
 * Deletes the pod with this uid, which the waiter has, and waits until the name is free or the call
 * is over; a pod that is held by its finalizers is waited for a while only.
 */
int create_room(const struct creation *creation, const char *uid, struct casb_error *err)
    _warn_unused_;

#endif
