/* SPDX-License-Identifier: Apache-2.0 */
/* Creates a backup CAS pod and waits for it. */
#ifndef DISCOVERY_KUBERNETES_SPAWN_H
#define DISCOVERY_KUBERNETES_SPAWN_H

#include "discovery-kubernetes/discovery.h"

/*
 * Creates the pod for `node` (create_pod()) and waits until it is Ready. A pod that cannot become
 * Ready is CASB_EFAILED, with the reason, as soon as it is known; CASB_ETIMEOUT names the last
 * state. Where the kubelet did not find the device a second pod is tried, once. Thread-safe for
 * different nodes.
 */
int spawn_pod(struct discovery *discovery, const struct casb_call *call,
              const struct casb_node *node, struct casb_backup *ret_backup, struct casb_error *err)
    _warn_unused_;

#endif
