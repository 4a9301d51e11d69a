/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/laspods.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/jsonx.h"
#include "base/text.h"
#include "discovery-kubernetes/condition.h"

#include <ctype.h>
#include <search.h>
#include <stdatomic.h>
#include <string.h>

#define SOURCE_LIMIT_BYTES 4096
#define WORD_LENGTH        63 /* of a uid or a time */

/* It goes into the state. */
static bool is_word(const char *text)
{
    size_t len = 0;

    while (isgraph((unsigned char)text[len]))
        len++;
    return len > 0 && len <= WORD_LENGTH && !text[len];
}

/* When the container was started last; NULL before its first start, and where it is no time. */
static const char *last_start(const json_t *status)
{
    const char *started = jsonx_string(status, "state.running.startedAt");

    if (!started)
        started = jsonx_string(status, "state.terminated.startedAt");
    if (!started)
        started = jsonx_string(status, "lastState.terminated.startedAt");
    return started && is_word(started) ? started : NULL;
}

/*
 * The pod's uid and its containers' starts; *ret_started is the last of these, borrowed, or NULL,
 * as it is for a pod of more containers than one can make a word of. The API writes all times in
 * one form, so that they compare as text.
 */
static int read_source(const json_t *pod, const char *uid, struct buf *source,
                       const char **ret_started)
{
    const json_t *status;
    int r = buf_puts(source, uid);
    size_t i;

    *ret_started = NULL;
    json_array_foreach (jsonx_array(pod, "status.containerStatuses"), i, status) {
        const char *started = last_start(status);

        if (!started || r < 0)
            continue;
        r = buf_printf(source, "/%lld@%s", (long long)jsonx_int(status, "restartCount", 0),
                       started);
        if (!*ret_started || strcmp(started, *ret_started) > 0)
            *ret_started = started;
    }
    if (r < 0)
        *ret_started = NULL;
    return r == CASB_ENOMEM ? r : 0;
}

/* Which of a node's pods counts: the higher rank, and of equal ones the younger. */
static int rank_of(const json_t *pod)
{
    if (jsonx_string(pod, "metadata.deletionTimestamp"))
        return 0;
    return condition_is_true(pod, "Ready") ? 2 : 1;
}

static bool is_better(const struct laspod *a, const struct laspod *b)
{
    if (a->rank != b->rank)
        return a->rank > b->rank;
    return strcmp(a->created, b->created) > 0;
}

/* Both with the terminator; what is NULL takes nothing. */
static int put(struct buf *text, const char *string)
{
    return string ? buf_append(text, string, strlen(string) + 1) : 0;
}

static const char *take(const char **at, const char *string)
{
    const char *here = *at;

    if (!string)
        return NULL;
    *at += strlen(here) + 1;
    return here;
}

/* The strings, in the order in which laspod_new() takes them. */
static int put_all(struct buf *text, const struct laspod *pod, const json_t *containers)
{
    const json_t *container;
    int r = put(text, pod->node);
    size_t i;

    r = r ? r : put(text, pod->pod);
    r = r ? r : put(text, pod->created);
    r = r ? r : put(text, pod->started);
    r = r ? r : put(text, pod->source);
    json_array_foreach (containers, i, container) {
        const char *name = jsonx_string(container, "name");

        r = r || text_empty(name) ? r : put(text, name);
    }
    return r ? r : put(text, "");
}

/* The pod in a block of its own, with the strings of `pod` and the containers. NULL: no memory. */
static struct laspod *laspod_new(const struct laspod *pod, const json_t *containers)
{
    _cleanup_(buf_free) struct buf text = BUF_INIT(SIZE_MAX / 2);
    struct laspod *ret = NULL;
    const char *at;

    if (put_all(&text, pod, containers) == 0)
        ret = malloc(sizeof *ret + text.len);
    if (!ret)
        return NULL;
    *ret = (struct laspod){.rank = pod->rank};
    at = memcpy(ret->text, text.data, text.len);
    ret->node = take(&at, pod->node);
    ret->pod = take(&at, pod->pod);
    ret->created = take(&at, pod->created);
    ret->started = take(&at, pod->started);
    ret->source = take(&at, pod->source);
    ret->containers = at;
    return ret;
}

/* What we keep of a pod; *ret stays NULL for one without what a pod has. */
static int read_pod(const json_t *object, const char *node, struct laspod **ret)
{
    _cleanup_(buf_free) struct buf source = BUF_INIT(SOURCE_LIMIT_BYTES);
    const char *uid = jsonx_string(object, "metadata.uid");
    struct laspod pod = {
        .node = node,
        .pod = jsonx_string(object, "metadata.name"),
        .created = jsonx_string(object, "metadata.creationTimestamp"),
        .rank = rank_of(object),
    };

    if (!pod.pod || !uid || !pod.created || !is_word(uid))
        return 0;
    if (read_source(object, uid, &source, &pod.started) < 0)
        return CASB_ENOMEM;
    pod.source = pod.started ? buf_text(&source) : NULL;
    *ret = laspod_new(&pod, jsonx_array(object, "spec.containers"));
    return *ret ? 0 : CASB_ENOMEM;
}

/* ---- the table */

struct laspods {
    atomic_uint refs;
    void *tree;
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct laspod *)a)->node, ((const struct laspod *)b)->node);
}

struct laspods *laspods_new(void)
{
    struct laspods *pods = calloc(1, sizeof *pods);

    if (pods)
        atomic_init(&pods->refs, 1);
    return pods;
}

struct laspods *laspods_ref(struct laspods *pods)
{
    if (pods)
        atomic_fetch_add(&pods->refs, 1);
    return pods;
}

void laspods_unref(struct laspods *pods)
{
    if (!pods || atomic_fetch_sub(&pods->refs, 1) > 1)
        return;
    tdestroy(pods->tree, free);
    free(pods);
}

int laspods_add(const json_t *pod, void *arg)
{
    const char *node = jsonx_string(pod, "spec.nodeName");
    _cleanup_(freep) struct laspod *entry = NULL;
    struct laspods *pods = arg;
    struct laspod **slot, *other;
    int r;

    if (text_empty(node))
        return 0;
    r = read_pod(pod, node, &entry);
    if (r || !entry)
        return r;
    slot = tsearch(entry, &pods->tree, compare);
    if (!slot)
        return CASB_ENOMEM;
    other = *slot;
    if (other == entry || is_better(entry, other))
        *slot = TAKE_PTR(entry);
    if (*slot != other)
        free(other);
    return 0;
}

const struct laspod *laspods_find(const struct laspods *pods, const char *node)
{
    const struct laspod key = {.node = node};
    struct laspod *const *slot = pods ? tfind(&key, &pods->tree, compare) : NULL;

    return slot ? *slot : NULL;
}
