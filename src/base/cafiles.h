/* SPDX-License-Identifier: Apache-2.0 */
/* The system's certificates as the environment has them: SSL_CERT_FILE and SSL_CERT_DIR. */
#ifndef BASE_CAFILES_H
#define BASE_CAFILES_H

#include "base/error.h"

#include <openssl/types.h>

/* A file in place of the system's, or NULL. */
const char *cafiles_file(void);

/*
 * CASB_EINVALID where a pipe, a device or a folder stands at `path`: OpenSSL would wait for who
 * writes there, and nothing ends that. What else is wrong with it OpenSSL finds out.
 */
int cafiles_check_file(const char *path, struct casb_error *err) _warn_unused_;

/* Folders with ':' between them in place of the system's, or NULL. */
const char *cafiles_folders(void);

/*
 * Has connections of `ctx` trust the certificates in all files of the folders, whatever they are
 * called (Go's crypto/x509; OpenSSL alone wants names made by c_rehash). What cannot be read, is no
 * regular file, or no certificate, is left out. Thread-safe.
 */
void cafiles_add_folders(SSL_CTX *ctx, const char *folders);

#endif
