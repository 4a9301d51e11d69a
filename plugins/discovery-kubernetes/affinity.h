/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which nodes a pod may go to by its nodeSelector and required node affinity, by Kubernetes' rules
 * (https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/ and
 * k8s.io/component-helpers, nodeaffinity): labels of the selector all match; terms are
 * alternatives, of whose requirements all must hold. Pure and thread-safe.
 */
#ifndef DISCOVERY_KUBERNETES_AFFINITY_H
#define DISCOVERY_KUBERNETES_AFFINITY_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>

/* Where a pod has the terms of its required node affinity, as jsonx_array() wants it. */
#define AFFINITY_TERMS                                                                             \
    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"

/*
 * May a pod with that nodeSelector and those nodeSelectorTerms (each as the API has them; NULL or
 * empty: not given) go to the node? What the API would refuse, such as an unknown operator, keeps
 * it from nowhere: then the API says what is wrong when the pod is made.
 */
bool affinity_allows(const json_t *selector, const json_t *terms, const json_t *node);

/*
 * The nodeSelectorTerms that hold a pod to the node of that name, and within that to what `terms`
 * (may be NULL) say. The caller owns *ret.
 */
int affinity_pin(const json_t *terms, const char *node, json_t **ret, struct casb_error *err)
    _warn_unused_;

#endif
