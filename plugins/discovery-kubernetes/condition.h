/* SPDX-License-Identifier: Apache-2.0 */
/* The conditions in the status of nodes and pods. Pure and thread-safe. */
#ifndef DISCOVERY_KUBERNETES_CONDITION_H
#define DISCOVERY_KUBERNETES_CONDITION_H

#include <jansson.h>
#include <stdbool.h>

/* The condition of that type in the object's status, borrowed; NULL: there is none. */
const json_t *condition_find(const json_t *object, const char *type);

/* Is its status exactly "True"? "False", "Unknown" and an absent one are not. */
bool condition_is_true(const json_t *object, const char *type);

#endif
