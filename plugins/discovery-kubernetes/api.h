/* SPDX-License-Identifier: Apache-2.0 */
/* The calls to the Kubernetes API about one pod. Thread-safe. */
#ifndef DISCOVERY_KUBERNETES_API_H
#define DISCOVERY_KUBERNETES_API_H

#include "common/kube/kube.h"

/*
 * The encoded path of the pods in a namespace, of one of them, or of its subresource ("log").
 * `pod` and `sub` may be NULL. The caller frees *ret. Returns 0 or CASB_ENOMEM.
 */
int api_pods_path(const char *namespace, const char *pod, const char *sub, char **ret,
                  struct casb_error *err) _warn_unused_;

/* POST of a pod. As kube_request(), with the Status of an answer that refuses. */
int api_pod_create(struct kube *kube, const struct casb_call *call, const char *namespace,
                   const json_t *manifest, json_t **ret, json_t **ret_status, bool *ret_unknown,
                   struct casb_error *err) _warn_unused_;

/* GET of a pod, which the caller frees. *ret is NULL where there is none: a success. */
int api_pod_get(struct kube *kube, const struct casb_call *call, const char *namespace,
                const char *pod, json_t **ret, struct casb_error *err) _warn_unused_;

/*
 * DELETE of the pod with this uid. None there, or another one under its name, is a success. Does
 * not wait until it is gone.
 */
int api_pod_delete(struct kube *kube, const struct casb_call *call, const char *namespace,
                   const char *pod, const char *uid, struct casb_error *err) _warn_unused_;

#endif
