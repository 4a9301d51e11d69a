/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/kube_watch.h"

#include "base/clock.h"
#include "base/jsontext.h"
#include "base/jsonx.h"
#include "sandbox/kube_proto.h"
#include "sandbox/kube_select.h"

#include <err.h>
#include <string.h>

/* A bookmark also finds out that the client is gone. */
#define BOOKMARK_NS     (2 * CLOCK_S)
#define DEFAULT_SECONDS 1800

struct watch {
    struct store *store;
    const struct api_resource *resource;
    char *prefix, *labels, *fields;
    bool bookmarks, mute, proto;
    int64_t end_ns;
    json_t *first; /* what it begins with: objects that are there already, or NULL */
    json_t *error; /* or this */
    size_t next;   /* index of the next event */
};

struct watch *watch_new(struct store *store, const struct api_request *request, bool mute,
                        const json_t *broken, bool proto)
{
    struct watch *watch = calloc(1, sizeof *watch);
    const char *bookmarks = api_query(request, "allowWatchBookmarks");
    int64_t version = strtoll(api_query(request, "resourceVersion"), NULL, 10);
    long seconds = strtol(api_query(request, "timeoutSeconds"), NULL, 10);
    char prefix[STORE_KEY_BYTES];

    if (!watch)
        errx(3, "sandbox: out of memory");
    if (*request->namespace)
        store_key(prefix, request->resource->name, request->namespace, "");
    else
        snprintf(prefix, sizeof prefix, "%s/", request->resource->name);
    watch->store = store;
    watch->resource = request->resource;
    watch->prefix = strdup(prefix);
    watch->labels = strdup(api_query(request, "labelSelector"));
    watch->fields = strdup(api_query(request, "fieldSelector"));
    watch->mute = mute;
    watch->proto = proto;
    watch->bookmarks = !mute && (strcmp(bookmarks, "true") == 0 || strcmp(bookmarks, "1") == 0);
    watch->end_ns = clock_now_ns() + (seconds > 0 ? seconds : DEFAULT_SECONDS) * CLOCK_S;
    watch->error = json_incref((json_t *)broken);
    watch->first = version ? NULL : store_list(store, prefix);
    while (watch->next < store->n_events &&
           (!version || store->events[watch->next].version <= version))
        watch->next++;
    return watch;
}

void watch_free(struct watch *watch)
{
    if (!watch)
        return;
    pthread_mutex_lock(&watch->store->lock);
    json_decref(watch->first);
    json_decref(watch->error);
    pthread_mutex_unlock(&watch->store->lock);
    free(watch->prefix);
    free(watch->labels);
    free(watch->fields);
    free(watch);
}

static void write_line(const struct watch *watch, struct buf *lines, const char *type,
                       const json_t *object)
{
    if (watch->proto && proto_put_event(lines, type, object))
        return;
    if (buf_printf(lines, "{\"type\":\"%s\",\"object\":", type) < 0 ||
        jsontext_write(lines, object, 0) < 0 || buf_puts(lines, "}\n") < 0)
        errx(3, "sandbox: out of memory");
}

static bool is_wanted(const struct watch *watch, const json_t *object)
{
    return object && !watch->mute && select_labels(watch->labels, object) == 1 &&
           select_fields(watch->fields, object) == 1;
}

/* What matches no more is gone for this watch, and what begins to match is new. */
static void write_event(const struct watch *watch, const struct store_event *event,
                        struct buf *lines)
{
    bool was = is_wanted(watch, event->before), is = !event->gone && is_wanted(watch, event->after);

    if (strncmp(event->key, watch->prefix, strlen(watch->prefix)) != 0 || (!was && !is))
        return;
    write_line(watch, lines, is ? was ? "MODIFIED" : "ADDED" : "DELETED", event->after);
}

static void write_bookmark(const struct watch *watch, struct buf *lines)
{
    json_auto_t *bookmark = NULL;
    char version[24];

    snprintf(version, sizeof version, "%lld", (long long)watch->store->version);
    bookmark = json_pack("{s:s, s:s, s:{s:s}}", "kind", watch->resource->kind, "apiVersion",
                         watch->resource->version, "metadata", "resourceVersion", version);
    write_line(watch, lines, "BOOKMARK", bookmark);
}

static void write_first(struct watch *watch, struct buf *lines)
{
    const json_t *object;
    size_t i;

    json_array_foreach (watch->first, i, object) {
        if (is_wanted(watch, object))
            write_line(watch, lines, "ADDED", object);
    }
    json_decref(TAKE_PTR(watch->first));
}

/* With the lock held: what is there now, or what comes. */
static void await_lines(struct watch *watch, struct buf *lines)
{
    struct store *store = watch->store;
    int64_t bookmark_ns = watch->bookmarks ? clock_now_ns() + BOOKMARK_NS : INT64_MAX;

    write_first(watch, lines);
    while (lines->len == 0 && !store->stopping && clock_now_ns() < watch->end_ns) {
        for (; watch->next < store->n_events; watch->next++)
            write_event(watch, &store->events[watch->next], lines);
        if (lines->len == 0 && clock_now_ns() >= bookmark_ns)
            write_bookmark(watch, lines);
        if (lines->len == 0)
            store_wait(store, bookmark_ns < watch->end_ns ? bookmark_ns : watch->end_ns);
    }
}

bool watch_next(struct watch *watch, struct buf *lines)
{
    bool over = false;

    pthread_mutex_lock(&watch->store->lock);
    if (watch->error) {
        write_line(watch, lines, "ERROR", watch->error);
        json_decref(TAKE_PTR(watch->error));
        watch->end_ns = 0;
    } else {
        await_lines(watch, lines);
        over = lines->len == 0;
    }
    pthread_mutex_unlock(&watch->store->lock);
    return !over;
}
