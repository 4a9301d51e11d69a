/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/spawn.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/jsonx.h"
#include "base/label.h"
#include "discovery-kubernetes/api.h"
#include "discovery-kubernetes/create.h"
#include "discovery-kubernetes/place.h"

#include <string.h>

/* A kubelet takes no longer to let go of a pod that it never started. */
#define REJECTED_NS (10 * CLOCK_S)

/* After ready_timeout: for one question of whether the watch told all. */
#define LAST_LOOK_NS (5 * CLOCK_S)

/* One look: 1 when Ready, 0 to look again at *until_ns at the latest, or the failure. */
static int look(const struct creation *creation, struct pod_news *news, int64_t *until_ns,
                struct casb_error *err)
{
    const struct pod_verdict *verdict = &news->verdict;
    int r;

    r = waiter_look(creation->waiter, news, err);
    if (r < 0)
        return r;
    if (news->gone)
        return err_set(err, CASB_EFAILED, "deleted by somebody else");
    switch (verdict->state) {
    case POD_READY:
        return 1;
    case POD_FAILED:
        return err_set(err, CASB_EFAILED, "%s", verdict->reason);
    case POD_TROUBLED:
        if (clock_now_ns() >= verdict->since_ns + verdict->grace_ns)
            return err_set(err, CASB_EFAILED, "%s", verdict->reason);
        *until_ns = verdict->since_ns + verdict->grace_ns;
        return 0;
    case POD_WAITING:
        break;
    }
    return 0;
}

/* Time is over: the last state that was seen is why, and that there may be newer ones. */
static int give_up(const struct creation *creation, int stop, int64_t begun_ns,
                   struct casb_error *err)
{
    int64_t waited_s = (clock_now_ns() - begun_ns + CLOCK_S / 2) / CLOCK_S;
    struct casb_error over = {0}, blind;
    struct pod_news news;
    int r = waiter_look(creation->waiter, &news, err);

    if (r < 0)
        return r;
    err_set(&over, (enum casb_code)stop, "%s after %lld s: %s",
            stop == CASB_ETIMEOUT ? "not ready" : "cancelled", (long long)waited_s,
            news.verdict.reason);
    waiter_trouble(creation->waiter, &blind);
    return err_pass_after(err, &over, &blind);
}

/* A watch may be silent, as behind a proxy that holds it back: the API itself has the last word. */
static void ask(const struct creation *creation)
{
    const struct discovery *d = creation->discovery;
    const struct casb_call call = {clock_deadline(creation->caller, LAST_LOOK_NS),
                                   creation->caller->cancel_fd};
    json_auto_t *pod = NULL;

    if (api_pod_get(d->kube, &call, d->plan.namespace, creation->pod, &pod, NULL) == 0)
        waiter_update(creation->waiter, pod);
}

static int wait_ready(const struct creation *creation, struct pod_news *ret, struct casb_error *err)
{
    int64_t begun_ns = clock_now_ns();

    for (bool asked = false;;) {
        int64_t until_ns = creation->call.deadline_ns;
        int r;

        r = look(creation, ret, &until_ns, err);
        if (r != 0)
            return r < 0 ? r : 0;
        r = waiter_sleep(creation->waiter, &creation->call, until_ns);
        if (r == CASB_ETIMEOUT && !asked)
            ask(creation);
        else if (r < 0)
            return give_up(creation, r, begun_ns, err);
        asked |= r < 0;
    }
}

static int try_pod(const struct creation *creation, const json_t *manifest, struct pod_news *ret,
                   struct casb_error *err)
{
    int r = create_pod(creation, manifest, err);

    return r < 0 ? r : wait_ready(creation, ret, err);
}

/*
 * A pod that its kubelet rejected stays so; only a new one is looked at anew. False where the old
 * one does not go soon: why it was rejected is then the reason that counts.
 */
static bool make_room(const struct creation *creation)
{
    struct creation brief = *creation;
    char uid[LEDGER_UID_BYTES];

    if (ledger_find(creation->discovery->ledger, creation->pod, uid) != LEDGER_CREATED)
        return true;
    brief.call.deadline_ns = clock_deadline(&creation->call, REJECTED_NS);
    return create_room(&brief, uid, NULL) == 0;
}

static int run(const struct creation *creation, struct pod_news *ret, struct casb_error *err)
{
    const struct discovery *d = creation->discovery;
    struct casb_error failure = {0}, second = {0};
    json_auto_t *manifest = NULL;
    int r;

    r = pod_build(&d->plan, d->template, creation->node, creation->node_uid, &manifest, err);
    if (r < 0)
        return r;
    r = try_pod(creation, manifest, ret, &failure);
    if (r == 0)
        return 0;
    if (!ret->verdict.again || !make_room(creation))
        return err_pass(err, &failure);
    r = try_pod(creation, manifest, ret, &second);
    return r < 0 ? err_pass_after(err, &second, &failure) : 0;
}

/* What is to be registered is the machine that was scanned, where its pod can be reached. */
static int finish(const struct creation *creation, const struct casb_node *node,
                  const struct pod_verdict *verdict, struct casb_backup *ret_backup,
                  struct casb_error *err)
{
    struct casb_backup backup = {.address = ""};
    int r;

    r = place_check(creation->discovery->kube, creation->caller, node, verdict->node, &backup.boot,
                    err);
    if (r < 0)
        return r;
    if (address_join(backup.address, sizeof backup.address, verdict->ip,
                     creation->discovery->plan.client_port) < 0)
        return err_set(err, CASB_EINVALID, "it has no usable address");
    *ret_backup = backup;
    return 0;
}

int spawn_pod(struct discovery *discovery, const struct casb_call *call,
              const struct casb_node *node, struct casb_backup *ret_backup, struct casb_error *err)
{
    _cleanup_(waiter_freep) struct waiter *waiter = NULL;
    struct pod_news news = {.gone = false};
    char pod[LABEL_BYTES];
    struct creation creation = {.discovery = discovery,
                                .caller = call,
                                .call = *call,
                                .node = node->name,
                                .node_uid = node->uid,
                                .pod = pod};
    int r;

    pod_name(pod, discovery->plan.instance, node->name);
    creation.call.deadline_ns = clock_deadline(call, discovery->settings->ready_timeout_ns);
    r = watcher_start(discovery->watcher, err);
    if (r == 0)
        r = waiter_new(discovery->watcher, pod, &waiter, err);
    if (r < 0)
        return r;
    creation.waiter = waiter;
    r = run(&creation, &news, err);
    if (r == 0)
        r = finish(&creation, node, &news.verdict, ret_backup, err);
    return r < 0 ? err_wrap(err, r, "pod '%s'", pod) : 0;
}
