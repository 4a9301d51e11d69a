/* SPDX-License-Identifier: Apache-2.0 */
/* PEM and X.509 over OpenSSL. Thread-safe. */
#ifndef BASE_TLS_H
#define BASE_TLS_H

#include "base/error.h"

#include <openssl/types.h>
#include <stdbool.h>
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

/* Whom connections trust and what they show, read once for all of them. */
struct tls_credentials;

/*
 * Reads CA certificates, with `partial_chain` also one that is no root as an anchor, and a client
 * certificate (the first in `cert_pem`, with those that lead to its root) with its key; NULL: none.
 * tls_credentials_free() frees *ret. CASB_EINVALID where one is damaged, the key encrypted or not
 * the certificate's; the text holds nothing of the key.
 */
int tls_credentials_read(const char *ca_pem, bool partial_chain, const char *cert_pem,
                         const char *key_pem, struct tls_credentials **ret, struct casb_error *err)
    _warn_unused_;

/* Has connections of `ctx` use them. False where OpenSSL cannot, which is for want of memory. */
bool tls_credentials_use(const struct tls_credentials *credentials, SSL_CTX *ctx) _warn_unused_;

void tls_credentials_free(struct tls_credentials *credentials);
DEFINE_FREEP(struct tls_credentials *, tls_credentials_free)

/* Wipes a string, then frees it; NULL is fine. */
void tls_secret_free(char *secret);
DEFINE_FREEP(char *, tls_secret_free)

#endif
