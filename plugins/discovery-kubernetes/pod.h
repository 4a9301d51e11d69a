/* SPDX-License-Identifier: Apache-2.0 */
/* The backup CAS pod: its manifest, and which pods are ours. Pure and thread-safe. */
#ifndef DISCOVERY_KUBERNETES_POD_H
#define DISCOVERY_KUBERNETES_POD_H

#include "base/error.h"
#include "base/label.h"
#include "common/kube/ownership.h"

#include <jansson.h>
#include <stdint.h>

#define POD_SELECTOR_BYTES OWNERSHIP_SELECTOR_BYTES

/* What is the same for all pods of a pass. Borrowed. */
struct pod_plan {
    const char *instance;
    const char *holder;
    const char *namespace;
    const char *owner_name, *owner_uid; /* the pass's own pod in that namespace, or NULL */
    const char *image;
    const char *resource;    /* extended resource for SGX */
    int64_t quantity;        /* of it; 0: none is asked for */
    const char *las;         /* LAS address for the CAS; "node": the node's own */
    bool host_port;          /* the CAS is reached at the node's address */
    uint16_t client_port;    /* where the CAS listens: its client API */
    uint16_t enclave_port;   /* and enclaves */
    int64_t deadline_s;      /* the kubelet ends the pod by itself after so long */
    const json_t *pod;       /* RFC 7386 patch over the generated pod, or NULL */
    const json_t *container; /* the same over its container, or NULL */
};

/* The pod's name for a node: the same for the same node, and no other node's. Returns out. */
char *pod_name(char out[static LABEL_BYTES], const char *instance, const char *node);

/*
 * Makes what the manifests of all nodes begin as: what is generated, and the user's patches over
 * it. The caller owns *ret.
 */
int pod_template(const struct pod_plan *plan, json_t **ret, struct casb_error *err) _warn_unused_;

/*
 * Makes the manifest of the pod for `node`, whose uid is `node_uid`, from the plan's template: over
 * it goes what the tool relies on (name, labels, node affinity that narrows theirs). The caller
 * owns *ret, and changes nothing in it: all pods share what is the same in all.
 */
int pod_build(const struct pod_plan *plan, json_t *template, const char *node, const char *node_uid,
              json_t **ret, struct casb_error *err) _warn_unused_;

/*
 * The extended resources that the pod's containers ask for together: {name: number}. These are
 * devices, such as sgx.intel.com/enclave, and not what Kubernetes itself counts ("cpu"). A quantity
 * that is none is left to the API to refuse. The caller owns *ret. Returns 0 or CASB_ENOMEM.
 */
int pod_resources(const json_t *pod, json_t **ret, struct casb_error *err) _warn_unused_;

/* The image of the backup CAS in a pod as it was made; NULL: none. Borrowed. */
const char *pod_image(const json_t *pod);

/* The label selector of all pods of an instance. Returns out. */
char *pod_selector(char out[static POD_SELECTOR_BYTES], const char *instance);

/* The selector of those that only the version before can have made. Returns out. */
char *pod_selector_before(char out[static POD_SELECTOR_BYTES], const char *instance);

/* Does the pod carry the labels of this instance, of now or of the version before? */
bool pod_is_ours(const json_t *pod, const char *instance);

#define POD_HELD_BYTES 160

/*
 * Who keeps a pod (may be NULL) that was deleted from being gone: "held by finalizers 'a, b'",
 * clean and cut; "" where nobody does. Returns out.
 */
char *pod_held(char out[static POD_HELD_BYTES], const json_t *pod);

/* The uid of the node that the pod was made for, borrowed; "" where it does not say. */
const char *pod_node_uid(const json_t *pod);

/* Was it made by this very pass? */
bool pod_is_of_holder(const json_t *pod, const char *holder);

#endif
