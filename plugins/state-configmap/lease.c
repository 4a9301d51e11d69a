/* SPDX-License-Identifier: Apache-2.0 */
#include "state-configmap/lease.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/plog.h"
#include "base/text.h"
#include "state-configmap/lease_rules.h"
#include "state-configmap/shard.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#define LOOK_NS      CLOCK_S /* between two looks at somebody else's lease */
#define PATH_BYTES   320
#define HOLDER_BYTES 400
#define GIVE_BACKS   3 /* tries, should somebody edit the lease meanwhile */
#define LOOK_AGAIN   1 /* neither taken nor refused */

enum condition { NOT_HELD, HELD, LOST };

struct lease {
    const struct casb_host *host;
    struct kube *kube;
    char all[PATH_BYTES];                    /* path of the namespace's leases */
    char own[PATH_BYTES + TEXT_LABEL_BYTES]; /* of this one */
    int64_t duration_s;
    pthread_mutex_t lock; /* one of take and give back at a time; guards `thread` */
    pthread_t thread;     /* renews while `condition` is not NOT_HELD */
    casb_lost_fn *lost;
    void *arg;
    int stop_fd;          /* readable: the thread is to end */
    int64_t renewed_ns;   /* when the last renewal was sent; the thread's while it runs */
    atomic_int condition; /* enum condition */
};

/* ---- requests */

static int get(struct lease *lease, const struct casb_call *call, json_t **ret,
               struct casb_error *err)
{
    const struct kube_request request = {.verb = KUBE_GET, .path = lease->own};

    return kube_request(lease->kube, call, &request, ret, NULL, err);
}

static int create(struct lease *lease, const struct casb_call *call, bool *ret_unknown,
                  struct casb_error *err)
{
    struct kube_request request = {.verb = KUBE_POST, .path = lease->all};
    const char *instance = lease->host->instance;
    json_auto_t *metadata = NULL;
    json_auto_t *body = NULL;
    int r = shards_metadata(instance, "lock", instance, &metadata, err);

    if (!r)
        r = jsonx_pack(&body, err, "{s:s, s:s, s:O}", "apiVersion", "coordination.k8s.io/v1",
                       "kind", "Lease", "metadata", metadata);
    if (!r)
        r = lease_stamp(body, lease->host->holder, lease->duration_s, clock_wall_ms(), err);
    request.body = body;
    return r ? r : kube_request(lease->kube, call, &request, NULL, ret_unknown, err);
}

/* Writes what was read, so with its resourceVersion: CASB_ECONFLICT where it changed meanwhile. */
static int put(struct lease *lease, const struct casb_call *call, json_t *object,
               struct casb_error *err)
{
    const struct kube_request request = {.verb = KUBE_PUT, .path = lease->own, .body = object};
    int r = lease_stamp(object, lease->host->holder, lease->duration_s, clock_wall_ms(), err);

    return r ? r : kube_request(lease->kube, call, &request, NULL, NULL, err);
}

static int delete_object(struct lease *lease, const struct casb_call *call, const json_t *object,
                         struct casb_error *err)
{
    struct kube_request request = {.verb = KUBE_DELETE, .path = lease->own};
    json_auto_t *body = NULL;
    int r =
        jsonx_pack(&body, err, "{s:s, s:s, s:{s:s*, s:s*}}", "apiVersion", "v1", "kind",
                   "DeleteOptions", "preconditions", "uid", jsonx_string(object, "metadata.uid"),
                   "resourceVersion", jsonx_string(object, "metadata.resourceVersion"));

    request.body = body;
    return r ? r : kube_request(lease->kube, call, &request, NULL, NULL, err);
}

/* ---- renewing */

/* A holder that could not renew stops well before others may take its lease. */
static struct casb_call renewal_call(const struct lease *lease)
{
    return (struct casb_call){
        .deadline_ns = lease->renewed_ns + lease->duration_s * CLOCK_S / 3 * 2,
        .cancel_fd = lease->stop_fd,
    };
}

/*
 * One try. CASB_ENOTFOUND: it is ours no more. Reading first makes other people's edits harmless.
 * There is time for more than one, so that one lost connection does not cost the lock.
 */
static int renew(struct lease *lease, const struct casb_call *until, struct casb_error *err)
{
    const struct casb_call call = {clock_deadline(until, lease->duration_s * CLOCK_S / 6),
                                   until->cancel_fd};
    int64_t now_ns = clock_now_ns();
    json_auto_t *object = NULL;
    char who[HOLDER_BYTES];
    int r = get(lease, &call, &object, err);

    if (r)
        return r;
    if (!lease_is_held_by(object, lease->host->holder))
        return err_set(err, CASB_ENOTFOUND, "it is held by %s",
                       lease_describe(object, who, sizeof who));
    r = put(lease, &call, object, err);
    if (!r)
        lease->renewed_ns = now_ns;
    return r;
}

static void lose(struct lease *lease, int r, const char *trouble)
{
    char why[CASB_ERROR_TEXT_BYTES + 128];

    snprintf(why, sizeof why, "lease '%s'%s: %s", lease->host->instance,
             r == CASB_ENOTFOUND ? "" : " could not be renewed in time",
             *trouble ? trouble : "this process did not run");
    atomic_store(&lease->condition, LOST);
    lease->lost(why, lease->arg);
}

static void *renew_until_stopped(void *arg)
{
    struct lease *lease = arg;
    const int64_t interval_ns = lease->duration_s * CLOCK_S / 3;
    int64_t pause_ns = interval_ns;
    struct casb_error trouble = {0};
    int r = 0;

    while (r == 0) {
        const struct casb_call call = renewal_call(lease);

        r = clock_sleep(&call, pause_ns);
        if (r)
            break;
        trouble = (struct casb_error){0};
        r = renew(lease, &call, &trouble);
        pause_ns = r ? interval_ns / 10 : interval_ns;
        if (r != CASB_ENOTFOUND && r != CASB_ECANCELLED)
            r = 0; /* the sleep notices when it is too late */
    }
    if (r != CASB_ECANCELLED)
        lose(lease, r, trouble.text);
    return NULL;
}

static int start_renewing(struct lease *lease, casb_lost_fn *lost, void *arg,
                          struct casb_error *err)
{
    int r;

    lease->lost = lost;
    lease->arg = arg;
    atomic_store(&lease->condition, HELD);
    r = pthread_create(&lease->thread, NULL, renew_until_stopped, lease);
    if (!r)
        return 0;
    atomic_store(&lease->condition, NOT_HELD);
    return err_set_errno(err, r, "start the thread that renews the lock");
}

static void stop_renewing(struct lease *lease)
{
    if (atomic_load(&lease->condition) == NOT_HELD)
        return;
    eventfd_write(lease->stop_fd, 1);
    pthread_join(lease->thread, NULL);
    eventfd_read(lease->stop_fd, &(eventfd_t){0});
    atomic_store(&lease->condition, NOT_HELD);
}

/* ---- taking */

/*
 * A look at the lease, and a try where it may be taken: 0, LOOK_AGAIN, or a class. `who` gets its
 * holder, *trouble what went wrong.
 */
static int try_to_take(struct lease *lease, const struct casb_call *call, struct lease_sight *sight,
                       char who[static HOLDER_BYTES], struct casb_error *trouble)
{
    json_auto_t *object = NULL;
    bool unknown = false;
    int r;

    *trouble = (struct casb_error){0};
    lease->renewed_ns = clock_now_ns();
    r = get(lease, call, &object, trouble);
    if (r == CASB_ENOTFOUND) {
        *trouble = (struct casb_error){0};
        r = create(lease, call, &unknown, trouble);
    } else if (!r) {
        enum lease_verdict verdict =
            lease_judge(object, sight, lease->host->holder, lease->duration_s, clock_now_ns());

        lease_describe(object, who, HOLDER_BYTES);
        if (verdict == LEASE_WATCH)
            return LOOK_AGAIN;
        if (verdict == LEASE_ALIVE)
            return err_set(trouble, CASB_ECONFLICT, "another pass holds the lock: %s", who);
        r = put(lease, call, object, trouble);
    }
    sight->contested |= r == CASB_ECONFLICT;
    return r == CASB_ECONFLICT || unknown ? LOOK_AGAIN : r;
}

static int take(struct lease *lease, const struct casb_call *call, struct casb_error *err)
{
    struct lease_sight sight = {0};
    struct casb_error trouble;
    char who[HOLDER_BYTES] = "";
    int r, stop = 0, looks = 0;

    do {
        r = try_to_take(lease, call, &sight, who, &trouble);
        if (r != LOOK_AGAIN)
            break;
        if (*who && looks++ == 0)
            plog(lease->host, CASB_INFO, NULL, "waiting whether the lock's holder lives: %s", who);
        stop = clock_sleep(call, LOOK_NS);
    } while (!stop);
    json_decref(sight.spec);
    if (stop == CASB_ETIMEOUT && *who)
        return err_set(err, CASB_ECONFLICT,
                       "another pass, alive or not, holds the lock and no time is left: %s", who);
    if (stop)
        return err_set(err, stop, "waiting for the lock%s%s", *trouble.text ? ": " : "",
                       trouble.text);
    return r ? err_pass(err, &trouble) : 0;
}

static int release(struct lease *lease, const struct casb_call *call, struct casb_error *err)
{
    struct casb_error trouble = {0};
    int r = CASB_ECONFLICT;

    for (int i = 0; i < GIVE_BACKS && r == CASB_ECONFLICT; i++) {
        json_auto_t *object = NULL;

        trouble = (struct casb_error){0};
        r = get(lease, call, &object, &trouble);
        if (!r && !lease_is_held_by(object, lease->host->holder))
            return 0;
        if (!r)
            r = delete_object(lease, call, object, &trouble);
    }
    return !r || r == CASB_ENOTFOUND ? 0 : err_pass(err, &trouble);
}

int lease_take(struct lease *lease, const struct casb_call *call, casb_lost_fn *lost, void *arg,
               struct casb_error *err)
{
    int r;

    pthread_mutex_lock(&lease->lock);
    if (atomic_load(&lease->condition) != NOT_HELD)
        r = err_set(err, CASB_EINVALID, "the lock is held already");
    else
        r = take(lease, call, err);
    if (!r) {
        r = start_renewing(lease, lost, arg, err);
        if (r)
            release(lease, call, NULL);
    }
    pthread_mutex_unlock(&lease->lock);
    return r ? err_wrap(err, r, "lease '%s'", lease->host->instance) : 0;
}

int lease_check(struct lease *lease, struct casb_error *err)
{
    switch ((enum condition)atomic_load(&lease->condition)) {
    case HELD:
        return 0;
    case LOST:
        return err_set(err, CASB_ECONFLICT, "the lock is lost: somebody else may be writing");
    case NOT_HELD:
        break;
    }
    return err_set(err, CASB_EINVALID, "the lock is not held");
}

int lease_give_back(struct lease *lease, const struct casb_call *call, struct casb_error *err)
{
    int r = 0;

    pthread_mutex_lock(&lease->lock);
    if (atomic_load(&lease->condition) != NOT_HELD) {
        stop_renewing(lease);
        r = release(lease, call, err);
    }
    pthread_mutex_unlock(&lease->lock);
    return r ? err_wrap(err, r, "lease '%s'", lease->host->instance) : 0;
}

/* ---- life */

int lease_new(const struct casb_host *host, struct kube *kube, int64_t duration_ns,
              struct lease **ret, struct casb_error *err)
{
    _cleanup_(lease_freep) struct lease *lease = calloc(1, sizeof *lease);

    if (!lease)
        return err_nomem(err);
    lease->host = host;
    lease->kube = kube;
    lease->duration_s = (duration_ns + CLOCK_S - 1) / CLOCK_S;
    snprintf(lease->all, sizeof lease->all, "/apis/coordination.k8s.io/v1/namespaces/%s/leases",
             kube_namespace(kube));
    snprintf(lease->own, sizeof lease->own, "%s/%s", lease->all, host->instance);
    pthread_mutex_init(&lease->lock, NULL);
    lease->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (lease->stop_fd < 0)
        return err_set_errno(err, errno, "make an eventfd");
    *ret = TAKE_PTR(lease);
    return 0;
}

void lease_free(struct lease *lease)
{
    if (!lease)
        return;
    stop_renewing(lease);
    closep(&lease->stop_fd);
    pthread_mutex_destroy(&lease->lock);
    free(lease);
}
