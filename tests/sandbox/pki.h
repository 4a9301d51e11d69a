/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and certificates of the sandbox. It is a test double: what cannot work ends the process
 * with a message.
 */
#ifndef SANDBOX_PKI_H
#define SANDBOX_PKI_H

#include <openssl/x509.h>
#include <stdbool.h>

#define PKI_DAY 86400L

/* A certificate with its key. */
struct pki {
    EVP_PKEY *key;
    X509 *cert;
};

/* What to certify. */
struct pki_request {
    const char *subject;      /* common name */
    const struct pki *issuer; /* NULL: self-signed */
    const char *alt_name;     /* "DNS:mycas" or "IP:192.0.2.1"; NULL: none */
    const char *comment;      /* Netscape comment, a text that anyone can read; NULL: none */
    bool is_ca;
    long from, to; /* validity in seconds, counted from now */
};

/* Makes a P-256 key and its certificate. Free it by pki_free(). */
struct pki pki_make(const struct pki_request *request);

/* Frees both; NULLs are fine. */
void pki_free(struct pki *pki);

/* PEM texts; the caller frees them. */
char *pki_cert_pem(X509 *cert);
char *pki_key_pem(EVP_PKEY *key);

/* The first certificate or key in a PEM text; NULL: there is none. */
X509 *pki_parse_cert(const char *pem);
EVP_PKEY *pki_parse_key(const char *pem);

/* The certificate's comment, or NULL; the caller frees it. */
char *pki_comment(X509 *cert);

#endif
