/* SPDX-License-Identifier: Apache-2.0 */
#include "state-configmap/configmap.h"

#include "base/jsonx.h"
#include "base/plog.h"
#include "base/record.h"
#include "base/text.h"

#include <string.h>

#define PATH_BYTES         600
#define ROUNDS             2 /* the second one drops what the first one wrote elsewhere */
#define CHANGE_TRIES       3
#define NAME_TRIES         20 /* ConfigMaps of somebody else's with a name that would be ours */
#define HTTP_TOO_LARGE     413
#define HTTP_UNPROCESSABLE 422

void configmaps_init(struct configmaps *maps, const struct casb_host *host, struct kube *kube)
{
    *maps = (struct configmaps){
        .host = host,
        .kube = kube,
        .shards.instance = host->instance,
    };
    pthread_mutex_init(&maps->lock, NULL);
}

void configmaps_free(struct configmaps *maps)
{
    shards_free(&maps->shards);
    pthread_mutex_destroy(&maps->lock);
}

/* The path of all ConfigMaps, or with `name` of one. */
static char *path(char out[static PATH_BYTES], const struct configmaps *maps, const char *name)
{
    snprintf(out, PATH_BYTES, "/api/v1/namespaces/%s/configmaps%s%s", kube_namespace(maps->kube),
             name ? "/" : "", name ? name : "");
    return out;
}

/* ---- reading */

struct listing {
    struct configmaps *maps;
    json_t *data; /* of each shard, in their order */
    struct casb_error *err;
};

static int take_configmap(const json_t *item, void *arg)
{
    struct listing *listing = arg;
    const json_t *data = jsonx_object(item, "data");
    int r = shards_take(&listing->maps->shards, item, listing->err);

    if (r)
        return r;
    /* Only the texts are kept while the rest of the list arrives. */
    return json_array_append_new(listing->data, data ? json_incref((json_t *)data) : json_object())
               ? err_nomem(listing->err)
               : 0;
}

static int parse_record(const char *uid, const json_t *text, json_t **ret_json,
                        struct casb_record *ret, struct casb_error *err)
{
    int r =
        jsonx_parse(json_string_value(text), json_string_length(text), "its text", ret_json, err);

    return r ? r : record_from_json(uid, *ret_json, ret, err);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When the record was written last, as far as it tells; -1: it is damaged. */
static int get_freshness(const char *uid, const json_t *text, int64_t *ret, struct casb_error *err)
{
    json_auto_t *json = NULL;
    struct casb_record record;
    int r = parse_record(uid, text, &json, &record, NULL);

    if (r == CASB_ENOMEM)
        return err_nomem(err);
    *ret = r ? -1 : later(record.attempted, later(record.seen, record.spawned));
    return 0;
}

/* A uid of shard `i` that an earlier shard has too: only the newer record counts. */
static int settle_twin(struct listing *listing, size_t i, const char *uid, const json_t *text)
{
    struct shards *shards = &listing->maps->shards;
    struct shard *earlier = shards_find(shards, uid), *loser = &shards->list[i];
    const json_t *other;
    int64_t ours, theirs;
    int r;

    if (!earlier || earlier == loser)
        return 0;
    other = json_object_get(json_array_get(listing->data, (size_t)(earlier - shards->list)), uid);
    r = get_freshness(uid, text, &ours, listing->err);
    if (!r)
        r = get_freshness(uid, other, &theirs, listing->err);
    if (r)
        return r;
    if (ours > theirs)
        loser = earlier;
    plog(listing->maps->host, CASB_WARN, NULL,
         "record '%s' is in two ConfigMaps, the older one in '%s' is ignored", uid, loser->name);
    return shard_make_stale(loser, uid, listing->err);
}

static int settle_twins(struct listing *listing)
{
    for (size_t i = 1; i < listing->maps->shards.n; i++) {
        json_t *text;
        const char *uid;
        int r;

        json_object_foreach (json_array_get(listing->data, i), uid, text) {
            r = settle_twin(listing, i, uid, text);
            if (r)
                return r;
        }
    }
    return 0;
}

/* Makes the shards anew; *ret_data (may be NULL) gets their data in the same order. */
static int list(struct configmaps *maps, const struct casb_call *call, json_t **ret_data,
                struct casb_error *err)
{
    char all[PATH_BYTES], selector[SHARD_LABELS_BYTES], version[KUBE_VERSION_BYTES];
    const struct kube_query query[] = {
        {"labelSelector", shards_selector(selector, maps->host->instance)}, {NULL, NULL}};
    json_auto_t *data = json_array();
    struct listing listing = {maps, data, err};
    int r;

    maps->known = false;
    shards_free(&maps->shards);
    if (!data)
        return err_nomem(err);
    r = kube_list(maps->kube, call, path(all, maps, NULL), query, take_configmap, &listing, version,
                  err);
    if (!r)
        r = settle_twins(&listing);
    if (r)
        return r;
    maps->known = true;
    if (ret_data)
        *ret_data = TAKE_PTR(data);
    return 0;
}

static int give_record(const struct configmaps *maps, const struct shard *shard, const char *uid,
                       const json_t *text, casb_record_fn *each, void *arg, struct casb_error *err)
{
    struct casb_error trouble = {0};
    struct casb_record record;
    json_auto_t *json = NULL;
    int r = parse_record(uid, text, &json, &record, &trouble);

    if (!r)
        return each(&record, arg);
    if (r == CASB_ENOMEM)
        return err_pass(err, &trouble);
    plog(maps->host, CASB_WARN, NULL, "ConfigMap '%s': record '%s' is ignored: %s", shard->name,
         uid, trouble.text);
    return 0;
}

static int give_records(const struct configmaps *maps, const json_t *data, casb_record_fn *each,
                        void *arg, struct casb_error *err)
{
    for (size_t i = 0; i < maps->shards.n; i++) {
        const struct shard *shard = &maps->shards.list[i];
        const char *uid;
        json_t *text;
        int r = 0;

        json_object_foreach (json_array_get(data, i), uid, text) {
            if (json_object_get(shard->sizes, uid))
                r = give_record(maps, shard, uid, text, each, arg, err);
            if (r)
                return r;
        }
    }
    return 0;
}

int configmaps_load(struct configmaps *maps, const struct casb_call *call, casb_record_fn *each,
                    void *arg, struct casb_error *err)
{
    json_auto_t *data = NULL;
    int r;

    pthread_mutex_lock(&maps->lock);
    r = list(maps, call, &data, err);
    if (!r)
        r = give_records(maps, data, each, arg, err);
    pthread_mutex_unlock(&maps->lock);
    return r;
}

/* ---- writing */

static int create(struct configmaps *maps, const struct casb_call *call, struct shard *shard,
                  struct casb_error *err)
{
    char all[PATH_BYTES];
    struct casb_error trouble;
    int r = CASB_ECONFLICT;

    for (int i = 0; i < NAME_TRIES && r == CASB_ECONFLICT; i++) {
        struct kube_request request = {.verb = KUBE_POST, .path = path(all, maps, NULL)};
        json_auto_t *body = NULL;
        json_auto_t *created = NULL;

        if (i > 0)
            shard_rename(&maps->shards, shard);
        trouble = (struct casb_error){0};
        r = shard_body(&maps->shards, shard, &body, &trouble);
        request.body = body;
        if (!r)
            r = kube_request(maps->kube, call, &request, &created, NULL, &trouble);
        if (!r)
            shard_written(shard, created);
    }
    return r ? err_pass(err, &trouble) : 0;
}

static int patch(struct configmaps *maps, const struct casb_call *call, struct shard *shard,
                 struct casb_error *err)
{
    char own[PATH_BYTES];
    struct kube_request request = {.verb = KUBE_MERGE_PATCH, .path = path(own, maps, shard->name)};
    json_auto_t *body = NULL;
    int r = shard_body(&maps->shards, shard, &body, err);

    request.body = body;
    if (!r)
        r = kube_request(maps->kube, call, &request, NULL, NULL, err);
    if (!r)
        shard_written(shard, NULL);
    return r;
}

/* *ret_shard is the one that could not be written. */
static int write_shards(struct configmaps *maps, const struct casb_call *call,
                        const struct shard **ret_shard, struct casb_error *err)
{
    for (size_t i = 0; i < maps->shards.n; i++) {
        struct shard *shard = &maps->shards.list[i];
        int r;

        if (!shard->patch)
            continue;
        *ret_shard = shard;
        r = *shard->uid ? patch(maps, call, shard, err) : create(maps, call, shard, err);
        if (r)
            return err_wrap(err, r, "ConfigMap '%s'", shard->name);
    }
    return 0;
}

/* One try. `refused` names a shard that must not grow; it gets the name of a shard that failed. */
static int change(struct configmaps *maps, const struct casb_call *call, json_t *changes,
                  char refused[static SHARD_NAME_BYTES], struct casb_error *err)
{
    const struct shard *failed = NULL;
    int r = maps->known ? 0 : list(maps, call, NULL, err);

    for (size_t i = 0; i < maps->shards.n; i++)
        if (strcmp(maps->shards.list[i].name, refused) == 0)
            maps->shards.list[i].bytes += SHARD_LIMIT_BYTES;
    for (int round = 0; round < ROUNDS && !r; round++) {
        r = shards_plan(&maps->shards, round == 0 ? changes : NULL, SHARD_LIMIT_BYTES, err);
        if (!r)
            r = write_shards(maps, call, &failed, err);
    }
    if (!r)
        return 0;
    maps->known = false;
    snprintf(refused, SHARD_NAME_BYTES, "%s", failed ? failed->name : "");
    return r;
}

/* Would a look at what the cluster has now help? It was deleted, replaced, or others made it grow.
 */
static bool is_outdated(int r, const struct casb_error *err)
{
    return r == CASB_ENOTFOUND || r == CASB_ECONFLICT || err->http == HTTP_TOO_LARGE ||
           err->http == HTTP_UNPROCESSABLE;
}

int configmaps_change(struct configmaps *maps, const struct casb_call *call, json_t *changes,
                      struct casb_error *err)
{
    char refused[SHARD_NAME_BYTES] = "";
    struct casb_error trouble;
    int r = 0;

    if (json_object_size(changes) == 0)
        return 0;
    pthread_mutex_lock(&maps->lock);
    for (int i = 0; i < CHANGE_TRIES; i++) {
        trouble = (struct casb_error){0};
        r = change(maps, call, changes, refused, &trouble);
        if (!r || !is_outdated(r, &trouble))
            break;
    }
    pthread_mutex_unlock(&maps->lock);
    return r ? err_pass(err, &trouble) : 0;
}
