/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/kube_store.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/jsonx.h"

#include <err.h>
#include <string.h>

void store_init(struct store *store)
{
    pthread_condattr_t attributes;

    *store = (struct store){.objects = json_object(), .version = 1};
    pthread_mutex_init(&store->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&store->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void store_free(struct store *store)
{
    for (size_t i = 0; i < store->n_events; i++) {
        free(store->events[i].key);
        json_decref(store->events[i].before);
        json_decref(store->events[i].after);
    }
    free(store->events);
    json_decref(store->objects);
    pthread_cond_destroy(&store->changed);
    pthread_mutex_destroy(&store->lock);
}

char *store_key(char out[static STORE_KEY_BYTES], const char *resource, const char *namespace,
                const char *name)
{
    snprintf(out, STORE_KEY_BYTES, "%s/%s/%s", resource, namespace, name);
    return out;
}

char *store_key_of(char out[static STORE_KEY_BYTES], const char *resource, const json_t *object)
{
    const char *namespace = jsonx_string(object, "metadata.namespace");

    return store_key(out, resource, namespace ? namespace : "",
                     jsonx_string(object, "metadata.name"));
}

const json_t *store_get(const struct store *store, const char *key)
{
    return json_object_get(store->objects, key);
}

json_t *store_copy(const struct store *store, const char *key)
{
    return json_deep_copy(store_get(store, key));
}

static void set_version(struct store *store, json_t *object)
{
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)++store->version);
    json_object_set_new(json_object_get(object, "metadata"), "resourceVersion", json_string(text));
}

static void note(struct store *store, const char *key, json_t *after, bool gone)
{
    /* grows by doubling */
    if ((store->n_events & (store->n_events - 1)) == 0) {
        size_t room = store->n_events ? 2 * store->n_events : 1;

        store->events = reallocarray(store->events, room, sizeof *store->events);
        if (!store->events)
            errx(3, "sandbox: out of memory");
    }
    store->events[store->n_events++] = (struct store_event){
        .version = store->version,
        .key = strdup(key),
        .before = json_incref(json_object_get(store->objects, key)),
        .after = json_incref(after),
        .gone = gone,
    };
    pthread_cond_broadcast(&store->changed);
}

void store_put(struct store *store, const char *key, json_t *object)
{
    set_version(store, object);
    note(store, key, object, false);
    json_object_set_new(store->objects, key, object);
}

void store_remove(struct store *store, const char *key)
{
    json_auto_t *last = store_copy(store, key);

    if (!last)
        return;
    set_version(store, last);
    note(store, key, last, true);
    json_object_del(store->objects, key);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *store_list(const struct store *store, const char *prefix)
{
    size_t n = json_object_size(store->objects), found = 0;
    _cleanup_(freep) const char **keys = calloc(n + 1, sizeof *keys);
    json_t *list = json_array(), *object;
    const char *key;

    if (!keys)
        errx(3, "sandbox: out of memory");
    json_object_foreach (store->objects, key, object) {
        if (strncmp(key, prefix, strlen(prefix)) == 0)
            keys[found++] = key;
    }
    qsort(keys, found, sizeof *keys, by_key);
    for (size_t i = 0; i < found; i++)
        json_array_append(list, json_object_get(store->objects, keys[i]));
    return list;
}

void store_wait(struct store *store, int64_t deadline_ns)
{
    struct timespec until = {.tv_sec = deadline_ns / CLOCK_S, .tv_nsec = deadline_ns % CLOCK_S};

    pthread_cond_timedwait(&store->changed, &store->lock, &until);
}

void store_compact(struct store *store)
{
    store->compacted = store->version;
}
