/* SPDX-License-Identifier: Apache-2.0 */
/* The system's certificates as the environment has them: SSL_CERT_FILE and SSL_CERT_DIR. */
#ifndef BASE_CAFILES_H
#define BASE_CAFILES_H

#include <openssl/types.h>

/* A file in place of the system's, or NULL. */
const char *cafiles_file(void);

/* Folders with ':' between them in place of the system's, or NULL. */
const char *cafiles_folders(void);

/*
 * Has connections of `ctx` trust the certificates in all files of the folders, whatever they are
 * called (Go's crypto/x509; OpenSSL alone wants names made by c_rehash). What cannot be read, or is
 * no certificate, is left out. Thread-safe.
 */
void cafiles_add_folders(SSL_CTX *ctx, const char *folders);

#endif
