/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/create.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/plog.h"
#include "base/text.h"
#include "common/kube/ownership.h"
#include "discovery-kubernetes/api.h"
#include "discovery-kubernetes/refusal.h"

#include <string.h>

#define HTTP_INTERNAL_ERROR 500
#define CLEAN_BYTES         300 /* a pod's name has at most 253 */

/* Between two tries. Room that became free is to be used soon. */
#define BACKOFF_BASE_NS (500 * CLOCK_MS)
#define BACKOFF_CAP_NS  (5 * CLOCK_S)
/* How long what may pass soon, or never, is given. */
#define BRIEF_NS (15 * CLOCK_S)

/* How long the watch alone is trusted to tell that a leftover is gone. */
#define LOOK_AGAIN_NS (2 * CLOCK_S)
/* Who has not taken his finalizer off a pod after so long is not going to. */
#define HELD_NS (30 * CLOCK_S)

/* ---- the pod that we wait for */

static int adopt(const struct creation *c, const json_t *pod, struct casb_error *err)
{
    const char *uid = jsonx_string(pod, "metadata.uid");

    if (!text_equal(jsonx_string(pod, "metadata.name"), c->pod) || text_empty(uid) ||
        strlen(uid) >= LEDGER_UID_BYTES)
        return err_set(err, CASB_EINVALID, "the API gave no pod of that name with a uid");
    waiter_adopt(c->waiter, pod);
    return ledger_note(c->discovery->ledger, c->pod, uid, err);
}

/* Neither our watch nor our remove would find it; where it has our labels, the next sweep would. */
static int refuse_renamed(const struct creation *c, const char *name, const json_t *pod,
                          struct casb_error *err)
{
    const char *uid = jsonx_string(pod, "metadata.uid");
    struct discovery *d = c->discovery;
    struct casb_error why = {0};
    char clean[CLEAN_BYTES];

    text_clean(clean, sizeof clean, name);
    err_set(err, CASB_EFAILED, "admission changed its name to '%s'", clean);
    if (!text_empty(uid) &&
        api_pod_delete(d->kube, &c->call, d->plan.namespace, name, uid, &why) < 0)
        plog(d->host, CASB_WARN, c->node, "pod '%s' is left for the next pass to remove: %s", clean,
             why.text);
    ledger_forget(d->ledger, c->pod);
    return CASB_EFAILED;
}

/* The same for the answer to our request. What it does not call ours no watch would show. */
static int adopt_made(const struct creation *c, const json_t *manifest, const json_t *pod,
                      struct casb_error *err)
{
    const char *lost = ownership_find_lost(manifest, pod);
    const char *name = jsonx_string(pod, "metadata.name");
    int r;

    if (!text_empty(name) && !text_equal(name, c->pod))
        return refuse_renamed(c, name, pod, err);
    r = adopt(c, pod, err);
    if (r == 0 && lost)
        return err_set(err, CASB_EFAILED, "admission changed '%s', by which it is found again",
                       lost);
    return r;
}

/* ---- making room */

/* A leftover on its way out. */
struct leftover {
    const char *uid;
    int64_t since_ns;
    char held[POD_HELD_BYTES]; /* by whom, as last seen; "": nobody */
};

/* Asks the API itself whether it is gone. */
static int look_gone(const struct creation *c, struct leftover *leftover, bool *ret_gone,
                     struct casb_error *err)
{
    struct discovery *d = c->discovery;
    json_auto_t *pod = NULL;
    int r = api_pod_get(d->kube, &c->call, d->plan.namespace, c->pod, &pod, err);

    if (r < 0)
        return r;
    *ret_gone = !pod || !text_equal(jsonx_string(pod, "metadata.uid"), leftover->uid);
    pod_held(leftover->held, pod);
    if (!*ret_gone && *leftover->held && clock_now_ns() >= leftover->since_ns + HELD_NS)
        return err_set(err, CASB_EFAILED, "the pod before it does not go: %s", leftover->held);
    return 0;
}

/*
 * Sleeps until there is news, or looks: the watch does not tell of a pod that went between our look
 * and a list that was long on its way.
 */
static int await_gone(const struct creation *c, struct leftover *leftover, bool *ret_gone,
                      struct casb_error *err)
{
    int64_t until_ns = clock_now_ns() + LOOK_AGAIN_NS;
    int r = waiter_sleep(c->waiter, &c->call, until_ns);

    if (r < 0)
        return err_set(err, (enum casb_code)r, "the pod before it is not gone yet%s%s",
                       *leftover->held ? ": " : "", leftover->held);
    return clock_now_ns() < until_ns ? 0 : look_gone(c, leftover, ret_gone, err);
}

static int clear(const struct creation *c, struct leftover *leftover, struct casb_error *err)
{
    struct discovery *d = c->discovery;
    struct pod_news news = {.gone = false};
    int r;

    r = api_pod_delete(d->kube, &c->call, d->plan.namespace, c->pod, leftover->uid, err);
    if (r < 0)
        return err_wrap(err, r, "the pod before it");
    while (r == 0 && !news.gone) {
        r = waiter_look(c->waiter, &news, err);
        if (r == 0 && !news.gone)
            r = await_gone(c, leftover, &news.gone, err);
    }
    if (r == 0)
        waiter_reset(c->waiter);
    return r;
}

int create_room(const struct creation *creation, const char *uid, struct casb_error *err)
{
    struct leftover leftover = {.uid = uid, .since_ns = clock_now_ns()};

    return clear(creation, &leftover, err);
}

/*
 * The name is taken, or may be: looks whose pod it is. *ret_done: it is the one that we wanted;
 * else the name is free now.
 */
static int settle(const struct creation *c, bool *ret_done, struct casb_error *err)
{
    struct leftover leftover = {.since_ns = clock_now_ns()};
    struct discovery *d = c->discovery;
    json_auto_t *pod = NULL;
    int r;

    *ret_done = false;
    r = api_pod_get(d->kube, &c->call, d->plan.namespace, c->pod, &pod, err);
    if (r < 0 || !pod)
        return r;
    if (!pod_is_ours(pod, d->plan.instance)) {
        ledger_forget(d->ledger, c->pod);
        return err_set(err, CASB_ECONFLICT, "there is a pod of that name that is not of '%s'",
                       d->plan.instance);
    }
    r = adopt(c, pod, err);
    if (r < 0)
        return r;
    *ret_done =
        pod_is_of_holder(pod, d->plan.holder) && !jsonx_string(pod, "metadata.deletionTimestamp");
    leftover.uid = jsonx_string(pod, "metadata.uid");
    pod_held(leftover.held, pod);
    return *ret_done ? 0 : clear(c, &leftover, err);
}

/* ---- what the API refuses */

/* Only an answer that refuses the request proves that it left nothing behind. */
static bool is_proof(const struct casb_error *failure)
{
    return failure->http >= 400 && failure->http < 500 && failure->http != 429;
}

/* What it says to the pod of one node holds for all: kept without that one's name. */
static void note_refusal(struct discovery *d, const struct casb_error *failure)
{
    static const char behind_name[] = " is forbidden: ";
    const char *cause = strstr(failure->text, behind_name);

    pthread_mutex_lock(&d->lock);
    d->refusal = *failure;
    if (cause)
        snprintf(d->refusal.text, sizeof d->refusal.text, "%s", cause + strlen(behind_name));
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

/*
 * Is nothing of the request on its way any more? So says an error of the API server itself, as for
 * a webhook that does not answer; only etcd may do later what it did not do in time.
 */
static bool is_over(const struct casb_error *failure, const json_t *status)
{
    return status && failure->http == HTTP_INTERNAL_ERROR && !strstr(failure->text, "etcdserver");
}

/* ---- the tries */

enum outcome { MADE, AGAIN, LATER }; /* AGAIN: nothing is to be waited for */

/* The request was refused, and nothing was made. */
static int judge_refusal(const struct creation *c, enum refusal refusal, int64_t begun_ns,
                         const struct casb_error *failure, struct casb_error *err)
{
    bool passing = refusal == REFUSAL_PASSING ||
                   (refusal == REFUSAL_BRIEF && clock_now_ns() < begun_ns + BRIEF_NS);

    if (is_proof(failure))
        ledger_forget(c->discovery->ledger, c->pod);
    if (refusal == REFUSAL_FOR_ALL)
        note_refusal(c->discovery, failure);
    err_pass(err, failure);
    return passing ? LATER : failure->code;
}

/* The pod may be there all the same. Where the request is `over`, what is not there was not made.
 */
static int judge_unsure(const struct creation *c, const struct casb_error *failure, bool over,
                        struct casb_error *err)
{
    struct casb_error trouble = {0};
    bool done = false;
    int r = settle(c, &done, &trouble);

    if (r == 0 && done)
        return MADE;
    if (r < 0 && r != CASB_EUNREACHABLE)
        return err_pass_after(err, &trouble, failure);
    if (r == 0 && over)
        ledger_forget(c->discovery->ledger, c->pod);
    err_pass(err, failure);
    return failure->code == CASB_ECONFLICT ? AGAIN : LATER;
}

/* One try: its outcome, with why where it is not MADE, or the class of what no other would mend. */
static int try_once(const struct creation *c, const json_t *manifest, int64_t begun_ns,
                    struct casb_error *err)
{
    struct discovery *d = c->discovery;
    json_auto_t *pod = NULL, *status = NULL;
    struct casb_error failure = {0};
    enum refusal refusal;
    bool unknown = false;
    int r = ledger_note(d->ledger, c->pod, NULL, err);

    if (r < 0)
        return r;
    r = api_pod_create(d->kube, &c->call, d->plan.namespace, manifest, &pod, &status, &unknown,
                       &failure);
    if (r == 0)
        return adopt_made(c, manifest, pod, err);
    if (r == CASB_ECANCELLED || r == CASB_ETIMEOUT)
        return err_pass(err, &failure);
    refusal = refusal_judge(&failure, status, unknown);
    return refusal == REFUSAL_UNSURE ? judge_unsure(c, &failure, is_over(&failure, status), err)
                                     : judge_refusal(c, refusal, begun_ns, &failure, err);
}

/* Time is over: what the API said last is why, unless somebody did not want to wait any longer. */
static int give_up(int stop, int64_t begun_ns, struct casb_error *last,
                   const struct casb_error *first, struct casb_error *err)
{
    int64_t waited_s = (clock_now_ns() - begun_ns + CLOCK_S / 2) / CLOCK_S;

    if (stop == CASB_ECANCELLED)
        last->code = stop;
    err_pass_after(err, last, first);
    return err_wrap(err, last->code, "not created after %lld s", (long long)waited_s);
}

int create_pod(const struct creation *creation, const json_t *manifest, struct casb_error *err)
{
    const struct creation *c = creation;
    struct casb_error first = {0};
    int64_t begun_ns = clock_now_ns();
    int r = check_refusal(c->discovery, err);

    if (r < 0)
        return r;
    for (unsigned tries = 1;; tries++) {
        struct casb_error last = {0};

        r = try_once(c, manifest, begun_ns, &last);
        if (r <= 0)
            return r < 0 ? err_pass_after(err, &last, &first) : 0;
        if (r == LATER && !first.code)
            plog(c->discovery->host, CASB_INFO, c->node, "pod '%s' is tried again: %s", c->pod,
                 last.text);
        err_pass(&first, &last);
        if (r == AGAIN && tries == 1) /* a leftover has gone; more of them are no accident */
            continue;
        r = clock_sleep(&c->call, clock_backoff(tries, BACKOFF_BASE_NS, BACKOFF_CAP_NS));
        if (r < 0)
            return give_up(r, begun_ns, &last, &first, err);
    }
}
