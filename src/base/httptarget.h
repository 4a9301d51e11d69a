/* SPDX-License-Identifier: Apache-2.0 */
/* Where a request goes: whom libcurl dials, by which proxy, and under which name. For http.c. */
#ifndef BASE_HTTPTARGET_H
#define BASE_HTTPTARGET_H

#include "base/error.h"
#include "base/url.h"

struct http_client;

struct http_target {
    char peer[URL_ADDRESS_BYTES];                        /* host:port of the URL */
    char who[URL_ADDRESS_BYTES + URL_ORIGIN_BYTES + 32]; /* the same for people, with the proxy */
    char *url;      /* for libcurl: with the name that is verified */
    char *dial;     /* host:port to connect to in place of the URL's; NULL: the URL's */
    char *proxy;    /* "": none; secret */
    bool https;     /* the server speaks TLS */
    bool tls_proxy; /* so does the proxy */
    bool renamed;   /* the URL's name is not the server's host */
};

/*
 * Finds out for a URL. The caller frees *ret by http_target_free() in every case. CASB_EINVALID for
 * a URL or a proxy that cannot be used; a password is in no text.
 */
int http_target_find(const struct http_client *client, const char *url, struct http_target *ret,
                     struct casb_error *err) _warn_unused_;

/* Wipes and frees what is in it. */
void http_target_free(struct http_target *target);

#endif
