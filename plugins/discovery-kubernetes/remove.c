/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/remove.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/text.h"
#include "discovery-kubernetes/api.h"

/* How long a creation that was cut off may still be on its way through the API server. */
#define SETTLE_NS      (3 * CLOCK_S)
#define SETTLE_STEP_NS (250 * CLOCK_MS)

/* Finds the pod of that name, which may still be on its way. NULL: there is none. */
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
        if (found || clock_now_ns() >= until_ns)
            break;
        r = clock_sleep(call, SETTLE_STEP_NS);
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
    char pod[TEXT_LABEL_BYTES], uid[LEDGER_UID_BYTES];
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

/* Collects name and uid, since the list is under way while it calls. */
static int on_pod(const json_t *pod, void *arg)
{
    json_t *found = arg;

    if (jsonx_string(pod, "metadata.deletionTimestamp"))
        return 0;
    return json_array_append_new(found, json_pack("{s:s*, s:s*}", "name",
                                                  jsonx_string(pod, "metadata.name"), "uid",
                                                  jsonx_string(pod, "metadata.uid"))) < 0
               ? CASB_ENOMEM
               : 0;
}

static int list_pods(const struct discovery *d, const struct casb_call *call, json_t *found,
                     struct casb_error *err)
{
    char version[KUBE_VERSION_BYTES], selector[POD_SELECTOR_BYTES];
    const struct kube_query query[] = {
        {"labelSelector", pod_selector(selector, d->plan.instance)},
        {NULL, NULL},
    };
    _cleanup_(freep) char *path = NULL;
    int r;

    r = api_pods_path(d->plan.namespace, NULL, NULL, &path, err);
    if (r < 0)
        return r;
    r = kube_list(d->kube, call, path, query, on_pod, found, version, err);
    return r < 0 ? err_wrap(err, r, "list of the backup CAS pods") : 0;
}

int remove_all(struct discovery *discovery, const struct casb_call *call, size_t *ret_removed,
               struct casb_error *err)
{
    const struct discovery *d = discovery;
    json_auto_t *found = json_array();
    size_t i, removed = 0;
    json_t *pod;
    int r, first = 0;

    if (!found)
        return err_nomem(err);
    r = list_pods(d, call, found, err);
    if (r < 0)
        return r;
    json_array_foreach (found, i, pod) {
        const char *name = jsonx_string(pod, "name"), *uid = jsonx_string(pod, "uid");

        if (!name || !uid)
            continue;
        r = api_pod_delete(d->kube, call, d->plan.namespace, name, uid, err);
        if (r < 0 && !first)
            first = err_wrap(err, r, "pod '%s'", name);
        removed += r == 0;
        if (clock_check(call) < 0)
            break;
    }
    if (!first)
        *ret_removed = removed;
    return first;
}
