/* SPDX-License-Identifier: Apache-2.0 */
/* What to do about a node that can take no pod. */
#ifndef DISCOVERY_KUBERNETES_UNBLOCK_H
#define DISCOVERY_KUBERNETES_UNBLOCK_H

#include <cas-backup/discovery.h>

/* The slot of that name; `self` is not used. Thread-safe. */
void unblock_node(void *self, const struct casb_node *node, char *ret, size_t size);

#endif
