/* SPDX-License-Identifier: Apache-2.0 */
/* From a context's cluster and user, as YAML has them, to a checked struct kubecontext. */
#ifndef KUBE_KUBECONTEXT_H
#define KUBE_KUBECONTEXT_H

#include "common/kube/exec.h"

#include "base/cleanup.h"

#include <stdbool.h>

/*
 * One context, checked and with its files read, all but the token file, which rotates. What is
 * not given is NULL. For a server without TLS there is no credential in it.
 */
struct kubecontext {
    char *server;    /* "https://host:port/prefix", without a '/' at its end */
    char *namespace; /* of who names none; never NULL */
    char *ca_pem;
    char *tls_server_name;
    char *proxy_url;
    bool insecure;
    bool in_cluster; /* it is the cluster of the pod that we run in */
    char *cert_pem, *key_pem;
    char *token, *token_file;
    char *user, *password;
    json_t *headers;           /* impersonation: an array of "Name: value" */
    struct exec_plugin plugin; /* the user's `exec` */
};

/*
 * Fills *out (zeroed by the caller, who frees it) from the `cluster` and the `user` object; their
 * paths are absolute or relative to the working folder by now. The names are for messages.
 */
int kubecontext_resolve(const struct casb_host *host, const char *cluster_name,
                        const json_t *cluster, const char *user_name, const json_t *user,
                        struct kubecontext *out, struct casb_error *err) _warn_unused_;

/* Wipes the secrets and frees; NULL is fine. */
void kubecontext_free(struct kubecontext *context);
DEFINE_FREEP(struct kubecontext *, kubecontext_free)

#endif
