/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTPS requests over libcurl. A client keeps connections and may be used by many threads; each
 * call uses one connection. HTTP/1.1 (over HTTP/2 libcurl 7.88 stalls), TLS 1.2 or newer, no
 * redirects, certificates from memory, answers bounded, deadline and cancellation by the call.
 */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include "base/buf.h"
#include "base/error.h"
#include "base/httpclient.h"

#include <cas-backup/host.h>

#include <stdbool.h>

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
    size_t limit_bytes;      /* of the body of a 2xx answer; 0: 4 MiB */
    int64_t timeout_ns;      /* of the whole exchange besides the call's deadline; 0: none */
    int64_t idle_timeout_ns; /* no byte for that long is CASB_ETIMEOUT; 0: none */
    http_body_fn *on_body;   /* gets bodies of 2xx answers in place of response.body; or NULL */
    void *arg;
    bool lasting; /* a long one: nobody waits for its connection; read at most 20 times a second */
    bool once;    /* nobody could tell that it was done twice: it is sent on a new connection */
};

struct http_response {
    int status;
    int64_t retry_after_ns; /* from Retry-After in seconds; -1: none, or a date */
    struct buf body;
    bool answered;    /* a status line arrived: the request was certainly processed or refused */
    long connections; /* how many were opened for it */
};

/*
 * One exchange. 0 means that an answer arrived whole, whatever its status. Errors:
 * CASB_EUNREACHABLE (no connection within connect_timeout_ns, or cut), CASB_EDENIED (the server's
 * certificate is not trusted, expired, or for another name: the text says which; or the server
 * refused ours), CASB_EINVALID (too large, or the request cannot be made), CASB_ETIMEOUT,
 * CASB_ECANCELLED. ret->answered and ret->status are filled also on failure; free *ret by
 * http_response_free() in every case. Other bodies than those of 2xx are cut after 64 KiB.
 *
 * A request whose kept connection turns out closed before an answer is sent again on a new one,
 * unless it says `once`. What a call means decides about that, not its method (RFC 9110, 9.2.2).
 */
int http_perform(struct http_client *client, const struct casb_call *call,
                 const struct http_request *request, struct http_response *ret,
                 struct casb_error *err) _warn_unused_;

/* Frees the body. */
void http_response_free(struct http_response *response);

/* Appends text percent-encoded for a URL's path segment or query (RFC 3986 unreserved stay). */
int http_encode(struct buf *out, const char *text) _warn_unused_;

#endif
