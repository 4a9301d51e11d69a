/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/spawn.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/text.h"
#include "discovery-kubernetes/api.h"

#include <string.h>

/* Each try meets another leftover, or a quota that changed meanwhile; more is no accident. */
#define CREATE_TRIES 5

/* How long the watch alone is trusted to tell that a leftover is gone. */
#define LOOK_AGAIN_NS (2 * CLOCK_S)

/* A kubelet takes no longer to let go of a pod that it never started. */
#define REJECTED_NS (10 * CLOCK_S)

struct spawn {
    struct discovery *discovery;
    struct casb_call call; /* ends with ready_timeout at the latest */
    const char *pod;
    struct waiter *waiter;
};

/* `pod` is the one that we wait for. */
static int adopt(const struct spawn *spawn, const json_t *pod, struct casb_error *err)
{
    const char *uid = jsonx_string(pod, "metadata.uid");

    if (text_empty(uid))
        return err_set(err, CASB_EINVALID, "the API gave a pod without uid");
    waiter_adopt(spawn->waiter, pod);
    return ledger_note(spawn->discovery->ledger, spawn->pod, uid, err);
}

/* Sleeps until there is news, or asks the API itself whether that pod is gone. */
static int await_gone(const struct spawn *spawn, const char *uid, bool *ret_gone,
                      struct casb_error *err)
{
    int64_t until_ns = clock_now_ns() + LOOK_AGAIN_NS;
    struct discovery *d = spawn->discovery;
    json_auto_t *pod = NULL;
    int r;

    r = waiter_sleep(spawn->waiter, &spawn->call, until_ns);
    if (r < 0 || clock_now_ns() < until_ns)
        return r;
    r = api_pod_get(d->kube, &spawn->call, d->plan.namespace, spawn->pod, &pod, err);
    if (r == 0)
        *ret_gone = !pod || !text_equal(jsonx_string(pod, "metadata.uid"), uid);
    return r;
}

/*
 * Deletes the adopted pod, and waits until the name is free. The watch does not tell of a pod that
 * went between our look and a list that was long on its way.
 */
static int clear(const struct spawn *spawn, const char *uid, struct casb_error *err)
{
    struct discovery *d = spawn->discovery;
    struct pod_news news = {.gone = false};
    int r;

    r = api_pod_delete(d->kube, &spawn->call, d->plan.namespace, spawn->pod, uid, err);
    while (r == 0 && !news.gone) {
        r = waiter_look(spawn->waiter, &news, err);
        if (r == 0 && !news.gone)
            r = await_gone(spawn, uid, &news.gone, err);
    }
    if (r < 0)
        return err_set(err, (enum casb_code)r, "the pod before it is not gone yet");
    waiter_reset(spawn->waiter);
    return 0;
}

/*
 * The name is taken, or may be: looks whose pod it is. *ret_done: it is the one that we wanted;
 * else the name is free now.
 */
static int settle(const struct spawn *spawn, bool *ret_done, struct casb_error *err)
{
    struct discovery *d = spawn->discovery;
    json_auto_t *pod = NULL;
    int r;

    *ret_done = false;
    r = api_pod_get(d->kube, &spawn->call, d->plan.namespace, spawn->pod, &pod, err);
    if (r < 0 || !pod)
        return r;
    if (!pod_is_ours(pod, d->plan.instance)) {
        ledger_forget(d->ledger, spawn->pod);
        return err_set(err, CASB_ECONFLICT, "there is a pod of that name that is not of '%s'",
                       d->plan.instance);
    }
    r = adopt(spawn, pod, err);
    if (r < 0)
        return r;
    *ret_done =
        pod_is_of_holder(pod, d->plan.holder) && !jsonx_string(pod, "metadata.deletionTimestamp");
    return *ret_done ? 0 : clear(spawn, jsonx_string(pod, "metadata.uid"), err);
}

/* Only an answer that refuses the request proves that it left nothing behind. */
static bool is_refusal(const struct casb_error *failure)
{
    return failure->http >= 400 && failure->http < 500 && failure->http != 429;
}

/*
 * Keeps a refusal that hits the pods of all nodes alike: PodSecurity goes by the namespace. The API
 * marks it by its message alone (pod-security-admission), behind the name of the pod that was
 * refused; other 403s, as a quota's, may pass.
 */
static void note_refusal(struct discovery *d, const struct casb_error *failure)
{
    const char *cause = strstr(failure->text, "violates PodSecurity");

    if (failure->http != 403 || !cause)
        return;
    pthread_mutex_lock(&d->lock);
    d->refusal = *failure;
    snprintf(d->refusal.text, sizeof d->refusal.text, "%s", cause);
    pthread_mutex_unlock(&d->lock);
}

static int check_refusal(struct discovery *d, struct casb_error *err)
{
    struct casb_error refusal;

    pthread_mutex_lock(&d->lock);
    refusal = d->refusal;
    pthread_mutex_unlock(&d->lock);
    return refusal.code ? err_pass(err, &refusal) : 0;
}

static int create(const struct spawn *spawn, const json_t *manifest, struct casb_error *err)
{
    struct discovery *d = spawn->discovery;

    for (int i = 0; i < CREATE_TRIES; i++) {
        struct casb_error failure = {0};
        json_auto_t *pod = NULL;
        bool unknown = false, done;
        int r;

        r = ledger_note(d->ledger, spawn->pod, NULL, err);
        if (r < 0)
            return r;
        r = api_pod_create(d->kube, &spawn->call, d->plan.namespace, manifest, &pod, &unknown,
                           &failure);
        if (r == 0)
            return adopt(spawn, pod, err);
        if (!unknown && r != CASB_ECONFLICT) {
            if (is_refusal(&failure))
                ledger_forget(d->ledger, spawn->pod);
            note_refusal(d, &failure);
            return err_pass(err, &failure);
        }
        r = settle(spawn, &done, err);
        if (r < 0 || done)
            return r;
    }
    return err_set(err, CASB_ECONFLICT, "gave up creating it: the name is taken again and again");
}

/* One look: 1 when Ready, 0 to look again at *until_ns at the latest, or the failure. */
static int look(const struct spawn *spawn, struct pod_news *news, int64_t *until_ns,
                struct casb_error *err)
{
    const struct pod_verdict *verdict = &news->verdict;
    int r;

    r = waiter_look(spawn->waiter, news, err);
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

static int wait_ready(const struct spawn *spawn, struct pod_news *ret, struct casb_error *err)
{
    int64_t begun_ns = clock_now_ns();

    for (;;) {
        int64_t until_ns = spawn->call.deadline_ns;
        int r;

        r = look(spawn, ret, &until_ns, err);
        if (r != 0)
            return r < 0 ? r : 0;
        r = waiter_sleep(spawn->waiter, &spawn->call, until_ns);
        if (r < 0)
            return err_set(err, (enum casb_code)r, "%s after %lld s: %s",
                           r == CASB_ETIMEOUT ? "not ready" : "cancelled",
                           (long long)((clock_now_ns() - begun_ns + CLOCK_S / 2) / CLOCK_S),
                           ret->verdict.reason);
    }
}

static int try_pod(const struct spawn *spawn, const json_t *manifest, struct pod_news *ret,
                   struct casb_error *err)
{
    int r = create(spawn, manifest, err);

    return r < 0 ? r : wait_ready(spawn, ret, err);
}

/*
 * A pod that its kubelet rejected stays so; only a new one is looked at anew. False where the old
 * one does not go soon: why it was rejected is then the reason that counts.
 */
static bool make_room(const struct spawn *spawn)
{
    struct spawn brief = *spawn;
    char uid[LEDGER_UID_BYTES];

    if (ledger_find(spawn->discovery->ledger, spawn->pod, uid) != LEDGER_CREATED)
        return true;
    brief.call.deadline_ns = clock_deadline(&spawn->call, REJECTED_NS);
    return clear(&brief, uid, NULL) == 0;
}

static int run(const struct spawn *spawn, const char *node, struct pod_news *ret,
               struct casb_error *err)
{
    struct casb_error failure = {0};
    json_auto_t *manifest = NULL;
    int r;

    r = check_refusal(spawn->discovery, err);
    if (r == 0)
        r = pod_build(&spawn->discovery->plan, node, &manifest, err);
    if (r < 0)
        return r;
    r = try_pod(spawn, manifest, ret, &failure);
    if (r < 0 && ret->verdict.again && make_room(spawn))
        return try_pod(spawn, manifest, ret, err);
    return r < 0 ? err_pass(err, &failure) : 0;
}

int spawn_pod(struct discovery *discovery, const struct casb_call *call, const char *node,
              char ret_address[static CASB_ADDRESS_LENGTH + 1], struct casb_error *err)
{
    _cleanup_(waiter_freep) struct waiter *waiter = NULL;
    struct pod_news news = {.gone = false};
    char pod[TEXT_LABEL_BYTES];
    struct spawn spawn = {.discovery = discovery, .call = *call, .pod = pod};
    int r;

    pod_name(pod, discovery->plan.instance, node);
    spawn.call.deadline_ns = clock_deadline(call, discovery->settings->ready_timeout_ns);
    r = watcher_start(discovery->watcher, err);
    if (r == 0)
        r = waiter_new(discovery->watcher, pod, &waiter, err);
    if (r < 0)
        return r;
    spawn.waiter = waiter;
    r = run(&spawn, node, &news, err);
    if (r < 0)
        return err_wrap(err, r, "pod '%s'", pod);
    if (text_join_address(ret_address, CASB_ADDRESS_LENGTH + 1, news.verdict.ip, POD_CAS_PORT) < 0)
        return err_set(err, CASB_EINVALID, "pod '%s' has no usable address", pod);
    return 0;
}
