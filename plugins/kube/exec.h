/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credential plugins: programs that print a token or a client certificate
 * (client.authentication.k8s.io v1 and v1beta1, "client-go credential plugins").
 */
#ifndef KUBE_EXEC_H
#define KUBE_EXEC_H

#include "kube/kubeconfig.h"

#include <cas-backup/host.h>

#include <stdint.h>

/* What a plugin gave. */
struct exec_credential {
    char *token;              /* or NULL */
    char *cert_pem, *key_pem; /* both or none */
    int64_t expiry_ms;        /* since 1970; 0: it does not say */
};

/*
 * Checks `exec` of a user and fills config->exec and config->exec_info, for which the rest of
 * *config must be complete. `cluster` is the cluster's object, for provideClusterInfo.
 */
int exec_resolve(const char *user_name, const json_t *exec, const json_t *cluster,
                 struct kubeconfig *config, struct casb_error *err) _warn_unused_;

/*
 * Runs the plugin of config->exec, which gets no terminal, and parses what it prints; its standard
 * error goes where ours goes, as it may ask for a login. At most one minute, and the call's
 * deadline. The caller frees *ret with exec_credential_free().
 * CASB_ENOTFOUND with the install hint where there is no such program.
 */
int exec_run(const struct kubeconfig *config, const struct casb_call *call,
             struct exec_credential *ret, struct casb_error *err) _warn_unused_;

/* Parses an ExecCredential, which must have the given apiVersion. CASB_EINVALID else. */
int exec_parse(const char *text, size_t len, const char *api_version, struct exec_credential *ret,
               struct casb_error *err) _warn_unused_;

/* Wipes and frees what is in it. */
void exec_credential_free(struct exec_credential *credential);

#endif
