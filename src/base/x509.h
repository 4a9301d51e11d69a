/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and showing X.509 certificates: what tls.c and handshake.c share. Thread-safe. */
#ifndef BASE_X509_H
#define BASE_X509_H

#include "base/cleanup.h"

#include <openssl/bio.h>
#include <openssl/x509.h>

DEFINE_FREEP(BIO *, BIO_free)
DEFINE_FREEP(X509 *, X509_free)
DEFINE_FREEP(EVP_PKEY *, EVP_PKEY_free)

/* Seconds since 1970, or INT64_MIN for a time that is none. */
int64_t x509_seconds(const ASN1_TIME *time);

/* The subject as RFC 2253 has it, cleaned by text_clean(). Returns out. */
char *x509_subject(char *out, size_t size, const X509 *cert);

/* The subject's alternative names ("DNS:a, IP Address:192.0.2.1"), or else the subject. */
char *x509_names(char *out, size_t size, const X509 *cert);

#endif
