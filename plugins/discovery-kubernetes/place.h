/* SPDX-License-Identifier: Apache-2.0 */
/* Where a backup CAS pod runs: the machine under a node's name may be another one by then. */
#ifndef DISCOVERY_KUBERNETES_PLACE_H
#define DISCOVERY_KUBERNETES_PLACE_H

#include "common/kube/kube.h"

#include <cas-backup/discovery.h>

/*
 * Looks at the node anew, for which a pod became Ready on the node called `ran_on`. CASB_EFAILED
 * where that is another one, or the node was replaced under its name. *ret_boot gets its boot ID,
 * where it has one. A list of one, so that no right is needed that a scan does not need.
 * Thread-safe.
 */
int place_check(struct kube *kube, const struct casb_call *call, const struct casb_node *node,
                const char *ran_on, struct casb_identity *ret_boot, struct casb_error *err)
    _warn_unused_;

#endif
