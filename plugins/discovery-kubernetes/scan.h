/* SPDX-License-Identifier: Apache-2.0 */
/* The scan: every selected node, with its LAS pod where these are looked at. */
#ifndef DISCOVERY_KUBERNETES_SCAN_H
#define DISCOVERY_KUBERNETES_SCAN_H

#include "discovery-kubernetes/discovery.h"

/* The slot casb_discovery_ops.scan. One list of nodes, and before it one of LAS pods. */
int scan_nodes(void *self, const struct casb_call *call, casb_node_fn *each, void *arg,
               struct casb_error *err);

#endif
