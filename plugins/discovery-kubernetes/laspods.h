/* SPDX-License-Identifier: Apache-2.0 */
/* Which LAS pod is a node's, and when what its log shows can have changed. */
#ifndef DISCOVERY_KUBERNETES_LASPODS_H
#define DISCOVERY_KUBERNETES_LASPODS_H

#include "base/cleanup.h"

#include <jansson.h>

/* What is kept of a pod, in one block. */
struct laspod {
    const char *node, *pod; /* their names */
    const char *created;
    const char *started;    /* when a container was last; NULL: none was */
    const char *source;     /* as in casb_node.las_source; NULL with `started` */
    const char *containers; /* their names, each with its terminator; an empty one is the end */
    int rank;               /* which of a node's pods counts: the higher one */
    char text[];            /* the strings */
};

/* The pods by their nodes. It never changes once it is shared. */
struct laspods;

/* An empty table with one reference; NULL: no memory. */
struct laspods *laspods_new(void) _warn_unused_;

/* Has one more reference; NULL is fine. Thread-safe. */
struct laspods *laspods_ref(struct laspods *pods);

/* Gives a reference back; the last one frees it. NULL is fine. Thread-safe. */
void laspods_unref(struct laspods *pods);
DEFINE_FREEP(struct laspods *, laspods_unref)

/*
 * A kube_item_fn: enters the pod in the table `arg`, unless another pod of its node counts for
 * more: one that is Ready before one that is not, and the younger of two. Returns 0 or CASB_ENOMEM.
 */
int laspods_add(const json_t *pod, void *arg);

/* The node's, borrowed from the table (may be NULL); NULL: there is none. Thread-safe. */
const struct laspod *laspods_find(const struct laspods *pods, const char *node);

#endif
