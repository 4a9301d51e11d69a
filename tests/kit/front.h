/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTPS server (libmicrohttpd) that ends TLS, and hands each request over as a whole. */
#ifndef KIT_FRONT_H
#define KIT_FRONT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct front;

/* A request; all is borrowed. */
struct front_request {
    const char *method;
    const char *path; /* as it was sent, with its query */
    json_t *headers;  /* name: value */
    const char *body;
    size_t len;
    bool client_certificate; /* the client showed one, and proved that it has the key */
};

/* An answer, which the handler makes. */
struct front_reply {
    int status;
    json_t *headers; /* name: value; the front frees it */
    char *body;      /* the front frees it */
    size_t len;
};

/* Answers a request; may be called by several threads. */
typedef void front_handler_fn(const struct front_request *request, struct front_reply *reply,
                              void *arg);

/* What a front shows: PEM texts, borrowed while it runs. */
struct front_tls {
    const char *key, *chain;
    const char *client; /* the owner's certificate: clients are asked for theirs */
};

/* Serves on a listening socket, which it owns, until front_close(). Ends the process on failure. */
struct front *front_open(int fd, const struct front_tls *tls, front_handler_fn *handler, void *arg);

/* Waits for the requests that are under way, and ends it. */
void front_close(struct front *front);

#endif
