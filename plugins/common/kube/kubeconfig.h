/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which cluster, and as whom: kubeconfig files by kubectl's rules (client-go tools/clientcmd), or
 * the pod's ServiceAccount. Nothing here connects, and nothing reads the process's environment.
 */
#ifndef KUBE_KUBECONFIG_H
#define KUBE_KUBECONFIG_H

#include "common/kube/kubecontext.h"

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
 * Finds, reads, merges and checks. Order: the explicit file; $KUBECONFIG, if there is anything in
 * its files; the ServiceAccount, but not where a context is named; ~/.kube/config, if $KUBECONFIG
 * is not set. settings->namespace is each user's own, and not looked at. Warnings go to the host's
 * log. The caller frees *ret by kubecontext_free(). Errors: CASB_EINVALID for what a person has to
 * mend, with client-go's words; those of file_read().
 */
int kubeconfig_load(const struct casb_host *host, const struct kube_settings *settings,
                    const struct kubeconfig_env *env, struct kubecontext **ret,
                    struct casb_error *err) _warn_unused_;

#endif
