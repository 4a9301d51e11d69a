/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_kube.h"

#include "base/clock.h"
#include "base/jsonx.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

#define PODS "/pods"

struct kube *fake_kube_to_open;

static void ignore_log(const struct casb_host *host, enum casb_level level, const char *name,
                       const char *text)
{
    (void)host;
    (void)level;
    (void)name;
    (void)text;
}

const struct casb_host fake_host = {
    .size = sizeof fake_host, .instance = "cas", .holder = "pass-1", .log = ignore_log};

static void wake(int fd)
{
    eventfd_write(fd, 1);
}

void fake_kube_init(struct kube *kube)
{
    *kube = (struct kube){
        .pods = json_object(),
        .nodes = json_array(),
        .events = json_array(),
        .strays = json_array(),
        .told = json_array(),
        .marked = json_array(),
        .logs = json_object(),
        .wake_fd = eventfd(0, EFD_NONBLOCK),
        .cancel_fd = -1,
    };
    pthread_mutex_init(&kube->lock, NULL);
    pthread_cond_init(&kube->began, NULL);
}

void fake_kube_free(struct kube *kube)
{
    json_decref(kube->pods);
    json_decref(kube->nodes);
    json_decref(kube->events);
    json_decref(kube->strays);
    json_decref(kube->told);
    json_decref(kube->marked);
    json_decref(kube->logs);
    json_decref(kube->late_pod);
    close(kube->wake_fd);
    pthread_cond_destroy(&kube->began);
    pthread_mutex_destroy(&kube->lock);
}

void fake_kube_add_pod(struct kube *kube, json_t *pod)
{
    json_object_set_new(kube->pods, jsonx_string(pod, "metadata.name"), pod);
}

void fake_kube_hold_pod(struct kube *kube, const char *pod, const char *finalizer)
{
    json_t *metadata, *list;

    pthread_mutex_lock(&kube->lock);
    metadata = json_object_get(json_object_get(kube->pods, pod), "metadata");
    list = json_object_get(metadata, "finalizers");
    if (!list) {
        list = json_array();
        json_object_set_new(metadata, "finalizers", list);
    }
    json_array_append_new(list, json_string(finalizer));
    pthread_mutex_unlock(&kube->lock);
}

void fake_kube_await_watch(struct kube *kube, size_t count)
{
    pthread_mutex_lock(&kube->lock);
    while (kube->watches < count)
        pthread_cond_wait(&kube->began, &kube->lock);
    pthread_mutex_unlock(&kube->lock);
}

static void push_event(struct kube *kube, const json_t *pod, bool deleted)
{
    json_array_append_new(
        kube->events, json_pack("{s:o, s:b}", "object", json_deep_copy(pod), "deleted", deleted));
    wake(kube->wake_fd);
}

/* Called with the lock held. */
static void change_pod(struct kube *kube, const char *name, const char *status)
{
    json_t *pod = json_object_get(kube->pods, name);

    if (!status || strcmp(status, "gone") == 0) {
        push_event(kube, pod, true);
        json_object_del(kube->pods, name);
        return;
    }
    json_object_set_new(pod, "status", json_loads(status, 0, NULL));
    push_event(kube, pod, false);
}

void fake_kube_event(struct kube *kube, const char *pod, const char *status)
{
    pthread_mutex_lock(&kube->lock);
    change_pod(kube, pod, status);
    pthread_mutex_unlock(&kube->lock);
}

void fake_kube_lose_pod(struct kube *kube, const char *pod)
{
    pthread_mutex_lock(&kube->lock);
    json_object_del(kube->pods, pod);
    kube->version_is_old = true;
    wake(kube->wake_fd);
    pthread_mutex_unlock(&kube->lock);
}

int kube_open(const struct casb_host *host, const struct kube_settings *settings, struct kube **ret,
              struct casb_error *err)
{
    (void)host;
    if (!fake_kube_to_open)
        return err_set(err, CASB_EINVALID, "no configuration has been provided");
    fake_kube_to_open->namespace = settings->namespace ? settings->namespace : "from-context";
    *ret = fake_kube_to_open;
    return 0;
}

void kube_close(struct kube *kube)
{
    (void)kube;
}

const char *kube_namespace(const struct kube *kube)
{
    return kube->namespace;
}

bool kube_is_in_cluster(const struct kube *kube)
{
    return kube->in_cluster;
}

int kube_allowed(struct kube *kube, const struct casb_call *call, const char *verb,
                 const char *group, const char *resource, const char *namespace, const char *name,
                 bool *ret_allowed, struct casb_error *err)
{
    (void)call;
    (void)group;
    (void)name;
    (void)err;
    *ret_allowed = (!kube->denied || strcmp(verb, kube->denied) != 0) &&
                   (!kube->confined || namespace || strcmp(resource, "pods") != 0);
    return 0;
}

static int fail_http(struct casb_error *err, enum casb_code code, int http, const char *text)
{
    err_set(err, code, "%s", text);
    if (err)
        err->http = http;
    return code;
}

static json_t *make_pod(struct kube *kube, const json_t *manifest)
{
    json_t *pod = json_deep_copy(manifest);
    const char *node;
    char uid[32];

    snprintf(uid, sizeof uid, "uid-%u", ++kube->uids);
    json_object_set_new(json_object_get(pod, "metadata"), "uid", json_string(uid));
    node = json_string_value(
        json_object_get(jsonx_object(pod, "metadata.annotations"), "cas-backup/node"));
    json_object_set_new(json_object_get(pod, "spec"), "nodeName",
                        json_string(kube->bound_to ? kube->bound_to : node));
    if (kube->renamed)
        json_object_set_new(json_object_get(pod, "metadata"), "name", json_string(kube->renamed));
    if (kube->stripped)
        json_object_del(json_object_get(json_object_get(pod, "metadata"), "labels"),
                        kube->stripped);
    return pod;
}

static enum casb_code class_of(int http)
{
    if (http == 401 || http == 403)
        return CASB_EDENIED;
    if (http == 409)
        return CASB_ECONFLICT;
    if (http == 429 || http >= 500)
        return CASB_EUNREACHABLE;
    return http == 404 ? CASB_ENOTFOUND : CASB_EINVALID;
}

/* As the client does. */
static int refuse(const struct fake_create *step, const struct kube_request *request,
                  bool *ret_unknown, struct casb_error *err)
{
    json_auto_t *status = step->status ? json_loads(step->status, 0, NULL) : NULL;
    const char *message = jsonx_string(status, "message");

    if (request->ret_status)
        *request->ret_status = json_incref(status);
    *ret_unknown = step->http >= 500;
    return fail_http(err, class_of(step->http), step->http, message ? message : "<html>");
}

static int create(struct kube *kube, const struct kube_request *request, json_t **ret,
                  bool *ret_unknown, struct casb_error *err)
{
    const struct fake_create *step = &kube->creates[kube->posts < 4 ? kube->posts : 3];
    const json_t *manifest = request->body;
    const char *name = jsonx_string(manifest, "metadata.name");

    kube->posts++;
    if (json_object_get(kube->pods, name))
        return fail_http(err, CASB_ECONFLICT, 409, "AlreadyExists");
    switch (step->answer) {
    case FAKE_REFUSED:
        return refuse(step, request, ret_unknown, err);
    case FAKE_DROPPED:
        *ret_unknown = true;
        return err_set(err, CASB_EUNREACHABLE, "connection reset");
    case FAKE_CANCELLED:
        kube->late_pod = make_pod(kube, manifest);
        if (kube->late_gets == 0)
            kube->late_gets = 2;
        wake(kube->cancel_fd);
        return err_set(err, CASB_ECANCELLED, "cancelled");
    case FAKE_CREATED:
    case FAKE_LOST:
        break;
    }
    fake_kube_add_pod(kube, make_pod(kube, manifest));
    if (kube->renamed)
        name = kube->renamed;
    push_event(kube, json_object_get(kube->pods, name), false);
    *ret = json_deep_copy(json_object_get(kube->pods, name));
    for (size_t i = 0; i < 4 && step->statuses[i]; i++)
        change_pod(kube, name, step->statuses[i]);
    if (kube->unseen)
        json_object_set_new(json_object_get(kube->pods, name), "status",
                            json_loads(kube->unseen, 0, NULL));
    if (step->answer == FAKE_CREATED)
        return 0;
    json_decref(*ret);
    *ret = NULL;
    *ret_unknown = true;
    return err_set(err, CASB_EUNREACHABLE, "connection reset");
}

static int get(struct kube *kube, const char *name, json_t **ret, struct casb_error *err)
{
    kube->gets++;
    if (kube->late_pod && --kube->late_gets <= 0)
        fake_kube_add_pod(kube, TAKE_PTR(kube->late_pod));
    if (!json_object_get(kube->pods, name))
        return fail_http(err, CASB_ENOTFOUND, 404, "not found");
    *ret = json_deep_copy(json_object_get(kube->pods, name));
    return 0;
}

static int delete (struct kube *kube, const struct casb_call *call, const char *name,
                   const json_t *options, struct casb_error *err)
{
    json_t *pod = json_object_get(kube->pods, name);
    const char *uid = jsonx_string(options, "preconditions.uid");

    kube->deletes++;
    kube->delete_deadline_ns = call->deadline_ns;
    if (kube->delete_fails)
        return err_set(err, (enum casb_code)kube->delete_fails, "no");
    if (!pod)
        return fail_http(err, CASB_ENOTFOUND, 404, "not found");
    if (uid && strcmp(uid, jsonx_string(pod, "metadata.uid")) != 0)
        return fail_http(err, CASB_ECONFLICT, 409, "the UID in the precondition does not match");
    if (kube->secretive) {
        json_object_del(kube->pods, name);
        return 0;
    }
    json_object_set_new(json_object_get(pod, "metadata"), "deletionTimestamp",
                        json_string("2026-01-01T00:00:00Z"));
    push_event(kube, pod, false);
    if (!kube->stubborn)
        change_pod(kube, name, NULL);
    return 0;
}

/* An Event, or the patch of a node. */
static int tell(struct kube *kube, const struct kube_request *request, struct casb_error *err)
{
    if (kube->tell_fails)
        return err_set(err, (enum casb_code)kube->tell_fails, "no");
    if (kube->refuses_default && strstr(request->path, "/default/")) {
        kube->refused++;
        return fail_http(err, CASB_EINVALID, 422, "does not match event.namespace");
    }
    if (request->verb == KUBE_POST)
        json_array_append(kube->told, (json_t *)(uintptr_t)request->body);
    else
        json_array_append_new(
            kube->marked, json_pack("{s:s, s:O}", "path", request->path, "body", request->body));
    return 0;
}

int kube_request(struct kube *kube, const struct casb_call *call,
                 const struct kube_request *request, json_t **ret, bool *ret_unknown,
                 struct casb_error *err)
{
    const char *pods = strstr(request->path, PODS);
    const char *name = pods ? pods + strlen(PODS "/") : NULL;
    int r;

    pthread_mutex_lock(&kube->lock);
    if (!pods)
        r = tell(kube, request, err);
    else if (request->verb == KUBE_POST)
        r = create(kube, request, ret, ret_unknown, err);
    else if (request->verb == KUBE_GET)
        r = get(kube, name, ret, err);
    else
        r = delete (kube, call, name, request->body, err);
    pthread_mutex_unlock(&kube->lock);
    return r;
}

int kube_text(struct kube *kube, const struct casb_call *call, const char *path,
              const struct kube_query *query, struct buf *out, struct casb_error *err)
{
    const char *pod = strstr(path, PODS) + strlen(PODS "/"), *text;
    const json_t *log;
    char key[256];
    int r = 0;

    snprintf(key, sizeof key, "%.*s/%s", (int)(strlen(pod) - strlen("/log")), pod, query[0].value);
    pthread_mutex_lock(&kube->lock);
    kube->texts++;
    kube->text_deadline_ns = call->deadline_ns;
    log = json_object_get(kube->logs, key);
    text = json_string_value(log);
    if (text)
        buf_append_cut(out, text, strlen(text));
    else if (json_is_integer(log))
        r = err_set(err, (enum casb_code)json_integer_value(log), "no answer");
    else if (json_is_null(log))
        r = fail_http(err, CASB_ENOTFOUND, 404, "the kubelet does not know the pod");
    else
        r = fail_http(err, CASB_EUNREACHABLE, 502, "the kubelet does not answer");
    pthread_mutex_unlock(&kube->lock);
    return r;
}

/* Of selectors only that counts which tells our pods from those of the version before. */
static bool selects(const char *selector, const json_t *pod)
{
    bool marked =
        json_object_get(jsonx_object(pod, "metadata.labels"), "cas-backup/instance") != NULL;

    if (strncmp(selector, "cas-backup/", 11) == 0)
        return marked;
    return !strstr(selector, "!cas-backup/instance") || !marked;
}

/* A copy, so that callbacks run without the lock. */
static json_t *copy_items(struct kube *kube, const char *path, const char *selector)
{
    json_t *items = json_array(), *pod;
    const char *name;

    if (!strstr(path, PODS)) {
        json_array_extend(items, kube->nodes);
        if (strncmp(selector, "cas-backup/", 11) == 0)
            json_array_extend(items, kube->strays);
        return items;
    }
    json_object_foreach (kube->pods, name, pod)
        if (selects(selector, pod))
            json_array_append_new(items, json_deep_copy(pod));
    return items;
}

int kube_list(struct kube *kube, const struct casb_call *call, const char *path,
              const struct kube_query *query, kube_item_fn *each, void *arg,
              char version[static KUBE_VERSION_BYTES], struct casb_error *err)
{
    json_auto_t *items = NULL;
    const json_t *item;
    int fail, r = 0;
    size_t i;

    (void)call;
    pthread_mutex_lock(&kube->lock);
    fail = kube->lists < ELEMENTS(kube->list_fails) ? kube->list_fails[kube->lists] : 0;
    kube->lists++;
    memcpy(kube->query_before, kube->query, sizeof kube->query);
    snprintf(kube->query, sizeof kube->query, "%s", query ? query[0].value : "");
    items = copy_items(kube, path, kube->query);
    if (strstr(path, PODS))
        json_array_clear(kube->events);
    pthread_mutex_unlock(&kube->lock);
    if (fail)
        return err_set(err, (enum casb_code)fail, "the list failed");
    json_array_foreach (items, i, item) {
        r = each(item, arg);
        if (r != 0)
            return r;
    }
    snprintf(version, KUBE_VERSION_BYTES, "1");
    return 0;
}

/* The next event, or NULL; then *ret_old says whether to list again. */
static json_t *next_event(struct kube *kube, bool *ret_old)
{
    json_t *event;

    pthread_mutex_lock(&kube->lock);
    event = json_incref(json_array_get(kube->events, 0));
    json_array_remove(kube->events, 0);
    *ret_old = !event && kube->version_is_old;
    if (*ret_old)
        kube->version_is_old = false;
    pthread_mutex_unlock(&kube->lock);
    return event;
}

int kube_watch(struct kube *kube, const struct casb_call *call, const char *path,
               const struct kube_query *query, const char *version, kube_event_fn *event, void *arg,
               struct casb_error *err)
{
    (void)path;
    (void)query;
    (void)version;
    pthread_mutex_lock(&kube->lock);
    kube->watches++;
    pthread_cond_broadcast(&kube->began);
    pthread_mutex_unlock(&kube->lock);
    for (;;) {
        struct pollfd fds[] = {{kube->wake_fd, POLLIN, 0}, {call->cancel_fd, POLLIN, 0}};
        eventfd_t count;
        json_t *next;
        bool old;

        while ((next = next_event(kube, &old))) {
            event(json_object_get(next, "object"), json_is_true(json_object_get(next, "deleted")),
                  arg);
            json_decref(next);
        }
        if (old)
            return err_set(err, CASB_ECONFLICT, "too old resource version");
        poll(fds, ELEMENTS(fds), -1);
        if (fds[1].revents)
            return err_set(err, CASB_ECANCELLED, "cancelled");
        eventfd_read(kube->wake_fd, &count);
    }
}
