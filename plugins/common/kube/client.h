/* SPDX-License-Identifier: Apache-2.0 */
/* What requests, lists and watches share: one exchange, with credentials, retries and Status. */
#ifndef KUBE_CLIENT_H
#define KUBE_CLIENT_H

#include "common/kube/kube.h"

#include "base/http.h"

struct kubeconfig_env;

/* No object has more text: etcd takes 1.5 MiB (etcd.io, "System limits"). */
#define CLIENT_OBJECT_BYTES (2 * 1024 * 1024)

/*
 * In what form an answer is wanted; JSON is understood in its place. A 406 says that nothing else
 * can be had: it is asked for in JSON then, at once and by all who share the access.
 */
enum client_accept {
    CLIENT_JSON,
    CLIENT_METADATA, /* of the object no more than its metadata, in Protocol Buffers */
    CLIENT_PROTOBUF,
};

/* One call of the API. Strings are borrowed for the call. */
struct exchange {
    const char *method;
    const char *path;                            /* encoded, with a leading '/' */
    const struct kube_query *query, *more_query; /* each may be NULL */
    const char *content_type, *body;             /* or NULL */
    enum client_accept accept;
    size_t limit_bytes;         /* without on_body; 0: an object's */
    int64_t timeout_ns;         /* of a try; 0: 30 s */
    int64_t idle_timeout_ns;    /* see http.h */
    bool final;                 /* an answer or a timeout is, see kube_text() */
    bool watch;                 /* it is one, which goes on and on */
    bool once;                  /* see http.h */
    http_body_fn *on_body;      /* gets a 2xx answer, without a limit; or NULL */
    void (*restart)(void *arg); /* before each try: drop what on_body got */
    void *arg;
};

/*
 * One try, but for a 401, which is tried again once with renewed credentials. An answer that
 * is not 2xx is an error with its Status (classes as in kube.h, err->http set), and so is a 2xx
 * with a Status that says failure: ret->status is then the Status' code. Where there is on_body
 * that one is its reader's to refuse. *ret is filled in every case and freed by
 * http_response_free().
 */
int client_once(struct kube *kube, const struct casb_call *call, const struct exchange *exchange,
                struct http_response *ret, struct casb_error *err) _warn_unused_;

/*
 * client_once() with the retries that kube_request() promises. *ret_unknown (may be NULL) as there.
 */
int client_exchange(struct kube *kube, const struct casb_call *call,
                    const struct exchange *exchange, struct http_response *ret, bool *ret_unknown,
                    struct casb_error *err) _warn_unused_;

/*
 * The object that an answer is, in JSON or Protocol Buffers, of which the caller gets a reference.
 * CASB_EINVALID where it is neither.
 */
int client_parse(const struct http_response *response, json_t **ret, struct casb_error *err)
    _warn_unused_;

/* The Status that says failure in an answer, which the caller frees. NULL: there is none. */
json_t *client_status(const struct http_response *response);

/*
 * Sets an error from a Status object, or without one (NULL) from the HTTP status alone; `body` is
 * then quoted, cleaned and cut. Returns the class.
 */
int client_status_error(int http, const json_t *status, const char *body, struct casb_error *err);

/* kube_open() with another environment: for tests, and what it is made of. */
int client_open(const struct casb_host *host, const struct kube_settings *settings,
                const struct kubeconfig_env *env, struct kube **ret, struct casb_error *err)
    _warn_unused_;

/* The host that kube_open() got. */
const struct casb_host *client_host(const struct kube *kube);

#endif
