/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/las.h"

#include "base/clock.h"
#include "base/laslog.h"
#include "base/text.h"
#include "discovery-kubernetes/api.h"
#include "discovery-kubernetes/laspods.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define LOG_FIRST_BYTES (64 * 1024)
#define LOG_LAST_BYTES  (1024 * 1024)

/* Of all containers of one pod. */
#define READ_NS (15 * CLOCK_S)
/* LAS prints its key when it starts: one that has not after so long is not going to. */
#define STARTING_MS (60 * 60 * INT64_C(1000))
/*
 * So many pods in a row without an answer are no accident, as where a firewall drops what goes to
 * the kubelets' port: the rest would cost the pass its time.
 */
#define SILENT_MAX 16

struct las {
    struct kube *kube;
    const char *namespace;
    const char *selector;
    pthread_mutex_t lock; /* guards the pointer `pods`; what it points to never changes */
    struct laspods *pods;
    atomic_uint silent; /* pods, the last ones in a row, whose log did not come in time */
};

int las_new(struct kube *kube, const char *namespace, const char *selector, struct las **ret,
            struct casb_error *err)
{
    struct las *las = calloc(1, sizeof *las);

    if (!las)
        return err_nomem(err);
    *las = (struct las){.kube = kube, .namespace = namespace, .selector = selector};
    pthread_mutex_init(&las->lock, NULL);
    *ret = las;
    return 0;
}

void las_free(struct las *las)
{
    if (!las)
        return;
    laspods_unref(las->pods);
    pthread_mutex_destroy(&las->lock);
    free(las);
}

/* Makes `pods` the list that las_read() goes by. */
static void publish(struct las *las, struct laspods *pods)
{
    _cleanup_(laspods_unrefp) struct laspods *old = NULL;

    pthread_mutex_lock(&las->lock);
    old = las->pods;
    las->pods = laspods_ref(pods);
    pthread_mutex_unlock(&las->lock);
}

int las_list(struct las *las, const struct casb_call *call, struct laspods **ret_pods,
             struct casb_error *err)
{
    const struct kube_query query[] = {{"labelSelector", las->selector}, {NULL, NULL}};
    _cleanup_(freep) char *path = NULL;
    _cleanup_(laspods_unrefp) struct laspods *pods = laspods_new();
    char version[KUBE_VERSION_BYTES];
    int r;

    if (!pods)
        return err_nomem(err);
    r = api_pods_path(las->namespace, NULL, NULL, &path, err);
    if (r == 0)
        r = kube_list(las->kube, call, path, query, laspods_add, pods, version, err);
    if (r < 0)
        return err_wrap(err, r, "list of the LAS pods");
    publish(las, pods);
    *ret_pods = TAKE_PTR(pods);
    return 0;
}

const char *las_source(const struct laspods *pods, const char *node)
{
    const struct laspod *pod = laspods_find(pods, node);

    return pod ? pod->source : NULL;
}

/* One helping of a container's log. */
struct helping {
    const char *path; /* of the pod's log */
    const char *container;
    size_t limit;
    bool found;
    bool cut; /* there was more of it */
};

static int read_log(struct las *las, const struct casb_call *call, struct helping *helping,
                    struct casb_identity *ret, struct casb_error *err)
{
    _cleanup_(buf_free) struct buf log = BUF_INIT(helping->limit);
    char bytes[24];
    const struct kube_query query[] = {
        {"container", helping->container},
        {"limitBytes", bytes},
        {NULL, NULL},
    };
    int r;

    snprintf(bytes, sizeof bytes, "%zu", helping->limit);
    r = kube_text(las->kube, call, helping->path, query, &log, err);
    if (r < 0)
        return r;
    helping->found = laslog_parse(buf_text(&log), log.len, ret) == 0;
    helping->cut = log.len >= helping->limit;
    return 0;
}

/* What was read is no beginning, after a rotation, or LAS is not so far yet. */
static int no_key(const struct laspod *pod, struct casb_error *err)
{
    int64_t started_ms;

    if (clock_parse(pod->started, &started_ms) == 0 && clock_wall_ms() - started_ms > STARTING_MS)
        return err_set(err, CASB_ENOTFOUND,
                       "no identity in its log, which is not read again before LAS restarts");
    err_set(err, CASB_ENOTFOUND, "no identity in its log");
    if (err)
        err->retry = true;
    return CASB_ENOTFOUND;
}

/* Trouble with one container does not matter where another one holds the key. */
static int read_logs(struct las *las, const struct casb_call *call, const struct laspod *pod,
                     struct casb_identity *ret, struct casb_error *err)
{
    static const size_t limits[] = {LOG_FIRST_BYTES, LOG_LAST_BYTES};
    _cleanup_(freep) char *path = NULL;
    struct casb_error trouble = {0};
    bool more = true;
    int r;

    r = api_pods_path(las->namespace, pod->pod, "log", &path, err);
    if (r < 0)
        return r;
    for (size_t round = 0; more && round < ELEMENTS(limits); round++) {
        more = false;
        for (const char *c = pod->containers; *c; c += strlen(c) + 1) {
            struct helping helping = {.path = path, .container = c, .limit = limits[round]};

            if (read_log(las, call, &helping, ret, &trouble) == 0 && helping.found)
                return 0;
            more |= helping.cut;
        }
    }
    if (trouble.code == CASB_ENOTFOUND) /* of the log, which says nothing about the key */
        trouble.code = CASB_EFAILED;
    if (trouble.code)
        return err_pass(err, &trouble);
    return no_key(pod, err);
}

/*
 * read_logs() that no kubelet can keep for long. Only a timeout is its silence: a connection that
 * breaks is the API server's.
 */
static int read_logs_in_time(struct las *las, const struct casb_call *call,
                             const struct laspod *pod, struct casb_identity *ret,
                             struct casb_error *err)
{
    const struct casb_call bounded = {clock_deadline(call, READ_NS), call->cancel_fd};
    int r;

    if (las->silent >= SILENT_MAX)
        return err_set(err, CASB_EUNREACHABLE, "log not read: %d others in a row got no answer",
                       SILENT_MAX);
    r = read_logs(las, &bounded, pod, ret, err);
    if (r == CASB_ETIMEOUT)
        las->silent++;
    else
        las->silent = 0;
    return r;
}

int las_read(struct las *las, const struct casb_call *call, const char *node,
             struct casb_identity *ret, struct casb_error *err)
{
    _cleanup_(laspods_unrefp) struct laspods *pods = NULL;
    const struct laspod *pod;
    int r;

    pthread_mutex_lock(&las->lock);
    pods = laspods_ref(las->pods);
    pthread_mutex_unlock(&las->lock);
    pod = laspods_find(pods, node);
    if (!pod || !pod->source)
        return err_set(err, CASB_ENOTFOUND, "no LAS pod runs there");
    r = read_logs_in_time(las, call, pod, ret, err);
    return r < 0 ? err_wrap(err, r, "LAS pod '%s'", pod->pod) : 0;
}
