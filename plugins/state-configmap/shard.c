/* SPDX-License-Identifier: Apache-2.0 */
#include "state-configmap/shard.h"

#include "base/jsonx.h"
#include "base/text.h"

#include <string.h>

#define COMPONENT "state"

char *shards_selector(char out[static OWNERSHIP_SELECTOR_BYTES], const char *instance)
{
    return ownership_selector(out, instance, COMPONENT);
}

char *shards_selector_before(char out[static OWNERSHIP_SELECTOR_BYTES], const char *instance)
{
    return ownership_selector_before(out, instance, COMPONENT);
}

int shards_metadata(const char *instance, const char *component, const char *name, json_t **ret,
                    struct casb_error *err)
{
    json_auto_t *labels = NULL;
    int r = ownership_labels(instance, component, &labels, err);

    return r ? r : jsonx_pack(ret, err, "{s:s, s:O}", "name", name, "labels", labels);
}

int shards_check_made(const json_t *sent, const json_t *made, struct casb_error *err)
{
    const char *lost = ownership_find_lost(sent, made);

    return lost ? err_set(err, CASB_EFAILED, "admission changed '%s', by which it is found again",
                          lost)
                : 0;
}

int shards_delete_options(const json_t *object, json_t **ret, struct casb_error *err)
{
    return jsonx_pack(ret, err, "{s:s, s:s, s:{s:s*, s:s*}}", "apiVersion", "v1", "kind",
                      "DeleteOptions", "preconditions", "uid", jsonx_string(object, "metadata.uid"),
                      "resourceVersion", jsonx_string(object, "metadata.resourceVersion"));
}

/* ---- the set */

static int append(struct shards *shards, struct shard **ret, struct casb_error *err)
{
    struct shard *list = reallocarray(shards->list, shards->n + 1, sizeof *list);
    struct shard *shard;

    if (!list)
        return err_nomem(err);
    shards->list = list;
    shard = &list[shards->n++];
    *shard = (struct shard){.fixed = false};
    *ret = shard;
    return 0;
}

void shards_free(struct shards *shards)
{
    for (size_t i = 0; i < shards->n; i++) {
        textmap_free(&shards->list[i].sizes);
        textmap_free(&shards->list[i].stale);
        json_decref(shards->list[i].patch);
    }
    free(shards->list);
    shards->list = NULL;
    shards->n = 0;
}

static size_t size_of(const struct textmap *sizes, const char *uid)
{
    int64_t bytes;

    (void)textmap_get(sizes, uid, &bytes);
    return (size_t)bytes;
}

static int set_size(struct textmap *sizes, const char *uid, size_t bytes, struct casb_error *err)
{
    return textmap_set(sizes, uid, (int64_t)bytes) ? err_nomem(err) : 0;
}

static size_t bytes_of(const char *uid, const json_t *text)
{
    return strlen(uid) + json_string_length(text);
}

int shards_take(struct shards *shards, const json_t *configmap, struct casb_error *err)
{
    const char *name = jsonx_string(configmap, "metadata.name"), *key;
    const char *uid = jsonx_string(configmap, "metadata.uid");
    struct shard *shard;
    json_t *value;
    int r;

    if (text_empty(name) || text_empty(uid))
        return err_set(err, CASB_EFAILED, "the API server gave a ConfigMap without name or uid");
    r = append(shards, &shard, err);
    if (r)
        return r;
    snprintf(shard->name, sizeof shard->name, "%s", name);
    snprintf(shard->uid, sizeof shard->uid, "%s", uid);
    shard->fixed = jsonx_string(configmap, "metadata.deletionTimestamp") ||
                   jsonx_bool(configmap, "immutable", false);
    shard->has_pass = !shard->fixed &&
                      json_object_get(jsonx_object(configmap, "metadata.annotations"), SHARD_PASS);
    json_object_foreach ((json_t *)jsonx_object(configmap, "data"), key, value) {
        shard->bytes += bytes_of(key, value);
        r = set_size(&shard->sizes, key, bytes_of(key, value), err);
        if (r)
            return r;
    }
    json_object_foreach ((json_t *)jsonx_object(configmap, "binaryData"), key, value)
        shard->bytes += bytes_of(key, value);
    return 0;
}

struct shard *shards_find(const struct shards *shards, const char *uid)
{
    for (size_t i = 0; i < shards->n; i++)
        if (textmap_get(&shards->list[i].sizes, uid, NULL))
            return &shards->list[i];
    return NULL;
}

int shard_make_stale(struct shard *shard, const char *uid, struct casb_error *err)
{
    int r = set_size(&shard->stale, uid, size_of(&shard->sizes, uid), err);

    if (!r)
        textmap_delete(&shard->sizes, uid);
    return r;
}

/* ---- names of new ones */

static bool is_taken(const struct shards *shards, const struct shard *but)
{
    for (size_t i = 0; i < shards->n; i++)
        if (&shards->list[i] != but && strcmp(shards->list[i].name, but->name) == 0)
            return true;
    return false;
}

/* INSTANCE-state, INSTANCE-state-2, ... */
void shard_rename(const struct shards *shards, struct shard *shard)
{
    char number[16];

    do {
        shard->number++;
        snprintf(number, sizeof number, "-%u", shard->number);
        snprintf(shard->name, sizeof shard->name, "%s-" COMPONENT "%s", shards->instance,
                 shard->number > 1 ? number : "");
    } while (is_taken(shards, shard));
}

/* ---- the plan */

static int set_patch(struct shard *shard, const char *uid, json_t *value, struct casb_error *err)
{
    if (!shard->patch)
        shard->patch = json_object();
    return json_object_set(shard->patch, uid, value) ? err_nomem(err) : 0;
}

static int put(struct shard *shard, const char *uid, json_t *text, struct casb_error *err)
{
    size_t bytes = bytes_of(uid, text);

    shard->bytes += bytes - size_of(&shard->sizes, uid);
    return set_size(&shard->sizes, uid, bytes, err) ? CASB_ENOMEM
                                                    : set_patch(shard, uid, text, err);
}

static int drop(struct shard *shard, struct textmap *sizes, const char *uid, struct casb_error *err)
{
    int r = set_patch(shard, uid, json_null(), err);

    shard->bytes -= size_of(sizes, uid);
    textmap_delete(sizes, uid);
    return r;
}

static int drop_stale(struct shard *shard, struct casb_error *err)
{
    const char *uid;
    int r = 0;

    while (!r && (uid = textmap_any(&shard->stale)))
        r = drop(shard, &shard->stale, uid, err);
    return r;
}

/* The first one with room, or a new one. */
static int find_room(struct shards *shards, size_t bytes, size_t limit, struct shard **ret,
                     struct casb_error *err)
{
    int r;

    for (size_t i = 0; i < shards->n; i++) {
        *ret = &shards->list[i];
        if (!(*ret)->fixed && (*ret)->bytes + bytes <= limit)
            return 0;
    }
    r = append(shards, ret, err);
    if (!r)
        shard_rename(shards, *ret);
    return r;
}

static int plan_put(struct shards *shards, const char *uid, json_t *text, size_t limit,
                    struct casb_error *err)
{
    struct shard *home = shards_find(shards, uid), *target;
    size_t bytes = bytes_of(uid, text), old = home ? size_of(&home->sizes, uid) : 0;
    int r;

    if (home && !home->fixed && (bytes <= old || home->bytes - old + bytes <= limit))
        return put(home, uid, text, err);
    r = home ? shard_make_stale(home, uid, err) : 0;
    if (!r)
        r = find_room(shards, bytes, limit, &target, err);
    return r ? r : put(target, uid, text, err);
}

int shards_plan(struct shards *shards, json_t *changes, size_t limit, struct casb_error *err)
{
    const char *uid;
    json_t *value;
    int r = 0;

    for (size_t i = 0; i < shards->n && !r; i++)
        if (!shards->list[i].fixed)
            r = drop_stale(&shards->list[i], err);
    json_object_foreach (changes, uid, value) {
        struct shard *home = shards_find(shards, uid);

        if (r)
            return r;
        if (json_is_string(value))
            r = plan_put(shards, uid, value, limit, err);
        else if (home)
            r = drop(home, &home->sizes, uid, err);
    }
    return r;
}

int shards_plan_pass(struct shards *shards, const char *text, struct casb_error *err)
{
    struct shard *shard = NULL;
    int r = 0;

    for (size_t i = 0; i < shards->n; i++) {
        struct shard *other = &shards->list[i];

        if (!other->fixed && (!shard || (other->has_pass && !shard->has_pass)))
            shard = other;
    }
    if (!shard) {
        r = append(shards, &shard, err);
        if (!r)
            shard_rename(shards, shard);
    }
    if (!r)
        shard->pass = text;
    return r;
}

int shard_part(const struct shard *shard, size_t max, json_t **ret, size_t *ret_bytes,
               struct casb_error *err)
{
    json_auto_t *part = json_object();
    size_t bytes = 0;
    const char *uid;
    json_t *value;

    json_object_foreach (shard->patch, uid, value) {
        if (bytes > 0 && bytes + bytes_of(uid, value) > max)
            break;
        if (json_object_set(part, uid, value))
            return err_nomem(err);
        bytes += bytes_of(uid, value);
    }
    if (!part)
        return err_nomem(err);
    *ret = TAKE_PTR(part);
    *ret_bytes = bytes;
    return 0;
}

static int set_pass(json_t *metadata, const char *text, struct casb_error *err)
{
    json_t *annotations = jsonx_new("{s:s}", SHARD_PASS, text);

    return json_object_set_new(metadata, "annotations", annotations) ? err_nomem(err) : 0;
}

int shard_body(const struct shards *shards, const struct shard *shard, json_t *part, json_t **ret,
               struct casb_error *err)
{
    json_auto_t *metadata = NULL;
    int r = shards_metadata(shards->instance, COMPONENT, shard->name, &metadata, err);

    if (!r && shard->pass)
        r = set_pass(metadata, shard->pass, err);
    if (r)
        return r;
    if (*shard->uid)
        return jsonx_pack(ret, err, "{s:{s:s, s:O, s:O*}, s:O}", "metadata", "uid", shard->uid,
                          "labels", json_object_get(metadata, "labels"), "annotations",
                          json_object_get(metadata, "annotations"), "data", part);
    return jsonx_pack(ret, err, "{s:s, s:s, s:O, s:O}", "apiVersion", "v1", "kind", "ConfigMap",
                      "metadata", metadata, "data", part);
}

void shard_written(struct shard *shard, const json_t *part, const json_t *created)
{
    const char *uid = jsonx_string(created, "metadata.uid");
    json_t *value;
    void *next;

    if (uid)
        snprintf(shard->uid, sizeof shard->uid, "%s", uid);
    json_object_foreach_safe ((json_t *)part, next, uid, value) /* it may be the whole patch */
        json_object_del(shard->patch, uid);
    if (shard->pass)
        shard->has_pass = true;
    shard->pass = NULL;
    if (json_object_size(shard->patch) > 0)
        return;
    json_decref(shard->patch);
    shard->patch = NULL;
}
