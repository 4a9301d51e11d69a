/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How records lie in ConfigMaps: one data key a node, its uid, with the record's JSON as value;
 * several ConfigMaps ("shards") before one is full. This is the arithmetic only: which shard gets
 * what, and the bodies of the requests. No I/O, not thread-safe.
 */
#ifndef STATE_CONFIGMAP_SHARD_H
#define STATE_CONFIGMAP_SHARD_H

#include "base/error.h"
#include "base/textmap.h"
#include "common/kube/ownership.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * A ConfigMap holds 1 MiB (Kubernetes, "ConfigMaps"), but each write stores all of it anew in
 * etcd: shards stay well below. 256 KiB are some 500 nodes.
 */
#define SHARD_LIMIT_BYTES ((size_t)256 * 1024)
/* The annotation that holds what is remembered of the last pass: any key of data may be a uid. */
#define SHARD_PASS       "cas-backup/pass"
#define SHARD_NAME_BYTES 254
#define SHARD_UID_BYTES  64

struct shard {
    char name[SHARD_NAME_BYTES];
    char uid[SHARD_UID_BYTES]; /* of the ConfigMap in the cluster; "" where it is not there yet */
    bool fixed;                /* being deleted, or immutable: what is new goes elsewhere */
    unsigned number;           /* in a name of our own making; 0: found in the cluster */
    size_t bytes;              /* of all keys and values, once `patch` is written */
    struct textmap sizes;      /* uid: bytes of its key and value */
    struct textmap stale;      /* the same for data that newer data elsewhere replaces */
    bool has_pass;             /* it holds what is remembered of the last pass */
    const char *pass;          /* what is to be written of that (borrowed); NULL: nothing */
    json_t *patch;             /* what is to be written: uid: text, or null; NULL: nothing */
};

struct shards {
    const char *instance;
    struct shard *list;
    size_t n;
};

/* The label selectors by which an instance's shards are found, now and before. Return out. */
char *shards_selector(char out[static OWNERSHIP_SELECTOR_BYTES], const char *instance);
char *shards_selector_before(char out[static OWNERSHIP_SELECTOR_BYTES], const char *instance);

/*
 * The metadata of an object of this plugin; `component` is "state" or "lock". The caller owns
 * *ret.
 */
int shards_metadata(const char *instance, const char *component, const char *name, json_t **ret,
                    struct casb_error *err) _warn_unused_;

/* What no list would show is as good as not made: CASB_EFAILED where admission took it from us. */
int shards_check_made(const json_t *sent, const json_t *made, struct casb_error *err) _warn_unused_;

/* The body of a DELETE of just this version of the object. The caller owns *ret. */
int shards_delete_options(const json_t *object, json_t **ret, struct casb_error *err) _warn_unused_;

/* Takes in a ConfigMap as it is in the cluster. After a failure shards_free() is all that is left.
 */
int shards_take(struct shards *shards, const json_t *configmap, struct casb_error *err)
    _warn_unused_;

/* The shard that holds the uid, not as stale, or NULL. */
struct shard *shards_find(const struct shards *shards, const char *uid);

/* The uid's data in this shard does not count: the next plan drops it. */
int shard_make_stale(struct shard *shard, const char *uid, struct casb_error *err) _warn_unused_;

/*
 * Spreads changes (uid: text or null, as record_changes() makes them; NULL: none) over the shards'
 * patches: a uid stays where it is while there is room and that may be written, else the first
 * shard with room gets it, else a new one; then its old place is stale from now on. What was stale
 * before is dropped. Where a patch cannot be written the plan is of no use: shards_free(), and take
 * in what the cluster has.
 */
int shards_plan(struct shards *shards, json_t *changes, size_t limit, struct casb_error *err)
    _warn_unused_;

/*
 * Has a text written (borrowed until then) as what is remembered of the last pass: where such a
 * text is, else to the first shard, or to a new one where there is none.
 */
int shards_plan_pass(struct shards *shards, const char *text, struct casb_error *err) _warn_unused_;

/*
 * Takes the first changes of shard->patch, as many as have `max` bytes together and at least one,
 * as an object of the same form, which the caller owns; *ret_bytes is what they have.
 */
int shard_part(const struct shard *shard, size_t max, json_t **ret, size_t *ret_bytes,
               struct casb_error *err) _warn_unused_;

/*
 * The ConfigMap, or the merge patch of this very one (CASB_ECONFLICT where it was replaced), that
 * writes `part`, shard->pass and the labels. The caller owns *ret.
 */
int shard_body(const struct shards *shards, const struct shard *shard, json_t *part, json_t **ret,
               struct casb_error *err) _warn_unused_;

/*
 * That part of the patch is written; `created` is the new ConfigMap where there was none before,
 * else NULL. shard->patch is NULL once all of it is.
 */
void shard_written(struct shard *shard, const json_t *part, const json_t *created);

/* The new shard's name belongs to somebody else: gives it the next one. */
void shard_rename(const struct shards *shards, struct shard *shard);

/* Empties the set. */
void shards_free(struct shards *shards);

#endif
