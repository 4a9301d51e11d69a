/* SPDX-License-Identifier: Apache-2.0 */
/* What it means that the API did not create a pod. Pure and thread-safe. */
#ifndef DISCOVERY_KUBERNETES_REFUSAL_H
#define DISCOVERY_KUBERNETES_REFUSAL_H

#include "base/error.h"

#include <jansson.h>

enum refusal {
    REFUSAL_FINAL,   /* the same request would get the same answer */
    REFUSAL_FOR_ALL, /* and so would the pods of all other nodes */
    REFUSAL_BRIEF,   /* may pass soon, or never */
    REFUSAL_PASSING, /* will pass, as when room becomes free */
    REFUSAL_UNSURE,  /* the pod may have been created, or its name is taken: look */
};

/*
 * Judges a failed POST of a pod: the failure, the Status of the answer (NULL: it had none), and
 * whether it may have been done all the same. The API names most causes by its message alone; they
 * are those of k8s.io/apiserver (namespace lifecycle), of Kubernetes' admission plugins
 * (ResourceQuota, ServiceAccount) and of pod-security-admission.
 */
enum refusal refusal_judge(const struct casb_error *failure, const json_t *status, bool unknown);

#endif
