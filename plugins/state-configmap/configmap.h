/* SPDX-License-Identifier: Apache-2.0 */
/* The records in ConfigMaps: loading and changing them. Thread-safe, but for its begin and end. */
#ifndef STATE_CONFIGMAP_CONFIGMAP_H
#define STATE_CONFIGMAP_CONFIGMAP_H

#include "common/kube/kube.h"
#include "state-configmap/shard.h"

#include <cas-backup/state.h>

#include <pthread.h>
#include <stdbool.h>

struct configmaps {
    const struct casb_host *host;
    struct kube *kube;
    pthread_mutex_t lock; /* guards what follows */
    struct shards shards;
    bool known;                /* `shards` is what the cluster has */
    char *pass;                /* what `shards` has of the last pass; NULL: nothing */
    size_t part_bytes;         /* of records that one request may write */
    struct casb_error refusal; /* that every ConfigMap made would meet; code 0: none is known */
};

/* For the client's namespace; `host` and `kube` are borrowed. No connection is made. */
void configmaps_init(struct configmaps *maps, const struct casb_host *host, struct kube *kube);

/* Frees what is in it. */
void configmaps_free(struct configmaps *maps);

/*
 * Gives every record, see casb_state_ops.load: where two ConfigMaps have the same uid, the newer
 * one; the next change drops the other.
 */
int configmaps_load(struct configmaps *maps, const struct casb_call *call, casb_record_fn *each,
                    void *arg, struct casb_error *err) _warn_unused_;

/* Gives what is remembered of the last pass, see casb_state_ops.load_pass. */
int configmaps_load_pass(struct configmaps *maps, const struct casb_call *call, casb_pass_fn *take,
                         void *arg, struct casb_error *err) _warn_unused_;

/*
 * Writes changes (uid: text or null, record_changes()) by one request a ConfigMap, or by more where
 * a proxy takes no body of that size; and `pass`, the text of what is remembered of the last one,
 * or NULL. One that was deleted or grew too large meanwhile is made up
 * for by others. After a failure some of them may
 * be written: the same changes may be written again.
 */
int configmaps_change(struct configmaps *maps, const struct casb_call *call, json_t *changes,
                      const char *pass, struct casb_error *err) _warn_unused_;

#endif
