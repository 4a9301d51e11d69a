/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credential plugins: programs that print a token or a client certificate
 * (client.authentication.k8s.io v1 and v1beta1, "client-go credential plugins").
 */
#ifndef KUBE_EXEC_H
#define KUBE_EXEC_H

#include "base/error.h"

#include <cas-backup/host.h>

#include <jansson.h>
#include <stdint.h>

/* A plugin of a kubeconfig, checked. Zeroed: there is none. */
struct exec_plugin {
    json_t *exec; /* the user's `exec`, with `command` resolved */
    json_t *info; /* the ExecCredential that it gets (KUBERNETES_EXEC_INFO) */
};

/* What a plugin gave. */
struct exec_credential {
    char *token;              /* or NULL */
    char *cert_pem, *key_pem; /* both or none */
    int64_t expiry_ms;        /* since 1970; 0: it does not say */
};

/*
 * Checks `exec` of a user. `cluster` becomes spec.cluster, for which provideClusterInfo asks; NULL:
 * it does not. Both are copied. The caller frees *ret with exec_plugin_free(). CASB_EINVALID for
 * what a person has to mend.
 */
int exec_resolve(const json_t *exec, const json_t *cluster, struct exec_plugin *ret,
                 struct casb_error *err) _warn_unused_;

/* Frees what is in it. */
void exec_plugin_free(struct exec_plugin *plugin);

/*
 * Runs the plugin, which gets no terminal, and parses what it prints; its standard error becomes
 * lines of the log as it comes, for it may ask for a login. At most one minute, and the call's
 * deadline. The caller frees *ret with exec_credential_free(). CASB_ENOTFOUND with the install hint
 * where there is no such program.
 */
int exec_run(const struct exec_plugin *plugin, const struct casb_host *host,
             const struct casb_call *call, struct exec_credential *ret, struct casb_error *err)
    _warn_unused_;

/* Parses an ExecCredential, which must have the given apiVersion. CASB_EINVALID else. */
int exec_parse(const char *text, size_t len, const char *api_version, struct exec_credential *ret,
               struct casb_error *err) _warn_unused_;

/* Wipes and frees what is in it. */
void exec_credential_free(struct exec_credential *credential);

#endif
