/* SPDX-License-Identifier: Apache-2.0 */
/* Which nodes are looked at, as a label selector. Pure and thread-safe. */
#ifndef DISCOVERY_KUBERNETES_SELECTOR_H
#define DISCOVERY_KUBERNETES_SELECTOR_H

#include "base/error.h"

#include <jansson.h>

/*
 * The selector of the setting `selector`, or of `selector_labels`, which a node must all have; both
 * may be NULL, and *ret is NULL where neither says anything. Labels are checked by the rules of
 * Kubernetes ("Labels and Selectors", syntax and character set), for a part of one that goes wrong
 * would select other nodes. The caller frees *ret. CASB_EINVALID names the setting.
 */
int selector_make(const char *selector, const json_t *labels, char **ret, struct casb_error *err)
    _warn_unused_;

#endif
