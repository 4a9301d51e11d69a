/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/las.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/laslog.h"
#include "base/text.h"
#include "discovery-kubernetes/api.h"
#include "discovery-kubernetes/condition.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define LOG_FIRST_BYTES (64 * 1024)
#define LOG_LAST_BYTES  (1024 * 1024)

#define SOURCE_LIMIT_BYTES 4096

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
    json_t *pods;         /* node: {pod, rank, created, source, started, containers: [name]} */
    atomic_uint silent;   /* pods, the last ones in a row, whose log did not come in time */
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
    json_decref(las->pods);
    pthread_mutex_destroy(&las->lock);
    free(las);
}

/* When the container was started last; NULL before its first start. */
static const char *last_start(const json_t *status)
{
    const char *running = jsonx_string(status, "state.running.startedAt");
    const char *ended = jsonx_string(status, "state.terminated.startedAt");

    if (running || ended)
        return running ? running : ended;
    return jsonx_string(status, "lastState.terminated.startedAt");
}

/*
 * The pod's uid and its containers' starts; *ret_started is the last of these, borrowed, or NULL.
 * The API writes all times in one form, so that they compare as text.
 */
static int read_source(const json_t *pod, const char *uid, struct buf *source,
                       const char **ret_started)
{
    const json_t *status;
    size_t i;

    *ret_started = NULL;
    if (buf_puts(source, uid) < 0)
        return CASB_ENOMEM;
    json_array_foreach (jsonx_array(pod, "status.containerStatuses"), i, status) {
        const char *started = last_start(status);

        if (!started)
            continue;
        if (buf_printf(source, "/%lld@%s", (long long)jsonx_int(status, "restartCount", 0),
                       started) < 0)
            return CASB_ENOMEM;
        if (!*ret_started || strcmp(started, *ret_started) > 0)
            *ret_started = started;
    }
    return 0;
}

static int read_containers(const json_t *pod, json_t *containers)
{
    const json_t *container;
    size_t i;

    json_array_foreach (jsonx_array(pod, "spec.containers"), i, container) {
        const char *name = jsonx_string(container, "name");

        if (name && json_array_append_new(containers, json_string(name)) < 0)
            return CASB_ENOMEM;
    }
    return 0;
}

/* Which of a node's pods counts: the higher rank, and of equal ones the younger. */
static int rank_of(const json_t *pod)
{
    if (jsonx_string(pod, "metadata.deletionTimestamp"))
        return 0;
    return condition_is_true(pod, "Ready") ? 2 : 1;
}

static bool is_better(const json_t *a, const json_t *b)
{
    int64_t rank_a = jsonx_int(a, "rank", 0), rank_b = jsonx_int(b, "rank", 0);

    if (rank_a != rank_b)
        return rank_a > rank_b;
    return strcmp(jsonx_string(a, "created"), jsonx_string(b, "created")) > 0;
}

/* What we keep of a pod; *ret stays NULL for one that has no place or no name yet. */
static int read_pod(const json_t *pod, json_t **ret, struct casb_error *err)
{
    _cleanup_(buf_free) struct buf source = BUF_INIT(SOURCE_LIMIT_BYTES);
    const char *created = jsonx_string(pod, "metadata.creationTimestamp");
    const char *name = jsonx_string(pod, "metadata.name");
    const char *uid = jsonx_string(pod, "metadata.uid");
    json_auto_t *containers = json_array();
    const char *started;

    if (!name || !uid || !created)
        return 0;
    if (!containers || read_containers(pod, containers) < 0 ||
        read_source(pod, uid, &source, &started) < 0)
        return err_nomem(err);
    return jsonx_pack(ret, err, "{s:s, s:i, s:s, s:s*, s:s*, s:O}", "pod", name, "rank",
                      rank_of(pod), "created", created, "source",
                      started ? buf_text(&source) : NULL, "started", started, "containers",
                      containers);
}

static int on_pod(const json_t *pod, void *arg)
{
    const char *node = jsonx_string(pod, "spec.nodeName");
    json_auto_t *entry = NULL;
    json_t *pods = arg, *other;
    int r;

    if (text_empty(node))
        return 0;
    r = read_pod(pod, &entry, NULL);
    if (r < 0 || !entry)
        return r;
    other = json_object_get(pods, node);
    if (other && !is_better(entry, other))
        return 0;
    return json_object_set(pods, node, entry) < 0 ? CASB_ENOMEM : 0;
}

/* Makes `pods` the list that las_read_key() goes by. */
static void publish(struct las *las, json_t *pods)
{
    json_auto_t *old = NULL;

    pthread_mutex_lock(&las->lock);
    old = las->pods;
    las->pods = json_incref(pods);
    pthread_mutex_unlock(&las->lock);
}

int las_list(struct las *las, const struct casb_call *call, json_t **ret_pods,
             struct casb_error *err)
{
    const struct kube_query query[] = {{"labelSelector", las->selector}, {NULL, NULL}};
    _cleanup_(freep) char *path = NULL;
    json_auto_t *pods = json_object();
    char version[KUBE_VERSION_BYTES];
    int r;

    if (!pods)
        return err_nomem(err);
    r = api_pods_path(las->namespace, NULL, NULL, &path, err);
    if (r == 0)
        r = kube_list(las->kube, call, path, query, on_pod, pods, version, err);
    if (r < 0)
        return err_wrap(err, r, "list of the LAS pods");
    publish(las, pods);
    *ret_pods = TAKE_PTR(pods);
    return 0;
}

const char *las_source(const json_t *pods, const char *node)
{
    return jsonx_string(json_object_get(pods, node), "source");
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
                    char key[static CASB_LAS_KEY_LENGTH + 1], struct casb_error *err)
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
    helping->found = laslog_parse_key(buf_text(&log), log.len, key) == 0;
    helping->cut = log.len >= helping->limit;
    return 0;
}

/* What was read is no beginning, after a rotation, or LAS is not so far yet. */
static int no_key(const json_t *pod, struct casb_error *err)
{
    int64_t started_ms;

    if (clock_parse(jsonx_string(pod, "started"), &started_ms) == 0 &&
        clock_wall_ms() - started_ms > STARTING_MS)
        return err_set(err, CASB_ENOTFOUND,
                       "no public key in its log, which is not read again before LAS restarts");
    return err_set(err, CASB_EFAILED, "no public key in its log");
}

/* Trouble with one container does not matter where another one holds the key. */
static int read_logs(struct las *las, const struct casb_call *call, const json_t *pod,
                     char key[static CASB_LAS_KEY_LENGTH + 1], struct casb_error *err)
{
    static const size_t limits[] = {LOG_FIRST_BYTES, LOG_LAST_BYTES};
    _cleanup_(freep) char *path = NULL;
    struct casb_error trouble = {0};
    bool more = true;
    int r;

    r = api_pods_path(las->namespace, jsonx_string(pod, "pod"), "log", &path, err);
    if (r < 0)
        return r;
    for (size_t round = 0; more && round < ELEMENTS(limits); round++) {
        const json_t *container;
        size_t i;

        more = false;
        json_array_foreach (jsonx_array(pod, "containers"), i, container) {
            struct helping helping = {
                .path = path, .container = json_string_value(container), .limit = limits[round]};

            if (read_log(las, call, &helping, key, &trouble) == 0 && helping.found)
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
static int read_logs_in_time(struct las *las, const struct casb_call *call, const json_t *pod,
                             char key[static CASB_LAS_KEY_LENGTH + 1], struct casb_error *err)
{
    const struct casb_call bounded = {clock_deadline(call, READ_NS), call->cancel_fd};
    int r;

    if (las->silent >= SILENT_MAX)
        return err_set(err, CASB_EUNREACHABLE, "log not read: %d others in a row got no answer",
                       SILENT_MAX);
    r = read_logs(las, &bounded, pod, key, err);
    if (r == CASB_ETIMEOUT)
        las->silent++;
    else
        las->silent = 0;
    return r;
}

int las_read_key(struct las *las, const struct casb_call *call, const char *node,
                 char key[static CASB_LAS_KEY_LENGTH + 1], struct casb_error *err)
{
    json_auto_t *pods = NULL;
    const json_t *pod;
    int r;

    pthread_mutex_lock(&las->lock);
    pods = json_incref(las->pods);
    pthread_mutex_unlock(&las->lock);
    pod = json_object_get(pods, node);
    if (!las_source(pods, node))
        return err_set(err, CASB_ENOTFOUND, "no LAS pod runs there");
    r = read_logs_in_time(las, call, pod, key, err);
    return r < 0 ? err_wrap(err, r, "LAS pod '%s'", jsonx_string(pod, "pod")) : 0;
}
