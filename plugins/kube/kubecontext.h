/* SPDX-License-Identifier: Apache-2.0 */
/* From a context's cluster and user, as YAML has them, to a checked struct kubeconfig. */
#ifndef KUBE_KUBECONTEXT_H
#define KUBE_KUBECONTEXT_H

#include "kube/kubeconfig.h"

#define KUBECONTEXT_FILE_BYTES (4 * 1024 * 1024) /* the longest file of certificates or tokens */

/*
 * Fills *out (zeroed by the caller, who frees it) from the `cluster` and the `user` object; their
 * paths are absolute or relative to the working folder by now. The names are for messages.
 */
int kubecontext_resolve(const struct casb_host *host, const char *cluster_name,
                        const json_t *cluster, const char *user_name, const json_t *user,
                        struct kubeconfig *out, struct casb_error *err) _warn_unused_;

/*
 * A string member; NULL in *ret where it is absent, null or "". CASB_EINVALID where it is something
 * else; `kind` and `name` say whose it is.
 */
int kubecontext_string(const json_t *object, const char *key, const char *kind, const char *name,
                       const char **ret, struct casb_error *err) _warn_unused_;

/* The text of a file of certificates or a key. The caller wipes *ret by tls_secret_free(). */
int kubecontext_read(const char *path, const char *what, char **ret, struct casb_error *err)
    _warn_unused_;

#endif
