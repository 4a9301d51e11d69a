/* SPDX-License-Identifier: Apache-2.0 */
#include "state-configmap/rivals.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/plog.h"
#include "common/kube/ownership.h"
#include "state-configmap/lease_rules.h"
#include "state-configmap/shard.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_NS      CLOCK_S /* between two looks */
#define PATH_BYTES   640
#define HOLDER_BYTES 400
#define RIVALS_MOST  64 /* that are watched at a time: others wait for the next look */

char *rivals_lease_name(char out[static RIVALS_NAME_BYTES], const char *instance,
                        const struct casb_share *share)
{
    if (share->count > 1)
        snprintf(out, RIVALS_NAME_BYTES, "%s-%u-of-%u", instance, share->index, share->count);
    else
        snprintf(out, RIVALS_NAME_BYTES, "%s", instance);
    return out;
}

uint32_t rivals_shares(const char *name, const char *instance)
{
    size_t len = strlen(instance);
    unsigned index, count;
    char end;

    if (strncmp(name, instance, len) != 0 ||
        /* NOLINTNEXTLINE(cert-err34-c): nine digits are no overflow */
        sscanf(name + len, "-%9u-of-%9u%c", &index, &count, &end) != 2)
        return 1;
    return count;
}

/* What is watched, and what a look at all of it found. */
struct watch {
    const struct casb_host *host;
    struct kube *kube;
    const char *all;
    int64_t fallback_s;
    struct rival {
        char *name;
        struct lease_sight sight;
    } rivals[RIVALS_MOST];
    size_t n;
    bool told, waiting;
    char who[HOLDER_BYTES];
};

static void watch_done(struct watch *watch)
{
    for (size_t i = 0; i < watch->n; i++) {
        free(watch->rivals[i].name);
        json_decref(watch->rivals[i].sight.spec);
    }
}

/* What was seen of the lease so far, also of one before it; NULL: nothing can be kept now. */
static struct rival *rival_of(struct watch *watch, const char *name)
{
    size_t i = 0;

    while (i < watch->n && strcmp(watch->rivals[i].name, name) != 0)
        i++;
    if (i == RIVALS_MOST)
        return NULL;
    if (i == watch->n) {
        watch->rivals[i].name = strdup(name);
        watch->n += watch->rivals[i].name != NULL;
    }
    return i < watch->n ? &watch->rivals[i] : NULL;
}

/* Makes room for one that waits for it. */
static void forget(struct watch *watch, struct rival *rival)
{
    free(rival->name);
    json_decref(rival->sight.spec);
    *rival = watch->rivals[--watch->n];
    watch->rivals[watch->n] = (struct rival){.name = NULL};
}

/*
 * Its holder is dead, and nobody else would take it away: whoever splits the nodes so has gone.
 * False where it could not be removed.
 */
static bool remove_dead(const struct watch *watch, const json_t *lease)
{
    char path[PATH_BYTES];
    struct kube_request request = {.verb = KUBE_DELETE, .path = path};
    const struct casb_call call = {clock_now_ns() + LOOK_NS, -1};
    json_auto_t *body = NULL;

    snprintf(path, sizeof path, "%s/%s", watch->all, jsonx_string(lease, "metadata.name"));
    if (shards_delete_options(lease, &body, NULL))
        return false;
    request.body = body;
    return kube_request(watch->kube, &call, &request, NULL, NULL, NULL) == 0;
}

static int judge(struct watch *watch, const json_t *lease, struct casb_error *err)
{
    const char *name = jsonx_string(lease, "metadata.name");
    const struct casb_share *own = &watch->host->share;
    struct rival *rival;

    if (!name || rivals_shares(name, watch->host->instance) == (own->count > 1 ? own->count : 1))
        return 0;
    rival = rival_of(watch, name);
    lease_describe(lease, watch->who, sizeof watch->who);
    switch (rival ? lease_judge(lease, &rival->sight, watch->host->holder, watch->fallback_s,
                                clock_now_ns())
                  : LEASE_WATCH) {
    case LEASE_ALIVE:
        return err_set(err, CASB_ECONFLICT,
                       "another pass holds the lock, by lease '%s' and so over other nodes than "
                       "this one's: %s",
                       name, watch->who);
    case LEASE_WATCH:
        watch->waiting = true;
        return 0;
    case LEASE_FREE:
    case LEASE_MINE:
        if (remove_dead(watch, lease))
            forget(watch, rival);
        return 0;
    }
    return 0;
}

static int look(struct watch *watch, const struct casb_call *call, struct casb_error *err)
{
    char selector[OWNERSHIP_SELECTOR_BYTES];
    const struct kube_query query[] = {
        {"labelSelector", ownership_selector(selector, watch->host->instance, "lock")},
        {NULL, NULL},
    };
    const struct kube_request request = {.verb = KUBE_GET, .path = watch->all, .query = query};
    json_auto_t *list = NULL;
    const json_t *lease;
    size_t i;
    int r = kube_request(watch->kube, call, &request, &list, NULL, err);

    watch->waiting = false;
    json_array_foreach (jsonx_array(list, "items"), i, lease) {
        if (!r)
            r = judge(watch, lease, err);
    }
    return r;
}

static int await(struct watch *watch, const struct casb_call *call, struct casb_error *err)
{
    int r, stop;

    for (;;) {
        r = look(watch, call, err);
        if (r || !watch->waiting)
            return r;
        if (!watch->told)
            plog(watch->host, CASB_INFO, NULL, "waiting whether a pass over other nodes lives: %s",
                 watch->who);
        watch->told = true;
        stop = clock_sleep(call, LOOK_NS);
        if (stop == CASB_ETIMEOUT)
            return err_set(err, CASB_ECONFLICT,
                           "a pass over other nodes, alive or not, holds the lock and no time is "
                           "left: %s",
                           watch->who);
        if (stop)
            return err_set(err, (enum casb_code)stop, "waiting for the lock");
    }
}

int rivals_await_none(const struct casb_host *host, struct kube *kube, const char *all,
                      int64_t fallback_s, const struct casb_call *call, struct casb_error *err)
{
    struct watch watch = {.host = host, .kube = kube, .all = all, .fallback_s = fallback_s};
    int r = await(&watch, call, err);

    watch_done(&watch);
    return r;
}
