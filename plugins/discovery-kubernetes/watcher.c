/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/watcher.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/label.h"
#include "base/plog.h"
#include "base/text.h"
#include "discovery-kubernetes/api.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>

#define UID_BYTES 64
#define BUCKETS   256 /* about as many pods are waited for at once, and each event is about one */

/* A list and watch that went on for so long was in order: the next trouble is a new one. */
#define STEADY_NS (10 * CLOCK_S)
/* Rights that were just granted, and tokens, take a moment to be known to all API servers. */
#define DENIALS_MAX     4
#define BACKOFF_BASE_NS (200 * CLOCK_MS)
#define BACKOFF_CAP_NS  (10 * CLOCK_S)

struct watcher {
    const struct casb_host *host;
    struct kube *kube;
    char *path;
    char *selector;
    bool host_ip;
    int stop_fd; /* readable: the thread ends */
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows, and all of the waiters but their constants */
    bool started;
    struct casb_error failure;       /* why the watch ended for good */
    struct casb_error trouble;       /* why it shows nothing now; code 0: it does */
    struct waiter *waiters[BUCKETS]; /* by the hash of the pod's name */
};

struct waiter {
    struct watcher *watcher; /* constant, as are pod and wake_fd */
    char pod[LABEL_BYTES];   /* its own: the thread reads it until waiter_free() */
    int wake_fd;             /* readable: there may be news */
    struct waiter *next;     /* of its bucket */
    char uid[UID_BYTES];     /* of the pod that `news` is about; "" before the first */
    bool adopted;            /* it is the one waited for */
    bool unlisted;           /* it existed before a list that has not shown it yet */
    struct pod_news news;
};

static struct waiter **bucket(struct watcher *watcher, const char *pod)
{
    return &watcher->waiters[text_hash(pod) % BUCKETS];
}

static void each_waiter_locked(struct watcher *watcher, void (*each)(struct waiter *waiter))
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct waiter *w = watcher->waiters[i]; w; w = w->next)
            each(w);
}

static void copy_uid(char out[static UID_BYTES], const json_t *pod)
{
    const char *uid = jsonx_string(pod, "metadata.uid");

    snprintf(out, UID_BYTES, "%s", uid ? uid : "");
}

static void signal_fd(int fd)
{
    const uint64_t one = 1;

    /* Fails only where the counter is full, and then the descriptor is readable anyway. */
    while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

/* Called with the lock held, as are all waiter_x_locked(). */
static void waiter_set_locked(struct waiter *waiter, const json_t *pod, bool gone)
{
    struct pod_verdict verdict;
    char uid[UID_BYTES];

    copy_uid(uid, pod);
    if (strcmp(uid, waiter->uid) != 0) {
        if (waiter->adopted)
            return;
        memcpy(waiter->uid, uid, sizeof uid);
        waiter->news = (struct pod_news){.gone = false};
    }
    waiter->unlisted = false;
    waiter->news.gone = gone;
    pod_judge(pod, waiter->watcher->host_ip, &verdict);
    pod_verdict_follow(&waiter->news.verdict, &verdict, clock_now_ns());
    if (gone || verdict.state != POD_WAITING) /* else there is nothing to do but to wait on */
        signal_fd(waiter->wake_fd);
}

static int on_event(const json_t *pod, bool deleted, void *arg)
{
    const char *name = jsonx_string(pod, "metadata.name");
    struct watcher *watcher = arg;

    if (!name)
        return 0;
    pthread_mutex_lock(&watcher->lock);
    for (struct waiter *w = *bucket(watcher, name); w; w = w->next)
        if (strcmp(w->pod, name) == 0)
            waiter_set_locked(w, pod, deleted);
    pthread_mutex_unlock(&watcher->lock);
    return 0;
}

static int on_listed(const json_t *pod, void *arg)
{
    return on_event(pod, false, arg);
}

static void wake(struct waiter *waiter)
{
    signal_fd(waiter->wake_fd);
}

/*
 * A list tells of deletions by what it lacks. Only a pod that was known before the list was asked
 * for can be missing in it.
 */
static void expect(struct waiter *waiter)
{
    waiter->unlisted = waiter->adopted;
}

static void miss(struct waiter *waiter)
{
    if (!waiter->unlisted || !waiter->adopted)
        return;
    waiter->news.gone = true;
    wake(waiter);
}

static void begin_list(struct watcher *watcher)
{
    pthread_mutex_lock(&watcher->lock);
    each_waiter_locked(watcher, expect);
    pthread_mutex_unlock(&watcher->lock);
}

static void end_list(struct watcher *watcher)
{
    pthread_mutex_lock(&watcher->lock);
    watcher->trouble = (struct casb_error){0};
    each_waiter_locked(watcher, miss);
    pthread_mutex_unlock(&watcher->lock);
}

static int follow(struct watcher *watcher, const struct casb_call *call, struct casb_error *err)
{
    const struct kube_query query[] = {{"labelSelector", watcher->selector}, {NULL, NULL}};
    char version[KUBE_VERSION_BYTES];
    int r;

    begin_list(watcher);
    r = kube_list(watcher->kube, call, watcher->path, query, on_listed, watcher, version, err);
    if (r < 0)
        return r;
    end_list(watcher);
    return kube_watch(watcher->kube, call, watcher->path, query, version, on_event, watcher, err);
}

static void note_trouble(struct watcher *watcher, const struct casb_error *err)
{
    pthread_mutex_lock(&watcher->lock);
    watcher->trouble = *err;
    pthread_mutex_unlock(&watcher->lock);
}

static void fail(struct watcher *watcher, const struct casb_error *err)
{
    pthread_mutex_lock(&watcher->lock);
    watcher->failure = *err;
    each_waiter_locked(watcher, wake);
    pthread_mutex_unlock(&watcher->lock);
}

static void *watcher_main(void *arg)
{
    struct watcher *watcher = arg;
    const struct casb_call call = {.deadline_ns = INT64_MAX, .cancel_fd = watcher->stop_fd};
    unsigned failures = 0, denials = 0;

    do {
        int64_t begun = clock_now_ns();
        struct casb_error err = {0};
        int r = follow(watcher, &call, &err);

        if (r == CASB_ECANCELLED)
            break;
        if (clock_now_ns() - begun > STEADY_NS)
            failures = denials = 0;
        if (r == CASB_EDENIED && ++denials >= DENIALS_MAX) {
            err_wrap(&err, r, "watch of the backup CAS pods");
            fail(watcher, &err);
            break;
        }
        /* That the version is too old is how the API says: list again. */
        if (r == CASB_ECONFLICT)
            continue;
        note_trouble(watcher, &err);
        plog(watcher->host, CASB_WARN, NULL, "watch of the backup CAS pods, starts again: %s",
             err.text);
    } while (clock_sleep(&call, clock_backoff(++failures, BACKOFF_BASE_NS, BACKOFF_CAP_NS)) == 0);
    return NULL;
}

int watcher_new(const struct casb_host *host, struct kube *kube, const char *namespace,
                const char *selector, bool host_ip, struct watcher **ret, struct casb_error *err)
{
    _cleanup_(watcher_freep) struct watcher *watcher = calloc(1, sizeof *watcher);
    int r;

    if (!watcher)
        return err_nomem(err);
    watcher->host = host;
    watcher->kube = kube;
    watcher->host_ip = host_ip;
    pthread_mutex_init(&watcher->lock, NULL);
    watcher->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (watcher->stop_fd < 0)
        return err_set_errno(err, errno, "eventfd");
    if (text_dup(selector, &watcher->selector) < 0)
        return err_nomem(err);
    r = api_pods_path(namespace, NULL, NULL, &watcher->path, err);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(watcher);
    return 0;
}

void watcher_free(struct watcher *watcher)
{
    if (!watcher)
        return;
    if (watcher->started) {
        signal_fd(watcher->stop_fd);
        pthread_join(watcher->thread, NULL);
    }
    closep(&watcher->stop_fd);
    pthread_mutex_destroy(&watcher->lock);
    free(watcher->selector);
    free(watcher->path);
    free(watcher);
}

/* Signals are the executable's business: the thread takes none. */
static int start_locked(struct watcher *watcher)
{
    sigset_t all, before;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&watcher->thread, NULL, watcher_main, watcher);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    watcher->started = r == 0;
    return r;
}

int watcher_start(struct watcher *watcher, struct casb_error *err)
{
    int r = 0;

    pthread_mutex_lock(&watcher->lock);
    if (!watcher->started)
        r = start_locked(watcher);
    pthread_mutex_unlock(&watcher->lock);
    return r ? err_set_errno(err, r, "cannot start a thread") : 0;
}

int waiter_new(struct watcher *watcher, const char *pod, struct waiter **ret,
               struct casb_error *err)
{
    struct waiter *waiter = calloc(1, sizeof *waiter), **first;

    if (!waiter)
        return err_nomem(err);
    waiter->watcher = watcher;
    snprintf(waiter->pod, sizeof waiter->pod, "%s", pod);
    waiter->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (waiter->wake_fd < 0) {
        free(waiter);
        return err_set_errno(err, errno, "eventfd");
    }
    first = bucket(watcher, waiter->pod);
    pthread_mutex_lock(&watcher->lock);
    waiter->next = *first;
    *first = waiter;
    pthread_mutex_unlock(&watcher->lock);
    *ret = waiter;
    return 0;
}

void waiter_free(struct waiter *waiter)
{
    struct waiter **link;

    if (!waiter)
        return;
    pthread_mutex_lock(&waiter->watcher->lock);
    link = bucket(waiter->watcher, waiter->pod);
    while (*link != waiter)
        link = &(*link)->next;
    *link = waiter->next;
    pthread_mutex_unlock(&waiter->watcher->lock);
    closep(&waiter->wake_fd);
    free(waiter);
}

/* Where an event of the same pod came first, it is newer than the API's answer to us. */
void waiter_adopt(struct waiter *waiter, const json_t *pod)
{
    char uid[UID_BYTES];

    copy_uid(uid, pod);
    pthread_mutex_lock(&waiter->watcher->lock);
    if (strcmp(uid, waiter->uid) != 0) {
        waiter->adopted = false;
        waiter_set_locked(waiter, pod, false);
    }
    waiter->adopted = true;
    pthread_mutex_unlock(&waiter->watcher->lock);
}

void waiter_update(struct waiter *waiter, const json_t *pod)
{
    pthread_mutex_lock(&waiter->watcher->lock);
    if (pod)
        waiter_set_locked(waiter, pod, false);
    else
        waiter->news.gone = true;
    pthread_mutex_unlock(&waiter->watcher->lock);
}

void waiter_reset(struct waiter *waiter)
{
    pthread_mutex_lock(&waiter->watcher->lock);
    waiter->adopted = false;
    waiter->uid[0] = 0;
    waiter->news = (struct pod_news){.gone = false};
    pthread_mutex_unlock(&waiter->watcher->lock);
}

int waiter_look(struct waiter *waiter, struct pod_news *ret, struct casb_error *err)
{
    struct casb_error failure;
    uint64_t count;

    /* Emptied before the look: what comes in between wakes once more. */
    while (read(waiter->wake_fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
    pthread_mutex_lock(&waiter->watcher->lock);
    failure = waiter->watcher->failure;
    if (!failure.code)
        *ret = waiter->news;
    pthread_mutex_unlock(&waiter->watcher->lock);
    return failure.code ? err_set(err, (enum casb_code)failure.code, "%s", failure.text) : 0;
}

void waiter_trouble(struct waiter *waiter, struct casb_error *ret)
{
    pthread_mutex_lock(&waiter->watcher->lock);
    *ret = waiter->watcher->trouble;
    pthread_mutex_unlock(&waiter->watcher->lock);
}

int waiter_sleep(struct waiter *waiter, const struct casb_call *call, int64_t until_ns)
{
    struct pollfd fds[] = {
        {.fd = waiter->wake_fd, .events = POLLIN},
        {.fd = call->cancel_fd, .events = POLLIN},
    };
    int64_t until = until_ns < call->deadline_ns ? until_ns : call->deadline_ns;

    /* An early return, as by a signal, is a look too many at worst. */
    poll(fds, ELEMENTS(fds), clock_poll_ms(until));
    return clock_check(call);
}
