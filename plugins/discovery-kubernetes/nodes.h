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
};

/*
 * Fills *ret from `object`: uid, name, boot ID, control plane, and in `blocked` why the node
 * cannot take a pod now: the first of unschedulable, not-ready, untolerated-taint (KEY),
 * no-sgx-resource. The strings are borrowed from `object` and `blocked`; las_key and las_source
 * stay NULL. CASB_EINVALID where it has no name or uid.
 */
int node_read(const json_t *object, const struct node_needs *needs,
              char blocked[static NODE_BLOCKED_BYTES], struct casb_node *ret,
              struct casb_error *err) _warn_unused_;

#endif
