/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sandbox's Kubernetes API: what a request does to the store and how it is answered. All of it
 * wants the store's lock held.
 */
#ifndef SANDBOX_KUBE_API_H
#define SANDBOX_KUBE_API_H

#include "base/cleanup.h"
#include "sandbox/kube_store.h"

struct api {
    struct store store;
    json_t *counts; /* "VERB RESOURCE" -> how often it was asked for */
    json_t *denied; /* "VERB RESOURCE" -> true: 403 */
};

/* A kind of objects. */
struct api_resource {
    const char *name, *kind, *version;
    bool namespaced;
    bool has_status; /* which only the subresource "status" changes */
};

/* A query parameter's value, decoded; NULL: there is none. */
typedef const char *api_query_fn(void *arg, const char *name);

struct api_request {
    const char *method;
    const char *path;          /* decoded */
    const char *type, *accept; /* Content-Type and Accept, or NULL */
    const json_t *body;
    api_query_fn *query;
    void *query_arg;
    /* what the path means: filled by api_route() */
    const struct api_resource *resource; /* NULL: none of those that are kept as objects */
    char namespace[254], name[254], sub[32];
    const char *verb; /* as RBAC has it */
};

struct api_reply {
    unsigned status;
    int retry_after; /* seconds; 0: no such header */
    json_t *body;    /* or NULL */
    char *text;      /* instead of a body: a log, or a page */
    bool html;       /* which of these */
    bool watch;      /* the answer is a stream, or one event with `body`: see kube_watch.h */
};

/* Finds out what the request is about. */
void api_route(struct api_request *request);

/* Does it, where it is allowed, and counts it. The caller frees what *reply gets. */
void api_do(struct api *api, const struct api_request *request, struct api_reply *reply);

/* The value of a query parameter, "" where there is none. */
const char *api_query(const struct api_request *request, const char *name);

/* Has the reply be a Status that says what is wrong. */
void api_fail(struct api_reply *reply, unsigned status, const char *reason, const char *format, ...)
    _printf_(4, 5);

/* The same for what is not there. */
void api_fail_missing(struct api_reply *reply, const struct api_request *request);

/* POST, PUT and PATCH, DELETE of an object: kube_change.c. */
void api_create(struct api *api, const struct api_request *request, struct api_reply *reply);
void api_update(struct api *api, const struct api_request *request, struct api_reply *reply);
void api_delete(struct api *api, const struct api_request *request, struct api_reply *reply);

#endif
