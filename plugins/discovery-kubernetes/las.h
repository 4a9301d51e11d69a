/* SPDX-License-Identifier: Apache-2.0 */
/* LAS public keys by node: where they can be read, and their value from the pods' logs. */
#ifndef DISCOVERY_KUBERNETES_LAS_H
#define DISCOVERY_KUBERNETES_LAS_H

#include "common/kube/kube.h"
#include "discovery-kubernetes/laspods.h"

#include <cas-backup/discovery.h>

struct las;

/*
 * For the LAS pods that `selector` selects in `namespace`. `kube` is borrowed, and so are the
 * strings. No connection is made.
 */
int las_new(struct kube *kube, const char *namespace, const char *selector, struct las **ret,
            struct casb_error *err) _warn_unused_;

/* Frees it; NULL is fine. */
void las_free(struct las *las);
DEFINE_FREEP(struct las *, las_free)

/*
 * Lists the LAS pods of all nodes; the one that counts on a node is the Ready one, else the
 * youngest. The caller owns *ret_pods, for las_source(); las_read() goes by the newest.
 * Thread-safe.
 */
int las_list(struct las *las, const struct casb_call *call, struct laspods **ret_pods,
             struct casb_error *err) _warn_unused_;

/*
 * The word that changes whenever a LAS container of the node is started (casb_node.las_source),
 * borrowed from `pods` (may be NULL). NULL: no LAS pod was started there.
 */
const char *las_source(const struct laspods *pods, const char *node);

/*
 * Reads the key from the log of the node's LAS pod: 64 KiB of each container from its beginning,
 * and only where none holds a key up to 1 MiB; all of it in 15 s. Once many pods in a row gave no
 * answer no log is read any more. Where the logs were read and hold none: CASB_EFAILED in the first
 * hour after a container's start, then CASB_ENOTFOUND, as also where no LAS pod is known.
 * Thread-safe.
 */
int las_read(struct las *las, const struct casb_call *call, const char *node,
             struct casb_identity *ret, struct casb_error *err) _warn_unused_;

#endif
