/* SPDX-License-Identifier: Apache-2.0 */
/* What an HTTP client is made of: whom it trusts, who it is, and by which way it goes. */
#ifndef BASE_HTTPCLIENT_H
#define BASE_HTTPCLIENT_H

#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct http_client;

/*
 * How to connect. Strings are copied by http_client_new().
 */
struct http_config {
    const char *ca_pem;          /* trust these only; NULL: the system's (see cafiles.h) */
    const char *client_cert_pem; /* client certificate and chain; NULL: none */
    const char *client_key_pem;  /* its key; wiped when the client is freed */
    const char *server_name;     /* name to verify and send as SNI in place of the URL's; or NULL */
    const char *connect_to;      /* host:port to dial in place of the URL's; or NULL */
    const char *proxy;           /* URL; "": none at all; NULL: as the environment says (proxy.h) */
    const char *user, *password; /* basic authentication, or NULL; wiped likewise */
    const char *user_agent;
    bool insecure;      /* the server's certificate is not verified */
    bool partial_chain; /* any certificate in ca_pem is an anchor, also one that is no root */
    bool allow_http;    /* plain http is allowed; with credentials it is CASB_EINVALID */
    int64_t connect_timeout_ns; /* 0: 8 s; of several addresses each gets half of what is left */
};

/* Makes a client. Bad certificates or keys are CASB_EINVALID here, before any connection. */
int http_client_new(const struct http_config *config, struct http_client **ret,
                    struct casb_error *err) _warn_unused_;

/* Frees the client; no call may be under way. NULL is fine. */
void http_client_free(struct http_client *client);
DEFINE_FREEP(struct http_client *, http_client_free)

#endif
