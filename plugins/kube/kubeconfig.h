/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which cluster, and as whom: kubeconfig files by kubectl's rules (client-go tools/clientcmd), or
 * the pod's ServiceAccount. Nothing here connects, and nothing reads the process's environment.
 */
#ifndef KUBE_KUBECONFIG_H
#define KUBE_KUBECONFIG_H

#include "base/cleanup.h"
#include "base/error.h"

#include <cas-backup/host.h>

#include <jansson.h>
#include <stdbool.h>

struct kube_settings;

/* What the answer depends on besides the settings. Strings may be NULL and are borrowed. */
struct kubeconfig_env {
    const char *kubeconfig;                  /* $KUBECONFIG: files with ':' between them */
    const char *home;                        /* $HOME */
    const char *service_host, *service_port; /* $KUBERNETES_SERVICE_HOST, _PORT */
    const char *pod_namespace;               /* $POD_NAMESPACE */
    const char *account_dir;                 /* folder of the ServiceAccount's files */
};

/*
 * One context, checked and with its files read, all but the token file, which rotates. What is
 * not given is NULL. For a server without TLS there is no credential in it.
 */
struct kubeconfig {
    char *server;    /* "https://host:port/prefix", without a '/' at its end */
    char *namespace; /* never NULL */
    char *ca_pem;
    char *tls_server_name;
    char *proxy_url;
    bool insecure;
    bool in_cluster; /* it is the cluster of the pod that we run in */
    char *cert_pem, *key_pem;
    char *token, *token_file;
    char *user, *password;
    json_t *headers;   /* impersonation: an array of "Name: value" */
    json_t *exec;      /* the user's `exec`, checked, with `command` resolved */
    json_t *exec_info; /* the ExecCredential that its plugin gets (KUBERNETES_EXEC_INFO) */
};

/*
 * Finds, reads, merges and checks. Order: the explicit file; $KUBECONFIG, if there is anything in
 * its files; the ServiceAccount, but not where a context is named; ~/.kube/config, if $KUBECONFIG
 * is not set. Warnings go to the host's log. The caller frees *ret. Errors: CASB_EINVALID for what
 * a person has to mend, with client-go's words; those of file_read().
 */
int kubeconfig_load(const struct casb_host *host, const struct kube_settings *settings,
                    const struct kubeconfig_env *env, struct kubeconfig **ret,
                    struct casb_error *err) _warn_unused_;

/* Wipes the secrets and frees; NULL is fine. */
void kubeconfig_free(struct kubeconfig *config);
DEFINE_FREEP(struct kubeconfig *, kubeconfig_free)

#endif
