/* SPDX-License-Identifier: Apache-2.0 */
#include "state-configmap/lease.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/label.h"
#include "base/plog.h"
#include "base/text.h"
#include "state-configmap/lease_rules.h"
#include "state-configmap/rivals.h"
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

/* How long what was cut off may still be on its way through the API server. */
#define WITHDRAW_NS      (10 * CLOCK_S)
#define WITHDRAW_STEP_NS (250 * CLOCK_MS)

enum condition { NOT_HELD, HELD, LOST };

struct lease {
    const struct casb_host *host;
    struct kube *kube;
    char name[RIVALS_NAME_BYTES];
    char all[PATH_BYTES];                     /* path of the namespace's leases */
    char own[PATH_BYTES + RIVALS_NAME_BYTES]; /* of this one */
    int64_t duration_s;
    pthread_mutex_t lock; /* one of take and give back at a time; guards `thread` */
    pthread_t thread;     /* renews while `condition` is not NOT_HELD */
    casb_lost_fn *lost;
    void *arg;
    int stop_fd;          /* readable: the thread is to end */
    bool unsettled;       /* a request was sent to take it whose outcome is not known */
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
    json_auto_t *metadata = NULL, *body = NULL, *made = NULL;
    int r = shards_metadata(instance, "lock", lease->name, &metadata, err);

    if (!r)
        r = jsonx_pack(&body, err, "{s:s, s:s, s:O}", "apiVersion", "coordination.k8s.io/v1",
                       "kind", "Lease", "metadata", metadata);
    if (!r)
        r = lease_stamp(body, lease->host->holder, lease->duration_s, clock_wall_ms(), err);
    request.body = body;
    if (!r)
        r = kube_request(lease->kube, call, &request, &made, ret_unknown, err);
    if (!r) {
        r = shards_check_made(body, made, err);
        lease->unsettled |= r != 0; /* it is there, but a pass over other nodes would not see it */
    }
    return r;
}

/* Whoever made it, passes over other nodes are to find it. */
static int mark(const struct lease *lease, json_t *object, struct casb_error *err)
{
    json_t *metadata = json_object_get(object, "metadata"), *own, *labels;
    json_auto_t *wanted = NULL;
    int r = shards_metadata(lease->host->instance, "lock", lease->name, &wanted, err);

    if (r)
        return r;
    own = json_object_get(wanted, "labels");
    labels = json_object_get(metadata, "labels");
    if (json_is_object(labels) ? json_object_update(labels, own)
                               : json_object_set(metadata, "labels", own))
        return err_nomem(err);
    return 0;
}

/* Writes what was read, so with its resourceVersion: CASB_ECONFLICT where it changed meanwhile. */
static int put(struct lease *lease, const struct casb_call *call, json_t *object,
               struct casb_error *err)
{
    const struct kube_request request = {.verb = KUBE_PUT, .path = lease->own, .body = object};
    int r = mark(lease, object, err);

    if (!r)
        r = lease_stamp(object, lease->host->holder, lease->duration_s, clock_wall_ms(), err);
    return r ? r : kube_request(lease->kube, call, &request, NULL, NULL, err);
}

static int delete_object(struct lease *lease, const struct casb_call *call, const json_t *object,
                         struct casb_error *err)
{
    struct kube_request request = {.verb = KUBE_DELETE, .path = lease->own};
    json_auto_t *body = NULL;
    int r = shards_delete_options(object, &body, err);

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
    json_auto_t *object = NULL;
    char who[HOLDER_BYTES];
    int64_t sent_ns;
    int r = get(lease, &call, &object, err);

    if (r)
        return r;
    if (!lease_is_held_by(object, lease->host->holder))
        return err_set(err, CASB_ENOTFOUND, "it is held by %s",
                       lease_describe(object, who, sizeof who));
    sent_ns = clock_now_ns();
    r = put(lease, &call, object, err);
    if (!r)
        lease->renewed_ns = sent_ns;
    return r;
}

/* `last` is why the last renewal failed and `first` why the first did, since one was in order. */
static void lose(struct lease *lease, int r, const struct casb_error *last,
                 const struct casb_error *first)
{
    char why[CASB_ERROR_TEXT_BYTES + RIVALS_NAME_BYTES + 64];
    struct casb_error both = {0};

    err_pass_after(&both, last, first);
    snprintf(why, sizeof why, "lease '%s'%s: %s", lease->name,
             r == CASB_ENOTFOUND ? "" : " could not be renewed in time",
             *both.text ? both.text : "this process did not run");
    atomic_store(&lease->condition, LOST);
    lease->lost(why, lease->arg);
}

static void *renew_until_stopped(void *arg)
{
    struct lease *lease = arg;
    const int64_t interval_ns = lease->duration_s * CLOCK_S / 3;
    int64_t due_ns = lease->renewed_ns + interval_ns;
    struct casb_error trouble = {0}, first = {0};
    int r = 0;

    while (r == 0) {
        const struct casb_call call = renewal_call(lease);

        /* taking or renewing it may have been slow: what that took is gone from the interval */
        r = clock_sleep(&call, due_ns - clock_now_ns());
        if (r)
            break;
        trouble = (struct casb_error){0};
        r = renew(lease, &call, &trouble);
        due_ns = r ? clock_now_ns() + interval_ns / 10 : lease->renewed_ns + interval_ns;
        if (r)
            err_pass(&first, &trouble);
        else
            first = (struct casb_error){0};
        if (r != CASB_ENOTFOUND && r != CASB_ECANCELLED)
            r = 0; /* the sleep notices when it is too late */
    }
    if (r != CASB_ECANCELLED)
        lose(lease, r, &trouble, &first);
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

static bool is_unsettled(int r)
{
    return r == CASB_ECANCELLED || r == CASB_ETIMEOUT || r == CASB_EUNREACHABLE;
}

/*
 * A look at the lease, and a try where it may be taken: 0, LOOK_AGAIN, or a class. `who` gets its
 * holder, "" where that is nobody else, *trouble what went wrong.
 */
static int try_to_take(struct lease *lease, const struct casb_call *call, struct lease_sight *sight,
                       char who[static HOLDER_BYTES], struct casb_error *trouble)
{
    json_auto_t *object = NULL;
    bool unknown = false;
    int r;

    *trouble = (struct casb_error){0};
    r = get(lease, call, &object, trouble);
    lease->renewed_ns = clock_now_ns();
    if (r && r != CASB_ENOTFOUND) /* nothing was sent to take it */
        return r == CASB_ECONFLICT ? LOOK_AGAIN : r;
    *who = 0;
    if (r) {
        *trouble = (struct casb_error){0};
        r = create(lease, call, &unknown, trouble);
    } else {
        enum lease_verdict verdict =
            lease_judge(object, sight, lease->host->holder, lease->duration_s, clock_now_ns());

        if (verdict != LEASE_MINE && !text_empty(jsonx_string(object, "spec.holderIdentity")))
            lease_describe(object, who, HOLDER_BYTES);
        if (verdict == LEASE_WATCH)
            return LOOK_AGAIN;
        if (verdict == LEASE_ALIVE)
            return err_set(trouble, CASB_ECONFLICT, "another pass holds the lock: %s", who);
        r = put(lease, call, object, trouble);
    }
    lease->unsettled |= unknown || is_unsettled(r);
    sight->contested |= r == CASB_ECONFLICT;
    return r == CASB_ECONFLICT || unknown ? LOOK_AGAIN : r;
}

static int take(struct lease *lease, const struct casb_call *call, struct casb_error *err)
{
    struct lease_sight sight = {0};
    struct casb_error trouble, first = {0}, over = {0};
    char who[HOLDER_BYTES] = "";
    int r, stop = 0, looks = 0;

    do {
        r = try_to_take(lease, call, &sight, who, &trouble);
        if (r != LOOK_AGAIN)
            break;
        if (trouble.code)
            err_pass(&first, &trouble);
        if (*who && looks++ == 0)
            plog(lease->host, CASB_INFO, NULL, "waiting whether the lock's holder lives: %s", who);
        stop = clock_sleep(call, LOOK_NS);
    } while (!stop);
    json_decref(sight.spec);
    if (stop == CASB_ETIMEOUT && *who)
        err_set(&over, CASB_ECONFLICT,
                "another pass, alive or not, holds the lock and no time is left: %s", who);
    else if (stop)
        err_set(&over, stop, "waiting for the lock%s%s", *trouble.text ? ": " : "", trouble.text);
    return r ? err_pass_after(err, stop ? &over : &trouble, &first) : 0;
}

static int release(struct lease *lease, const struct casb_call *call, struct casb_error *err)
{
    struct casb_error trouble = {0}, first = {0};
    int r = CASB_ECONFLICT;

    for (int i = 0; i < GIVE_BACKS && r == CASB_ECONFLICT; i++) {
        json_auto_t *object = NULL;

        trouble = (struct casb_error){0};
        r = get(lease, call, &object, &trouble);
        if (!r && !lease_is_held_by(object, lease->host->holder))
            return 0;
        if (!r)
            r = delete_object(lease, call, object, &trouble);
        if (r)
            err_pass(&first, &trouble);
    }
    return !r || r == CASB_ENOTFOUND ? 0 : err_pass_after(err, &trouble, &first);
}

/*
 * It was not taken, as far as is known: where a request that was cut off takes it all the same,
 * nobody would give it back. This ends with what is left of a pass, so in time of its own.
 */
static void withdraw(struct lease *lease)
{
    const struct casb_call call = {clock_now_ns() + WITHDRAW_NS, -1};
    int r = CASB_ENOTFOUND;

    while (lease->unsettled && r) {
        json_auto_t *object = NULL;

        r = get(lease, &call, &object, NULL);
        if (!r)
            r = lease_is_held_by(object, lease->host->holder)
                    ? delete_object(lease, &call, object, NULL)
                    : CASB_ENOTFOUND;
        if (r && clock_sleep(&call, WITHDRAW_STEP_NS))
            break;
    }
    lease->unsettled = false;
}

/* It is taken: renews it, and looks whether this pass may be at work beside the others. */
static int keep(struct lease *lease, const struct casb_call *call, casb_lost_fn *lost, void *arg,
                struct casb_error *err)
{
    int r;

    lease->unsettled = false;
    r = start_renewing(lease, lost, arg, err);
    if (!r)
        r = rivals_await_none(lease->host, lease->kube, lease->all, lease->duration_s, call, err);
    if (r) {
        const struct casb_call cleanup = {clock_now_ns() + WITHDRAW_NS, -1};

        stop_renewing(lease);
        (void)!release(lease, &cleanup, NULL);
    }
    return r;
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
    if (r)
        withdraw(lease);
    if (!r)
        r = keep(lease, call, lost, arg, err);
    pthread_mutex_unlock(&lease->lock);
    return r ? err_wrap(err, r, "lease '%s'", lease->name) : 0;
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
    return r ? err_wrap(err, r, "lease '%s'", lease->name) : 0;
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
    lease->duration_s = clock_whole_s(duration_ns);
    snprintf(lease->all, sizeof lease->all, "/apis/coordination.k8s.io/v1/namespaces/%s/leases",
             kube_namespace(kube));
    rivals_lease_name(lease->name, host->instance, &host->share);
    snprintf(lease->own, sizeof lease->own, "%s/%s", lease->all, lease->name);
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
