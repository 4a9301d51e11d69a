/* SPDX-License-Identifier: Apache-2.0 */
#include "state-configmap/configmap.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/plog.h"
#include "base/record.h"
#include "base/summary.h"
#include "base/text.h"

#include <string.h>

#define PATH_BYTES         600
#define ROUNDS             2 /* the second one drops what the first one wrote elsewhere */
#define CHANGE_TRIES       3
#define NAME_TRIES         20 /* ConfigMaps of somebody else's with a name that would be ours */
#define HTTP_TOO_LARGE     413
#define HTTP_UNPROCESSABLE 422
#define DAMAGED            (-1)

void configmaps_init(struct configmaps *maps, const struct casb_host *host, struct kube *kube)
{
    *maps = (struct configmaps){
        .host = host,
        .kube = kube,
        .shards.instance = host->instance,
        .part_bytes = SIZE_MAX,
    };
    pthread_mutex_init(&maps->lock, NULL);
}

void configmaps_free(struct configmaps *maps)
{
    shards_free(&maps->shards);
    free(maps->pass);
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

/* A list of the shards, whose records are given as they come: none waits for the rest. */
struct listing {
    struct configmaps *maps;
    casb_record_fn *each; /* NULL: nobody wants the records */
    void *arg;
    struct textmap written; /* uid: when its record was written last, as far as it tells */
    int64_t now_s;
    struct casb_error *err;
};

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A time that is still to come is a wrong clock's, and would win for ever. */
static int64_t past(int64_t time, int64_t now_s)
{
    return clock_is_ahead(time, now_s) ? 0 : time;
}

static int64_t written_of(const struct casb_record *record, int64_t now_s)
{
    return later(past(record->attempted, now_s),
                 later(past(record->seen, now_s), past(record->spawned, now_s)));
}

/* *ret_newer: the uid's record in this shard, of that time, counts; the other one is stale. */
static int settle_twin(struct listing *listing, struct shard *shard, const char *uid,
                       int64_t written_s, bool *ret_newer)
{
    struct shard *earlier, *loser;
    int64_t known_s;

    *ret_newer = true;
    if (!textmap_get(&listing->written, uid, &known_s))
        return 0;
    earlier = shards_find(&listing->maps->shards, uid);
    *ret_newer = written_s > known_s || (written_s == known_s && earlier->fixed);
    loser = *ret_newer ? earlier : shard;
    plog(listing->maps->host, CASB_WARN, NULL,
         "record '%s' is in two ConfigMaps, the older one in '%s' is ignored", uid, loser->name);
    return shard_make_stale(loser, uid, listing->err);
}

/* Reads a record; *ret_written_s is DAMAGED where that is impossible, and *trouble says why. */
static int read_record(const struct listing *listing, const char *uid, const json_t *text,
                       json_t **ret_json, struct casb_record *ret, int64_t *ret_written_s,
                       struct casb_error *trouble)
{
    int r = jsonx_parse(json_string_value(text), json_string_length(text), "its text", ret_json,
                        trouble);

    if (!r)
        r = record_from_json(uid, *ret_json, ret, trouble);
    if (r == CASB_ENOMEM)
        return r;
    *ret_written_s = r ? DAMAGED : written_of(ret, listing->now_s);
    return 0;
}

static int take_record(struct listing *listing, struct shard *shard, const char *uid,
                       const json_t *text)
{
    struct casb_error trouble = {0};
    struct casb_record record;
    json_auto_t *json = NULL;
    int64_t written_s;
    bool newer;

    if (read_record(listing, uid, text, &json, &record, &written_s, &trouble))
        return err_pass(listing->err, &trouble);
    if (settle_twin(listing, shard, uid, written_s, &newer))
        return CASB_ENOMEM;
    if (!newer)
        return 0;
    if (textmap_set(&listing->written, uid, written_s))
        return err_nomem(listing->err);
    if (!listing->each)
        return 0;
    if (written_s != DAMAGED)
        return listing->each(&record, listing->arg);
    plog(listing->maps->host, CASB_WARN, NULL, "ConfigMap '%s': record '%s' is ignored: %s",
         shard->name, uid, trouble.text);
    return 0;
}

static int take_configmap(const json_t *item, void *arg)
{
    struct listing *listing = arg;
    const json_t *annotations = jsonx_object(item, "metadata.annotations");
    const char *pass = json_string_value(json_object_get(annotations, SHARD_PASS)), *uid;
    struct configmaps *maps = listing->maps;
    struct shard *shard;
    json_t *text;
    int r = shards_take(&maps->shards, item, listing->err);

    if (r)
        return r;
    shard = &maps->shards.list[maps->shards.n - 1];
    if (!maps->pass && shard->has_pass && text_dup(pass, &maps->pass))
        return err_nomem(listing->err);
    json_object_foreach ((json_t *)jsonx_object(item, "data"), uid, text) {
        r = take_record(listing, shard, uid, text);
        if (r)
            return r;
    }
    return 0;
}

static int list_selected(struct listing *listing, const struct casb_call *call,
                         const char *selector)
{
    const struct kube_query query[] = {{"labelSelector", selector}, {NULL, NULL}};
    char all[PATH_BYTES], version[KUBE_VERSION_BYTES];

    return kube_list(listing->maps->kube, call, path(all, listing->maps, NULL), query,
                     take_configmap, listing, version, listing->err);
}

/* Makes the shards anew, and gives each record to `each`, which may be NULL. */
static int list(struct configmaps *maps, const struct casb_call *call, casb_record_fn *each,
                void *arg, struct casb_error *err)
{
    char now[OWNERSHIP_SELECTOR_BYTES], before[OWNERSHIP_SELECTOR_BYTES];
    const char *const selectors[] = {
        shards_selector(now, maps->host->instance),
        shards_selector_before(before, maps->host->instance),
    };
    struct listing listing = {
        .maps = maps, .each = each, .arg = arg, .now_s = clock_wall_ms() / 1000, .err = err};
    int r = 0;

    maps->known = false;
    shards_free(&maps->shards);
    free(maps->pass);
    maps->pass = NULL;
    for (size_t i = 0; !r && i < ELEMENTS(selectors); i++)
        r = list_selected(&listing, call, selectors[i]);
    textmap_free(&listing.written);
    maps->known = !r;
    return r;
}

int configmaps_load(struct configmaps *maps, const struct casb_call *call, casb_record_fn *each,
                    void *arg, struct casb_error *err)
{
    int r;

    pthread_mutex_lock(&maps->lock);
    r = list(maps, call, each, arg, err);
    pthread_mutex_unlock(&maps->lock);
    return r;
}

int configmaps_load_pass(struct configmaps *maps, const struct casb_call *call, casb_pass_fn *take,
                         void *arg, struct casb_error *err)
{
    json_auto_t *json = NULL;
    struct casb_pass pass;
    int r = 0;

    pthread_mutex_lock(&maps->lock);
    if (!maps->known)
        r = list(maps, call, NULL, NULL, err);
    if (!r && maps->pass && jsonx_parse(maps->pass, strlen(maps->pass), NULL, &json, NULL))
        plog(maps->host, CASB_WARN, NULL, "what is remembered of the last pass is damaged");
    pthread_mutex_unlock(&maps->lock);
    summary_from_json(json, &pass);
    if (json)
        take(&pass, arg);
    return r;
}

/* ---- writing */

/* The role of a pass need not have the right to. */
static void remove_made(struct configmaps *maps, const struct casb_call *call, const char *name,
                        const json_t *made)
{
    char own[PATH_BYTES];
    struct kube_request request = {.verb = KUBE_DELETE, .path = path(own, maps, name)};
    struct casb_error trouble = {0};
    json_auto_t *body = NULL;
    int r = shards_delete_options(made, &body, &trouble);

    request.body = body;
    if (!r)
        r = kube_request(maps->kube, call, &request, NULL, NULL, &trouble);
    if (r)
        plog(maps->host, CASB_WARN, NULL, "ConfigMap '%s', made in vain, stays: %s", name,
             trouble.text);
}

/* Where admission took one from us it would take the next one, too. */
static int check_made(struct configmaps *maps, const struct casb_call *call, const char *name,
                      const json_t *sent, const json_t *made, struct casb_error *err)
{
    if (!shards_check_made(sent, made, &maps->refusal))
        return 0;
    remove_made(maps, call, name, made);
    return err_pass(err, &maps->refusal);
}

static int create(struct configmaps *maps, const struct casb_call *call, struct shard *shard,
                  json_t *part, struct casb_error *err)
{
    char all[PATH_BYTES];
    struct casb_error trouble, first = {0};
    int r = CASB_ECONFLICT;

    if (maps->refusal.code)
        return err_pass(err, &maps->refusal);
    for (int i = 0; i < NAME_TRIES && r == CASB_ECONFLICT; i++) {
        struct kube_request request = {
            .verb = KUBE_POST,
            .path = path(all, maps, NULL),
            .once = true, /* that the name is taken could be our own doing */
        };
        json_auto_t *body = NULL;
        json_auto_t *created = NULL;

        if (i > 0)
            shard_rename(&maps->shards, shard);
        trouble = (struct casb_error){0};
        r = shard_body(&maps->shards, shard, part, &body, &trouble);
        request.body = body;
        if (!r)
            r = kube_request(maps->kube, call, &request, &created, NULL, &trouble);
        if (!r)
            r = check_made(maps, call, shard->name, body, created, &trouble);
        if (!r)
            shard_written(shard, part, created);
        else
            err_pass(&first, &trouble);
    }
    return r ? err_pass_after(err, &trouble, &first) : 0;
}

static int patch(struct configmaps *maps, const struct casb_call *call, struct shard *shard,
                 json_t *part, struct casb_error *err)
{
    char own[PATH_BYTES];
    struct kube_request request = {.verb = KUBE_MERGE_PATCH, .path = path(own, maps, shard->name)};
    json_auto_t *body = NULL;
    int r = shard_body(&maps->shards, shard, part, &body, err);

    request.body = body;
    if (!r)
        r = kube_request(maps->kube, call, &request, NULL, NULL, err);
    if (!r)
        shard_written(shard, part, NULL);
    return r;
}

/*
 * A proxy before the API server has a limit of its own for bodies, which only its refusals tell. A
 * record that is too large by itself does not keep the others from being written.
 */
static int settle_too_large(struct configmaps *maps, struct shard *shard, const json_t *part,
                            size_t bytes, struct casb_error *refusal)
{
    const char *uid = json_object_iter_key(json_object_iter((json_t *)part));

    if (json_object_size(part) > 1) {
        maps->part_bytes = bytes / 2;
        plog(maps->host, CASB_INFO, NULL, "ConfigMap '%s' is written in smaller parts: %s",
             shard->name, refusal->text);
        *refusal = (struct casb_error){0};
        return 0;
    }
    shard_written(shard, part, NULL);
    return err_wrap(refusal, refusal->code, "record '%s'", uid);
}

/* Writes the shard's patch, in as many parts as it takes. */
static int write_shard(struct configmaps *maps, const struct casb_call *call, struct shard *shard,
                       struct casb_error *err)
{
    struct casb_error too_large = {0};

    while (shard->patch || shard->pass) {
        struct casb_error trouble = {0};
        json_auto_t *part = NULL;
        size_t bytes;
        int r = shard_part(shard, maps->part_bytes, &part, &bytes, err);

        if (r)
            return r;
        r = *shard->uid ? patch(maps, call, shard, part, &trouble)
                        : create(maps, call, shard, part, &trouble);
        if (r && trouble.http == HTTP_TOO_LARGE && json_object_size(part) > 0)
            r = settle_too_large(maps, shard, part, bytes, &trouble);
        else if (r)
            return err_pass(err, &trouble);
        if (r)
            err_pass(&too_large, &trouble);
    }
    return too_large.code ? err_pass(err, &too_large) : 0;
}

/* *ret_shard is the one that could not be written. */
static int write_shards(struct configmaps *maps, const struct casb_call *call,
                        const struct shard **ret_shard, struct casb_error *err)
{
    for (size_t i = 0; i < maps->shards.n; i++) {
        struct shard *shard = &maps->shards.list[i];
        int r;

        if (!shard->patch && !shard->pass)
            continue;
        *ret_shard = shard;
        r = write_shard(maps, call, shard, err);
        if (r)
            return err_wrap(err, r, "ConfigMap '%s'", shard->name);
    }
    return 0;
}

/* One try. `refused` names a shard that must not grow; it gets the name of a shard that failed. */
static int change(struct configmaps *maps, const struct casb_call *call, json_t *changes,
                  const char *pass, char refused[static SHARD_NAME_BYTES], struct casb_error *err)
{
    const struct shard *failed = NULL;
    int r = maps->known ? 0 : list(maps, call, NULL, NULL, err);

    for (size_t i = 0; i < maps->shards.n; i++)
        if (strcmp(maps->shards.list[i].name, refused) == 0)
            maps->shards.list[i].bytes += SHARD_LIMIT_BYTES;
    for (int round = 0; round < ROUNDS && !r; round++) {
        r = shards_plan(&maps->shards, round == 0 ? changes : NULL, SHARD_LIMIT_BYTES, err);
        if (!r && round == 0 && pass)
            r = shards_plan_pass(&maps->shards, pass, err);
        if (!r)
            r = write_shards(maps, call, &failed, err);
    }
    if (!r)
        return 0;
    maps->known = false;
    snprintf(refused, SHARD_NAME_BYTES, "%s", failed ? failed->name : "");
    return r;
}

/*
 * Would a look at what the cluster has now help? It was deleted, replaced, or others made it grow:
 * the API server says so by a 422, and etcd, which has a limit of its own, only in words.
 */
static bool is_outdated(int r, const struct casb_error *err)
{
    return r == CASB_ENOTFOUND || r == CASB_ECONFLICT || err->http == HTTP_TOO_LARGE ||
           err->http == HTTP_UNPROCESSABLE || strstr(err->text, "etcdserver: request is too large");
}

int configmaps_change(struct configmaps *maps, const struct casb_call *call, json_t *changes,
                      const char *pass, struct casb_error *err)
{
    char refused[SHARD_NAME_BYTES] = "";
    struct casb_error trouble, first = {0};
    int r = 0;

    if (json_object_size(changes) == 0 && !pass)
        return 0;
    pthread_mutex_lock(&maps->lock);
    for (int i = 0; i < CHANGE_TRIES; i++) {
        trouble = (struct casb_error){0};
        r = change(maps, call, changes, pass, refused, &trouble);
        if (!r || !is_outdated(r, &trouble))
            break;
        err_pass(&first, &trouble);
    }
    pthread_mutex_unlock(&maps->lock);
    return r ? err_pass_after(err, &trouble, &first) : 0;
}
