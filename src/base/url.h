/* SPDX-License-Identifier: Apache-2.0 */
/* URLs of servers and proxies, taken apart (RFC 3986). Pure and thread-safe. */
#ifndef BASE_URL_H
#define BASE_URL_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define URL_ADDRESS_BYTES 264                      /* "NAME:PORT" with its NUL */
#define URL_ORIGIN_BYTES  (URL_ADDRESS_BYTES + 10) /* "https://NAME:PORT" */

/* Texts point into the URL that was parsed. */
struct url {
    const char *scheme;   /* "http", "https", "socks5" or "socks5h": static */
    const char *userinfo; /* "USER:PASSWORD", still encoded, userinfo_len bytes; NULL: none */
    size_t userinfo_len;
    char host[256];   /* as it is written, without brackets */
    uint16_t port;    /* the scheme's where none is given, or an empty one (RFC 3986, 3.2.3) */
    const char *path; /* what is behind: path, query and fragment, or "" */
};

/*
 * SCHEME://[USERINFO@]HOST[:[PORT]][PATH...]; the scheme in any case of letters, HOST as
 * address_parse() has it. Returns 0 or CASB_EINVALID.
 */
int url_parse(const char *text, struct url *ret) _warn_unused_;

/* Writes "HOST:PORT", an IPv6 host in brackets. Returns out. */
char *url_address(char out[static URL_ADDRESS_BYTES], const struct url *url);

/* Writes "SCHEME://HOST:PORT", without the port where it is the scheme's. Returns out. */
char *url_origin(char out[static URL_ORIGIN_BYTES], const struct url *url);

/*
 * The user and the password out of userinfo, decoded; *ret_password is NULL where none is given.
 * The caller frees both, the password by tls_secret_free(). Returns 0, CASB_ENOMEM, or
 * CASB_EINVALID where what is encoded is no text.
 */
int url_credentials(const struct url *url, char **ret_user, char **ret_password) _warn_unused_;

/*
 * A URL or what was meant for one, for people: one clean line, with "***" for all between the
 * scheme and the last '@'. Returns out.
 */
char *url_clean(char *out, size_t size, const char *text);

#endif
