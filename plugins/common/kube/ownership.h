/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose an object in the cluster is. Labels of our own decide, since admission policies and GitOps
 * tools overwrite the well-known ones (app.kubernetes.io/...), which are set for people. The
 * version before had those alone. Pure and thread-safe.
 */
#ifndef KUBE_OWNERSHIP_H
#define KUBE_OWNERSHIP_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>

#define OWNERSHIP_SELECTOR_BYTES 320
#define OWNERSHIP_PREFIX         "cas-backup/" /* of our own labels and annotations */

/* All labels of an object of `instance`; the caller owns *ret. `component` is its kind of thing. */
int ownership_labels(const char *instance, const char *component, json_t **ret,
                     struct casb_error *err) _warn_unused_;

/* The label selector of what ownership_labels() marked. Returns out. */
char *ownership_selector(char out[static OWNERSHIP_SELECTOR_BYTES], const char *instance,
                         const char *component);

/* The selector of what only the version before marked. Returns out. */
char *ownership_selector_before(char out[static OWNERSHIP_SELECTOR_BYTES], const char *instance,
                                const char *component);

/* Is the object of that instance and kind, by its labels of now or of the version before? */
bool ownership_is(const json_t *object, const char *instance, const char *component);

/*
 * The label or annotation of our own that the object lacks as the API made it, or has with another
 * value than it was sent, borrowed: admission changed it. NULL: none.
 */
const char *ownership_find_lost(const json_t *sent, const json_t *made);

#endif
