/* SPDX-License-Identifier: Apache-2.0 */
/* A Node object of the API as the host sees it. Pure and thread-safe. */
#ifndef DISCOVERY_KUBERNETES_NODES_H
#define DISCOVERY_KUBERNETES_NODES_H

#include "base/error.h"

#include <cas-backup/discovery.h>

#include <jansson.h>

/* A taint's key has a prefix of at most 253 characters and a name of at most 63. */
#define NODE_BLOCKED_BYTES 384

/* What the backup CAS pods need of a node. Borrowed. */
struct node_needs {
    const json_t *tolerations; /* of the pod: an array, or NULL */
    const json_t *resources;   /* as pod_resources() gives them, or NULL: none */
    const json_t *selector;    /* of the pod: its nodeSelector, or NULL */
    const json_t *terms;       /* of the required node affinity that the user gave it, or NULL */
};

/*
 * Fills *ret from `object`: uid, name, boot ID, control plane, that the pod's selector or terms
 * exclude it (pod-node-selector), and in `blocked` why the node cannot take a pod now: the first
 * of unschedulable, not-ready, untolerated-taint (KEY), no-sgx-resource. The strings are borrowed
 * from `object` and `blocked`; machine.las stays unknown and las_source NULL. *ret_odd: its boot
 * ID is none, and left out. CASB_EINVALID where its name or uid is none.
 */
int node_read(const json_t *object, const struct node_needs *needs,
              char blocked[static NODE_BLOCKED_BYTES], struct casb_node *ret, bool *ret_odd,
              struct casb_error *err) _warn_unused_;

#endif
