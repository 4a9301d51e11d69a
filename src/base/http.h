/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTPS requests over libcurl. A client keeps connections and may be used by many threads; each
 * call uses one connection. TLS 1.2 or newer, no redirects, certificates from memory, answers
 * bounded, deadline and cancellation by the call.
 */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include "base/buf.h"
#include "base/error.h"

#include <cas-backup/host.h>

#include <stdbool.h>

struct http_client;

/*
 * How to connect. Strings are copied by http_client_new(). With server_name, NO_PROXY of the
 * environment is compared with that name, not with the URL's host.
 */
struct http_config {
    const char *ca_pem;          /* trust these only; NULL: the system's */
    const char *client_cert_pem; /* client certificate and chain; NULL: none */
    const char *client_key_pem;  /* its key; wiped when the client is freed */
    const char *server_name;     /* name to verify and send as SNI in place of the URL's; or NULL */
    const char *connect_to;      /* host:port to dial in place of the URL's; or NULL */
    const char *proxy;           /* proxy URL; "" none at all; NULL: as the environment says */
    const char *user, *password; /* basic authentication, or NULL; wiped likewise */
    const char *user_agent;
    bool insecure;      /* the server's certificate is not verified */
    bool partial_chain; /* any certificate in ca_pem is an anchor, also one that is no root */
    bool allow_http;    /* plain http is allowed; with credentials it is CASB_EINVALID */
    int64_t connect_timeout_ns; /* 0: 10 s */
};

/*
 * Takes a piece of the body as it arrives. Non-zero ends the transfer with that class as result
 * (positive: the body is not needed further, a success).
 */
typedef int http_body_fn(const char *data, size_t len, void *arg);

struct http_request {
    const char *method;         /* "GET", ... */
    const char *url;            /* already encoded */
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    const char *body;           /* may be NULL */
    size_t body_len;
    size_t limit_bytes;      /* of response.body; 0: 64 MiB */
    int64_t timeout_ns;      /* of the whole exchange besides the call's deadline; 0: none */
    int64_t idle_timeout_ns; /* no byte for that long is CASB_ETIMEOUT; 0: none */
    http_body_fn *on_body;   /* gets bodies of 2xx answers in place of response.body; or NULL */
    void *arg;
};

struct http_response {
    int status;
    int64_t retry_after_ns; /* from Retry-After in seconds or as a date; -1: none */
    struct buf body;
    bool answered; /* a status line arrived: the request was certainly processed or refused */
};

/* Makes a client. Bad certificates or keys are CASB_EINVALID here, before any connection. */
int http_client_new(const struct http_config *config, struct http_client **ret,
                    struct casb_error *err) _warn_unused_;

/*
 * One exchange. 0 means that an answer arrived whole, whatever its status. Errors:
 * CASB_EUNREACHABLE (no connection within connect_timeout_ns, or cut), CASB_EDENIED (the server's
 * certificate is not trusted, expired, or for another name: the text says which; or the server
 * refused ours), CASB_EINVALID (too large, or the request cannot be made), CASB_ETIMEOUT,
 * CASB_ECANCELLED. ret->answered and ret->status are filled also on failure; free *ret by
 * http_response_free() in every case.
 *
 * A request is sent once, but for idempotent methods (RFC 9110, 9.2.2) whose kept connection
 * turns out closed before an answer: those are sent again on a new one. POST and PATCH always
 * open one.
 */
int http_perform(struct http_client *client, const struct casb_call *call,
                 const struct http_request *request, struct http_response *ret,
                 struct casb_error *err) _warn_unused_;

/* Frees the body. */
void http_response_free(struct http_response *response);

/* Frees the client; no call may be under way. NULL is fine. */
void http_client_free(struct http_client *client);
DEFINE_FREEP(struct http_client *, http_client_free)

/* Appends text percent-encoded for a URL's path segment or query (RFC 3986 unreserved stay). */
int http_encode(struct buf *out, const char *text) _warn_unused_;

#endif
