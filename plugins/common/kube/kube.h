/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Kubernetes client of libcas-backup-kube.so, the library that two plugins link: configuration
 * as kubectl reads it, requests with retries, paged lists and resuming watches. A client may be
 * used by many threads. All that is declared here is what the library exports.
 */
#ifndef KUBE_KUBE_H
#define KUBE_KUBE_H

#include "base/buf.h"
#include "base/error.h"

#include <cas-backup/host.h>

#include <jansson.h>
#include <stdbool.h>

#define KUBE_VERSION_BYTES 64 /* a resourceVersion: opaque, short */

#pragma GCC visibility push(default)

struct kube;

/* Where to find the cluster. Strings are borrowed for kube_open() only; NULL: not given. */
struct kube_settings {
    const char *kubeconfig; /* an explicit file: only that one counts */
    const char *context;
    const char *namespace;
};

/*
 * Makes a client: the explicit kubeconfig, else $KUBECONFIG, else in-cluster (but not where a
 * context is named), else ~/.kube/config. Reads files, opens no connection. `host` is borrowed
 * until kube_close(). Clients whose settings differ in nothing but the namespace share what was
 * read, credentials, connections and counters, and stay apart in all else.
 */
int kube_open(const struct casb_host *host, const struct kube_settings *settings, struct kube **ret,
              struct casb_error *err) _warn_unused_;

/* Ends the client; the last of those that share logs the counters at debug level. NULL is fine. */
void kube_close(struct kube *kube);
DEFINE_FREEP(struct kube *, kube_close)

/* The namespace: the setting, else the context's or the ServiceAccount's, else "default". */
const char *kube_namespace(const struct kube *kube);

/*
 * Is it by its ServiceAccount that the client knows the cluster? Then this is the cluster of the
 * pod that we run in; with a kubeconfig nobody can tell.
 */
bool kube_is_in_cluster(const struct kube *kube);

enum kube_verb { KUBE_GET, KUBE_POST, KUBE_PUT, KUBE_MERGE_PATCH, KUBE_DELETE };

/* One query parameter; a list of them ends with a NULL name. Values are encoded here. */
struct kube_query {
    const char *name, *value;
};

struct kube_request {
    enum kube_verb verb;
    const char *path;               /* encoded: "/api/v1/namespaces/x/pods" */
    const struct kube_query *query; /* or NULL */
    const json_t *body;             /* or NULL */
    bool once;                      /* see http.h: a second time it would do something else */
    bool metadata;                  /* of the object in the answer only the metadata are wanted */
    json_t **ret_status; /* gets the Status of an answer that refuses, if it has one; or NULL */
};

/*
 * One request with retries: 429 and 5xx after Retry-After, where the call lasts so long, or a
 * jittered backoff; broken connections for verbs that can be repeated (GET, DELETE, merge patch
 * and PUT, which carry their own guards); a 401 once after renewed credentials; all within the
 * call's deadline and at most 30 s a try. A POST that may have been done (its answer was lost, or
 * it is a 5xx that does not say "later") fails with *ret_unknown true (may be NULL): look before
 * repeating. *ret (may be NULL) gets the answer's body; the caller frees it, and the Status. Errors
 * carry the Status message and reason; classes: 400, 422 EINVALID; 401, 403 EDENIED; 404 ENOTFOUND;
 * 409, 410 ECONFLICT; 429, 5xx EUNREACHABLE.
 */
int kube_request(struct kube *kube, const struct casb_call *call,
                 const struct kube_request *request, json_t **ret, bool *ret_unknown,
                 struct casb_error *err) _warn_unused_;

/*
 * GET of plain text (pod logs) into *out, cut at its limit without an error. The API server gets it
 * from a kubelet, which may be out of reach: a try of 10 s without an end is CASB_ETIMEOUT and the
 * last one, and so is an answer, unless Retry-After asks for another (client-go does the same).
 * Where there is no answer at all but the connection broke, it is tried again as in kube_request().
 */
int kube_text(struct kube *kube, const struct casb_call *call, const char *path,
              const struct kube_query *query, struct buf *out, struct casb_error *err)
    _warn_unused_;

/* Takes one item of a list, borrowed. Non-zero stops the list, which then returns it. */
typedef int kube_item_fn(const json_t *item, void *arg);

/*
 * Lists in pages and calls `each` for every item as it arrives, within the transfer: it is to be
 * quick, and to call nothing here. After 410 the list goes on with the fresh token or starts over;
 * an item is given once per uid all the same. Where items come as Protocol Buffers, they have what
 * kinds.h knows of them and no more. version gets the first page's resourceVersion: a watch from it
 * misses nothing. A try of a page ends after 30 s without a byte, or 5 min.
 */
int kube_list(struct kube *kube, const struct casb_call *call, const char *path,
              const struct kube_query *query, kube_item_fn *each, void *arg,
              char version[static KUBE_VERSION_BYTES], struct casb_error *err) _warn_unused_;

/*
 * Takes one event, with an object as in a list: `deleted` false for ADDED and MODIFIED. Non-zero
 * ends the watch, which then returns it (positive: a success).
 */
typedef int kube_event_fn(const json_t *object, bool deleted, void *arg);

/*
 * Watches from `version` until the call ends or `event` says so; closed connections resume
 * from the last version, 429 and 5xx back off. CASB_ECONFLICT means: list again. The version is
 * too old (410), a connection brought nothing, or 12 to 24 s are over: what is between us and the
 * API server may keep events back.
 */
int kube_watch(struct kube *kube, const struct casb_call *call, const char *path,
               const struct kube_query *query, const char *version, kube_event_fn *event, void *arg,
               struct casb_error *err) _warn_unused_;

/*
 * Asks the API whether a verb is allowed (SelfSubjectAccessReview). `group` "" is core;
 * `resource` may have a subresource ("pods/log"); namespace and name may be NULL.
 */
int kube_allowed(struct kube *kube, const struct casb_call *call, const char *verb,
                 const char *group, const char *resource, const char *namespace, const char *name,
                 bool *ret_allowed, struct casb_error *err) _warn_unused_;

#pragma GCC visibility pop

#endif
