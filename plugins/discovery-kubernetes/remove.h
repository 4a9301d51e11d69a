/* SPDX-License-Identifier: Apache-2.0 */
/* Removes backup CAS pods: one node's, or all of the instance. Only the instance's are touched. */
#ifndef DISCOVERY_KUBERNETES_REMOVE_H
#define DISCOVERY_KUBERNETES_REMOVE_H

#include "discovery-kubernetes/discovery.h"

/*
 * Deletes the pod that this pass made for the node, also one whose creation was cut off before the
 * API answered: CASB_ETIMEOUT where that does not appear, since it still may. None that was made is
 * a success. Thread-safe for different nodes.
 */
int remove_pod(struct discovery *discovery, const struct casb_call *call, const char *node,
               struct casb_error *err) _warn_unused_;

/*
 * Deletes all pods of the instance that are not being deleted already; *ret_removed counts them.
 * With `until_gone` it goes on after a failure, returns the first, and waits for them, some seconds
 * longer than their grace: those that stay are CASB_EFAILED, each with what holds it. Without, one
 * that cannot be deleted, or should long be gone, is warned about.
 */
int remove_all(struct discovery *discovery, const struct casb_call *call, bool until_gone,
               size_t *ret_removed, struct casb_error *err) _warn_unused_;

#endif
