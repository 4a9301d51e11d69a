/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors of the Kubernetes API. Pure. */
#ifndef SANDBOX_KUBE_SELECT_H
#define SANDBOX_KUBE_SELECT_H

#include <jansson.h>

/*
 * Does the object match a label selector (=, ==, !=, in, notin, KEY, !KEY, joined by commas)? NULL
 * and "" match all. 1, 0, or -1 where the selector is not valid.
 */
int select_labels(const char *selector, const json_t *object);

/* The same for a field selector (metadata.name, metadata.namespace, spec.nodeName, status.phase).
 */
int select_fields(const char *selector, const json_t *object);

#endif
