/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sandbox's Kubernetes API keeps: objects by key, a version that grows with each change,
 * and all changes for those who watch.
 *
 * A key is RESOURCE/NAMESPACE/NAME, with an empty namespace for nodes. Every function but
 * store_init() wants the lock held. Objects in the store are never changed in place.
 */
#ifndef SANDBOX_KUBE_STORE_H
#define SANDBOX_KUBE_STORE_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define STORE_KEY_BYTES 640

/* One change. */
struct store_event {
    int64_t version;
    char *key;
    json_t *before; /* NULL: it was created */
    json_t *after;  /* of what is gone: its last state, with the version of the deletion */
    bool gone;
};

struct store {
    pthread_mutex_t lock;   /* guards all that the sandbox's threads share */
    pthread_cond_t changed; /* on CLOCK_MONOTONIC */
    json_t *objects;        /* key -> object */
    struct store_event *events;
    size_t n_events;
    int64_t version;
    int64_t compacted; /* what happened before is forgotten, for lists and watches */
    bool stopping;
};

/* Makes an empty store. */
void store_init(struct store *store);

/* Frees what is in it, when nobody uses it any more. */
void store_free(struct store *store);

/* The key of an object, written to out, which is returned. */
char *store_key(char out[static STORE_KEY_BYTES], const char *resource, const char *namespace,
                const char *name);

/* The key of an object that is in the store, from its kind and metadata. */
char *store_key_of(char out[static STORE_KEY_BYTES], const char *resource, const json_t *object);

/* The object, borrowed until the next change; NULL: there is none. */
const json_t *store_get(const struct store *store, const char *key);

/* A copy of it, for a change. NULL: there is none. */
json_t *store_copy(const struct store *store, const char *key);

/* Creates or replaces. Takes the object over and gives it a resourceVersion. */
void store_put(struct store *store, const char *key, json_t *object);

/* Removes what is there. */
void store_remove(struct store *store, const char *key);

/* The objects whose keys begin with `prefix`, in the order of their keys. The caller frees it. */
json_t *store_list(const struct store *store, const char *prefix);

/* Waits for a change, or until deadline_ns of CLOCK_MONOTONIC. Lets go of the lock meanwhile. */
void store_wait(struct store *store, int64_t deadline_ns);

/* Forgets how it came to what is there now. */
void store_compact(struct store *store);

#endif
