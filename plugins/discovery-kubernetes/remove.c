/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/remove.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/plog.h"
#include "base/label.h"
#include "base/text.h"
#include "discovery-kubernetes/api.h"

/* How long what was cut off may still be on its way through the API server, as for the lease. */
#define SETTLE_NS      (10 * CLOCK_S)
#define SETTLE_STEP_NS (250 * CLOCK_MS)

/* How long a pod may take to be gone, longer than it was given to end. */
#define GONE_NS      (20 * CLOCK_S)
#define GONE_STEP_NS (500 * CLOCK_MS)
#define LIST_BYTES   200 /* of the pods in one line, but for the last; the rest is counted */
#define LINE_BYTES   (LIST_BYTES + 600)

/* Finds the pod of that name, which may still be on its way. That it never came is not known. */
static int find(const struct discovery *d, const struct casb_call *call, const char *pod,
                json_t **ret, struct casb_error *err)
{
    int64_t until_ns = clock_now_ns() + SETTLE_NS;
    json_auto_t *found = NULL;
    int r;

    for (;;) {
        r = api_pod_get(d->kube, call, d->plan.namespace, pod, &found, err);
        if (r < 0)
            return r;
        if (found)
            break;
        r = clock_now_ns() >= until_ns ? CASB_ETIMEOUT : clock_sleep(call, SETTLE_STEP_NS);
        if (r < 0)
            return err_set(err, (enum casb_code)r, "its creation may still be on its way");
    }
    *ret = TAKE_PTR(found);
    return 0;
}

/* A pod of another holder is an older pass's, for the sweep, or a newer one's, which is at work. */
static int remove_unsettled(const struct discovery *d, const struct casb_call *call,
                            const char *pod, struct casb_error *err)
{
    json_auto_t *found = NULL;
    const char *uid;
    int r;

    r = find(d, call, pod, &found, err);
    if (r < 0 || !pod_is_ours(found, d->plan.instance) || !pod_is_of_holder(found, d->plan.holder))
        return r;
    uid = jsonx_string(found, "metadata.uid");
    if (text_empty(uid))
        return err_set(err, CASB_EINVALID, "the API gave a pod without uid");
    return api_pod_delete(d->kube, call, d->plan.namespace, pod, uid, err);
}

int remove_pod(struct discovery *discovery, const struct casb_call *call, const char *node,
               struct casb_error *err)
{
    struct discovery *d = discovery;
    char pod[LABEL_BYTES], uid[LEDGER_UID_BYTES];
    int r = 0;

    pod_name(pod, d->plan.instance, node);
    switch (ledger_find(d->ledger, pod, uid)) {
    case LEDGER_CREATED:
        r = api_pod_delete(d->kube, call, d->plan.namespace, pod, uid, err);
        break;
    case LEDGER_UNSETTLED:
        r = remove_unsettled(d, call, pod, err);
        break;
    case LEDGER_NONE:
        break;
    }
    if (r < 0)
        return err_wrap(err, r, "pod '%s'", pod);
    ledger_forget(d->ledger, pod);
    return 0;
}

/* ---- all of them */

/* What one look at all pods found. */
struct sweep {
    const struct discovery *d;
    bool all;        /* one that cannot be deleted is a failure */
    json_t *pods;    /* array of {name, uid, deleted, held} */
    size_t removed;  /* so far, in all looks */
    int64_t grace_s; /* the longest that one of them has to end */
};

static bool is_of_share(const struct casb_host *host, const json_t *pod)
{
    return !host->has_node || host->has_node(host, pod_node_uid(pod));
}

/* Collected, since the list is under way while it calls. */
static int on_pod(const json_t *pod, void *arg)
{
    int64_t grace_s = jsonx_int(pod, "metadata.deletionGracePeriodSeconds", 0);
    struct sweep *sweep = arg;
    char held[POD_HELD_BYTES];
    json_t *entry;

    if (!is_of_share(sweep->d->host, pod))
        return 0;
    if (grace_s > sweep->grace_s)
        sweep->grace_s = grace_s;
    entry = jsonx_new("{s:s*, s:s*, s:s*, s:s}", "name", jsonx_string(pod, "metadata.name"), "uid",
                      jsonx_string(pod, "metadata.uid"), "deleted",
                      jsonx_string(pod, "metadata.deletionTimestamp"), "held", pod_held(held, pod));
    return json_array_append_new(sweep->pods, entry) < 0 ? CASB_ENOMEM : 0;
}

static int list_pods(struct sweep *sweep, const struct casb_call *call, struct casb_error *err)
{
    char version[KUBE_VERSION_BYTES], now[POD_SELECTOR_BYTES], before[POD_SELECTOR_BYTES];
    const struct pod_plan *plan = &sweep->d->plan;
    const char *const selectors[] = {
        pod_selector(now, plan->instance),
        pod_selector_before(before, plan->instance),
    };
    _cleanup_(freep) char *path = NULL;
    int r = api_pods_path(plan->namespace, NULL, NULL, &path, err);

    json_array_clear(sweep->pods);
    for (size_t i = 0; r == 0 && i < ELEMENTS(selectors); i++) {
        const struct kube_query query[] = {{"labelSelector", selectors[i]}, {NULL, NULL}};

        r = kube_list(sweep->d->kube, call, path, query, on_pod, sweep, version, err);
        if (r < 0)
            return err_wrap(err, r, "list of the backup CAS pods");
    }
    return r;
}

/* In a pass one pod that cannot be deleted costs no other node its turn. */
static int delete_one(struct sweep *sweep, const struct casb_call *call, const char *name,
                      const char *uid, struct casb_error *err)
{
    struct casb_error why = {0};
    int r = api_pod_delete(sweep->d->kube, call, sweep->d->plan.namespace, name, uid, &why);

    if (r == 0) {
        sweep->removed++;
        return 0;
    }
    err_wrap(&why, r, "pod '%s'", name);
    if (sweep->all || clock_check(call) < 0)
        return err_pass(err, &why);
    plog(sweep->d->host, CASB_WARN, NULL, "left for the next pass to remove: %s", why.text);
    return 0;
}

/* One look, in which all pods that are not being deleted are. */
static int sweep_once(struct sweep *sweep, const struct casb_call *call, struct casb_error *err)
{
    int r = list_pods(sweep, call, err), first = r;
    json_t *pod;
    size_t i;

    json_array_foreach (sweep->pods, i, pod) {
        const char *name = jsonx_string(pod, "name"), *uid = jsonx_string(pod, "uid");

        if (!name || !uid || jsonx_string(pod, "deleted"))
            continue;
        r = delete_one(sweep, call, name, uid, err);
        if (!first)
            first = r;
        if (clock_check(call) < 0)
            break;
    }
    return first;
}

/* "'a' (held by finalizers 'x'), 'b' (its node does not end it)", cut. */
static void describe(const json_t *pods, struct buf *out)
{
    const json_t *pod;
    size_t i;

    json_array_foreach (pods, i, pod) {
        const char *name = jsonx_string(pod, "name"), *held = jsonx_string(pod, "held");

        if (out->len >= LIST_BYTES) {
            (void)!buf_printf(out, " and %zu more", json_array_size(pods) - i);
            return;
        }
        (void)!buf_printf(out, "%s'%s' (%s)", i > 0 ? ", " : "", name ? name : "",
                          text_empty(held) ? "its node does not end it" : held);
    }
}

/* What is left after so long does not go by itself. */
static int await_gone(struct sweep *sweep, const struct casb_call *call, struct casb_error *err)
{
    _cleanup_(buf_free) struct buf list = BUF_INIT(LINE_BYTES);
    int64_t begun_ns = clock_now_ns();
    int r = 0, stop;

    while (r == 0 && json_array_size(sweep->pods) > 0) {
        stop = clock_sleep(call, GONE_STEP_NS);
        if (stop < 0 || clock_now_ns() >= begun_ns + GONE_NS + sweep->grace_s * CLOCK_S) {
            describe(sweep->pods, &list);
            return err_set(err, stop < 0 ? (enum casb_code)stop : CASB_EFAILED,
                           "%zu backup CAS pods do not go: %s", json_array_size(sweep->pods),
                           buf_text(&list));
        }
        r = sweep_once(sweep, call, err);
    }
    return r;
}

/* A finalizer whose owner is gone keeps a pod for ever, and so a dead node does. */
static void warn_overdue(const struct sweep *sweep)
{
    json_auto_t *overdue = json_array();
    _cleanup_(buf_free) struct buf list = BUF_INIT(LINE_BYTES);
    json_t *pod;
    size_t i;

    json_array_foreach (sweep->pods, i, pod) {
        const char *deleted = jsonx_string(pod, "deleted");
        int64_t due_ms;

        if (deleted && clock_parse(deleted, &due_ms) == 0 &&
            clock_wall_ms() - due_ms > GONE_NS / CLOCK_MS)
            (void)!json_array_append(overdue, pod);
    }
    describe(overdue, &list);
    if (json_array_size(overdue) > 0)
        plog(sweep->d->host, CASB_WARN, NULL, "%zu backup CAS pods were deleted and do not go: %s",
             json_array_size(overdue), buf_text(&list));
}

int remove_all(struct discovery *discovery, const struct casb_call *call, bool until_gone,
               size_t *ret_removed, struct casb_error *err)
{
    json_auto_t *pods = json_array();
    struct sweep sweep = {.d = discovery, .all = until_gone, .pods = pods};
    int r;

    if (!pods)
        return err_nomem(err);
    r = sweep_once(&sweep, call, err);
    if (r == 0 && until_gone)
        r = await_gone(&sweep, call, err);
    else if (r == 0)
        warn_overdue(&sweep);
    if (r == 0)
        *ret_removed = sweep.removed;
    return r;
}
