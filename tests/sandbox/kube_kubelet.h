/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kubelets of the sandbox's Kubernetes, all in one thread, and its scheduler. A pod with a
 * node becomes Running and then Ready. A pod whose image has a command gets a process and an
 * address of its own, and is Ready when its readiness probe can connect.
 *
 * Annotations of a Node tell how its kubelet behaves: sandbox/pull-error (no image can be
 * pulled, with this message), sandbox/never-ready, sandbox/refuse (pods fail with this reason).
 * A Pod's annotation sandbox/log is its log; what LAS of a version prints: las_log in cluster.sh.
 */
#ifndef SANDBOX_KUBE_KUBELET_H
#define SANDBOX_KUBE_KUBELET_H

#include "sandbox/kube_store.h"

struct kubelet {
    struct store *store;
    json_t *images; /* image -> command, in which {ip} is the pod's address */
    int64_t ready_after_ns;
    struct kubelet_run *runs; /* the pods that it takes care of */
    unsigned addresses;       /* given out so far */
};

/* Works until the store is stopping, then ends all processes. For a thread of its own. */
void *kubelet_main(void *kubelet);

#endif
