/* SPDX-License-Identifier: Apache-2.0 */
#include "common/kube/calls.h"

#include "base/error.h"
#include "base/jsonx.h"

#include <string.h>

int calls_init(struct calls *calls)
{
    if (pthread_mutex_init(&calls->lock, NULL))
        return CASB_ENOMEM;
    calls->counts = json_object();
    if (calls->counts)
        return 0;
    pthread_mutex_destroy(&calls->lock);
    return CASB_ENOMEM;
}

/* Steps over one segment "/x"; NULL where there is none. */
static const char *next_segment(const char *path)
{
    if (!path || *path != '/')
        return NULL;
    path++;
    return path + strcspn(path, "/");
}

static const char *skip(const char *path, int segments)
{
    while (segments-- > 0 && path)
        path = next_segment(path);
    return path && *path == '/' ? path : NULL;
}

static const char *verb_name(const char *method, bool named, bool watch)
{
    static const char *const verbs[][2] = {
        {"POST", "create"}, {"PUT", "update"}, {"PATCH", "patch"}, {"DELETE", "delete"}};

    for (size_t i = 0; i < ELEMENTS(verbs); i++)
        if (!strcmp(method, verbs[i][0]))
            return verbs[i][1];
    if (watch)
        return "watch";
    return named ? "get" : "list";
}

static int segment_len(const char *segment)
{
    return segment ? (int)strcspn(segment + 1, "/") : 0;
}

char *calls_name(char out[static CALLS_NAME_BYTES], const char *method, const char *path,
                 bool watch)
{
    const char *rest = skip(path, !strncmp(path, "/api/", 5) ? 2 : 3);
    const char *name, *sub;

    if (rest && !strncmp(rest, "/namespaces/", 12) && skip(rest, 2))
        rest = skip(rest, 2);
    if (!rest || (strncmp(path, "/api/", 5) != 0 && strncmp(path, "/apis/", 6) != 0)) {
        snprintf(out, CALLS_NAME_BYTES, "%s %s", verb_name(method, true, watch), path);
        return out;
    }
    name = skip(rest, 1);
    sub = skip(rest, 2);
    snprintf(out, CALLS_NAME_BYTES, "%s %.*s%.*s", verb_name(method, name != NULL, watch),
             segment_len(rest), rest + 1, sub ? segment_len(sub) + 1 : 0, sub ? sub : "");
    return out;
}

void calls_add(struct calls *calls, const char *name, long count)
{
    json_int_t sum;

    pthread_mutex_lock(&calls->lock);
    sum = json_integer_value(json_object_get(calls->counts, name)) + count;
    if (json_object_set_new(calls->counts, name, json_integer(sum)))
        json_object_del(calls->counts, name);
    pthread_mutex_unlock(&calls->lock);
}

char *calls_dump(struct calls *calls)
{
    char *text = NULL;

    pthread_mutex_lock(&calls->lock);
    (void)!jsonx_dump(calls->counts, &text, NULL);
    pthread_mutex_unlock(&calls->lock);
    return text;
}

void calls_free(struct calls *calls)
{
    json_decref(calls->counts);
    pthread_mutex_destroy(&calls->lock);
}
