/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taints and tolerations by Kubernetes' rules
 * (https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/). Arrays are the
 * API's JSON; NULL is an empty one. Pure and thread-safe.
 */
#ifndef DISCOVERY_KUBERNETES_TAINTS_H
#define DISCOVERY_KUBERNETES_TAINTS_H

#include <jansson.h>
#include <stdbool.h>

/* Borrowed strings, never NULL. */
struct taint {
    const char *key, *value, *effect;
};

/* Does one of the tolerations match the taint? */
bool taint_is_tolerated(const struct taint *taint, const json_t *tolerations);

/*
 * The key of the first taint that keeps a pod with these tolerations away (NoSchedule or
 * NoExecute, not tolerated), borrowed from `taints`. NULL: none does.
 */
const char *taint_find_untolerated(const json_t *taints, const json_t *tolerations);

#endif
