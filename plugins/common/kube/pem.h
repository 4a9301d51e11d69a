/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and keys of a kubeconfig: in files, or in it as base64. */
#ifndef KUBE_PEM_H
#define KUBE_PEM_H

#include "base/error.h"

/*
 * The text of a file; `what` names it in errors. CASB_EINVALID where it is empty or larger than
 * 4 MiB. The caller wipes *ret by tls_secret_free().
 */
int pem_read(const char *path, const char *what, char **ret, struct casb_error *err) _warn_unused_;

/*
 * Decodes base64, which may have line breaks. Returns 0, CASB_EINVALID or CASB_ENOMEM. The caller
 * wipes *ret by tls_secret_free().
 */
int pem_decode(const char *text, char **ret) _warn_unused_;

/* Encodes as base64 without line breaks. Returns 0 or CASB_ENOMEM. The caller frees *ret. */
int pem_encode(const char *text, char **ret) _warn_unused_;

#endif
