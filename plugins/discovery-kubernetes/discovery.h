/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin's settings and the opened plugin: what its files share. */
#ifndef DISCOVERY_KUBERNETES_DISCOVERY_H
#define DISCOVERY_KUBERNETES_DISCOVERY_H

#include "discovery-kubernetes/events.h"
#include "discovery-kubernetes/las.h"
#include "discovery-kubernetes/ledger.h"
#include "discovery-kubernetes/marks.h"
#include "discovery-kubernetes/nodes.h"
#include "discovery-kubernetes/pod.h"
#include "discovery-kubernetes/watcher.h"

#include <pthread.h>

/* Filled by the host from the option table of plugin.c. */
struct discovery_settings {
    const char *kubeconfig, *context;
    const char *namespace;         /* of the backup CAS pods; NULL: the client's */
    const char *selector;          /* of the nodes; NULL: all */
    const json_t *selector_labels; /* which they must all have, in its place; or NULL */
    const char *image;
    const char *sgx_name;
    int64_t sgx_quantity;
    const char *las_selector; /* NULL: LAS pods are not looked at */
    const char *las_namespace;
    const char *las_address;
    int64_t ready_timeout_ns;
    const char *address; /* "pod-ip" or "host-ip" */
    int64_t client_port, enclave_port;
    const json_t *pod, *container;
    bool events, label;
};

/*
 * One opened plugin. Read-only after open, but for what the lock guards; what it points to is
 * thread-safe.
 */
struct discovery {
    const struct casb_host *host;
    const struct discovery_settings *settings;
    struct kube *kube;
    struct pod_plan plan;
    char *selector;   /* of the nodes; NULL: all */
    json_t *template; /* of the pods, see pod_template() */
    json_t *sample; /* a pod as it will be made: its tolerations decide which nodes can take one */
    json_t *resources; /* what that pod asks for: pod_resources() */
    struct node_needs needs;
    struct las *las; /* NULL: not wanted */
    struct watcher *watcher;
    struct ledger *ledger;
    struct events *events;
    struct marks *marks;
    pthread_mutex_t lock;      /* guards `refusal` */
    struct casb_error refusal; /* that every pod of this pass would meet; code 0: none is known */
};

#endif
