/* SPDX-License-Identifier: Apache-2.0 */
/* PEM and X.509 over OpenSSL. Thread-safe. */
#ifndef BASE_TLS_H
#define BASE_TLS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/*
 * SHA-256 over the DER of every certificate in `pem`, in their order: independent of line breaks
 * and comments. CASB_EINVALID where there is none or one is damaged.
 */
int tls_chain_sha256(const char *pem, char hex[static 65], struct casb_error *err) _warn_unused_;

/*
 * The earliest end of validity in the chain, in seconds since 1970, and the subject of that
 * certificate.
 */
int tls_chain_expiry(const char *pem, int64_t *ret_seconds, char *subject, size_t size,
                     struct casb_error *err) _warn_unused_;

/*
 * Splits PEM text with a private key and certificates (the CLI's `identity`, FACTS.md) into two
 * new strings. The caller wipes *ret_key by tls_secret_free(). CASB_EINVALID where either is
 * missing or they do not belong together.
 */
int tls_split_identity(const char *pem, char **ret_key, char **ret_cert, struct casb_error *err)
    _warn_unused_;

/*
 * Does the certificate (the first in `cert_pem`) belong to the private key? CASB_EINVALID where
 * not, or where one is damaged or the key encrypted; the text holds nothing of the key.
 */
int tls_check_pair(const char *cert_pem, const char *key_pem, struct casb_error *err) _warn_unused_;

/* Wipes a string, then frees it; NULL is fine. */
void tls_secret_free(char *secret);
DEFINE_FREEP(char *, tls_secret_free)

#endif
