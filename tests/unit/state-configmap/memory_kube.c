/* SPDX-License-Identifier: Apache-2.0 */
#include "memory_kube.h"

#include "unit/unit.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/text.h"

#include <pthread.h>
#include <time.h>

#define WAIT_S 20

struct kube {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t asked;
    json_t *objects;  /* path: object */
    json_t *requests; /* "VERB path" */
    struct memory_failure failure;
    const char *denied, *stripped;
    size_t limit_bytes;
    int version;
    bool served;
};

static struct kube *served;

static const char *const verbs[] = {
    [KUBE_GET] = "GET",           [KUBE_POST] = "POST",     [KUBE_PUT] = "PUT",
    [KUBE_MERGE_PATCH] = "PATCH", [KUBE_DELETE] = "DELETE",
};

/* Ends the process: assertions of cmocka must not fail in another thread than the test's. */
static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "memory_kube: %s\n", what);
    abort();
}

struct kube *memory_kube_new(void)
{
    struct kube *kube = calloc(1, sizeof *kube);

    must(kube, "out of memory");
    pthread_mutex_init(&kube->lock, NULL);
    pthread_cond_init(&kube->asked, NULL);
    kube->objects = json_object();
    kube->requests = json_array();
    return kube;
}

void kube_close(struct kube *kube)
{
    if (!kube)
        return;
    if (kube->served) { /* by the plugin; the test closes it itself */
        kube->served = false;
        return;
    }
    json_decref(kube->objects);
    json_decref(kube->requests);
    pthread_cond_destroy(&kube->asked);
    pthread_mutex_destroy(&kube->lock);
    free(kube);
}

void memory_kube_serve(struct kube *kube)
{
    kube->served = true;
    served = kube;
}

int kube_open(const struct casb_host *host, const struct kube_settings *settings, struct kube **ret,
              struct casb_error *err)
{
    (void)host;
    (void)settings;
    (void)err;
    *ret = served;
    return 0;
}

const char *kube_namespace(const struct kube *kube)
{
    (void)kube;
    return "ns";
}

void memory_kube_fail(struct kube *kube, const struct memory_failure *failure)
{
    pthread_mutex_lock(&kube->lock);
    kube->failure = *failure;
    pthread_mutex_unlock(&kube->lock);
}

void memory_kube_deny(struct kube *kube, const char *right)
{
    kube->denied = right;
}

void memory_kube_limit(struct kube *kube, size_t bytes)
{
    kube->limit_bytes = bytes;
}

void memory_kube_strip(struct kube *kube, const char *label)
{
    kube->stripped = label;
}

/* Stores the object under its path with a new version; takes it over. */
static void place(struct kube *kube, const char *path, json_t *object)
{
    json_t *metadata = json_object_get(object, "metadata");
    char version[16], uid[16];

    must(metadata, "an object without metadata");
    snprintf(version, sizeof version, "%d", ++kube->version);
    snprintf(uid, sizeof uid, "u%d", kube->version);
    json_object_set_new(metadata, "resourceVersion", json_string(version));
    if (!json_object_get(metadata, "uid"))
        json_object_set_new(metadata, "uid", json_string(uid));
    json_object_set_new(kube->objects, path, object);
}

void memory_kube_set(struct kube *kube, const char *path, const char *text)
{
    char json[4096];
    json_t *object = NULL;

    if (text) {
        snprintf(json, sizeof json, "%s", text);
        for (char *c = json; (c = strchr(c, '\''));)
            *c = '"';
        object = json_loads(json, 0, NULL);
        must(object, text);
    }
    pthread_mutex_lock(&kube->lock);
    if (object)
        place(kube, path, object);
    else
        json_object_del(kube->objects, path);
    pthread_mutex_unlock(&kube->lock);
}

json_t *memory_kube_get(struct kube *kube, const char *path)
{
    json_t *copy;

    pthread_mutex_lock(&kube->lock);
    copy = json_deep_copy(json_object_get(kube->objects, path));
    pthread_mutex_unlock(&kube->lock);
    return copy;
}

static int count(const struct kube *kube, enum kube_verb verb, const char *path)
{
    json_t *request;
    size_t i;
    int n = 0;

    json_array_foreach (kube->requests, i, request) {
        const char *text = json_string_value(request);
        size_t len = strlen(verbs[verb]);

        n += strncmp(text, verbs[verb], len) == 0 && text[len] == ' ' && strstr(text, path);
    }
    return n;
}

int memory_kube_count(struct kube *kube, enum kube_verb verb, const char *path)
{
    int n;

    pthread_mutex_lock(&kube->lock);
    n = count(kube, verb, path);
    pthread_mutex_unlock(&kube->lock);
    return n;
}

void memory_kube_wait(struct kube *kube, enum kube_verb verb, const char *path, int want)
{
    struct timespec until;
    int r = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&kube->lock);
    while (count(kube, verb, path) < want && r == 0)
        r = pthread_cond_timedwait(&kube->asked, &kube->lock, &until);
    pthread_mutex_unlock(&kube->lock);
    must(r == 0, "a request did not come");
}

/* ---- requests */

static int refuse(struct casb_error *err, int code, int http, const char *what)
{
    err_set(err, code, "%s", what);
    if (err)
        err->http = http;
    return code;
}

static bool versions_agree(const json_t *wanted, const char *key, const json_t *object)
{
    const char *want = jsonx_string(wanted, key);
    char path[64];

    snprintf(path, sizeof path, "metadata.%s", key);
    return !want || text_equal(want, jsonx_string(object, path));
}

static int post(struct kube *kube, const struct kube_request *request, json_t **ret,
                struct casb_error *err)
{
    json_t *object;
    char path[512];

    snprintf(path, sizeof path, "%s/%s", request->path,
             jsonx_string(request->body, "metadata.name"));
    if (json_object_get(kube->objects, path))
        return refuse(err, CASB_ECONFLICT, 409, "it already exists");
    object = json_deep_copy(request->body);
    if (kube->stripped)
        json_object_del(json_object_get(json_object_get(object, "metadata"), "labels"),
                        kube->stripped);
    place(kube, path, object);
    if (ret)
        *ret = json_deep_copy(json_object_get(kube->objects, path));
    return 0;
}

static int change(struct kube *kube, const struct kube_request *request, json_t *old,
                  struct casb_error *err)
{
    json_t *object;

    switch (request->verb) {
    case KUBE_PUT:
        if (!versions_agree(json_object_get(request->body, "metadata"), "resourceVersion", old))
            return refuse(err, CASB_ECONFLICT, 409, "the object has been modified");
        place(kube, request->path, json_deep_copy(request->body));
        return 0;
    case KUBE_MERGE_PATCH:
        if (!versions_agree(json_object_get(request->body, "metadata"), "uid", old))
            return refuse(err, CASB_ECONFLICT, 409, "the precondition failed");
        object = json_deep_copy(old);
        must(jsonx_merge_patch(&object, request->body) == 0, "out of memory");
        place(kube, request->path, object);
        return 0;
    case KUBE_DELETE:
        if (!versions_agree(json_object_get(request->body, "preconditions"), "uid", old) ||
            !versions_agree(json_object_get(request->body, "preconditions"), "resourceVersion",
                            old))
            return refuse(err, CASB_ECONFLICT, 409, "the precondition failed");
        json_object_del(kube->objects, request->path);
        return 0;
    default:
        return 0;
    }
}

static bool selects(const char *selector, const json_t *object);

/* A list in one answer. */
static int list_whole(struct kube *kube, const struct kube_request *request, json_t **ret)
{
    json_t *items = json_array(), *object;
    const char *key;

    json_object_foreach (kube->objects, key, object) {
        if (strncmp(key, request->path, strlen(request->path)) == 0 &&
            selects(request->query->value, object))
            json_array_append_new(items, json_deep_copy(object));
    }
    *ret = json_pack("{s:o}", "items", items);
    return 0;
}

static int answer(struct kube *kube, const struct kube_request *request, json_t **ret,
                  struct casb_error *err)
{
    json_t *object = json_object_get(kube->objects, request->path);

    if (request->verb == KUBE_GET && request->query)
        return list_whole(kube, request, ret);
    if (request->verb == KUBE_POST)
        return post(kube, request, ret, err);
    if (!object)
        return refuse(err, CASB_ENOTFOUND, 404, "not found");
    if (request->verb == KUBE_GET && ret)
        *ret = json_deep_copy(object);
    return change(kube, request, object, err);
}

static bool is_to_fail(struct memory_failure *failure, const struct kube_request *request)
{
    if (failure->times == 0 || failure->verb != request->verb ||
        !strstr(request->path, failure->path))
        return false;
    failure->times -= failure->times > 0;
    if (failure->delay_ms)
        usleep((useconds_t)failure->delay_ms * 1000);
    return !failure->delay_ms;
}

static bool is_too_large(const struct kube *kube, const struct kube_request *request)
{
    return kube->limit_bytes && request->body &&
           json_dumpb(request->body, NULL, 0, JSON_COMPACT) > kube->limit_bytes;
}

int kube_request(struct kube *kube, const struct casb_call *call,
                 const struct kube_request *request, json_t **ret, bool *ret_unknown,
                 struct casb_error *err)
{
    char line[600];
    int r = 0;

    snprintf(line, sizeof line, "%s %s", verbs[request->verb], request->path);
    pthread_mutex_lock(&kube->lock);
    json_array_append_new(kube->requests, json_string(line));
    if (is_too_large(kube, request)) {
        r = refuse(err, CASB_EINVALID, 413, "too large");
    } else if (is_to_fail(&kube->failure, request)) {
        if (kube->failure.done)
            must(answer(kube, request, NULL, NULL) == 0, "what was to be lost failed by itself");
        if (ret_unknown)
            *ret_unknown = request->verb == KUBE_POST && kube->failure.http == 0;
        r = refuse(err, kube->failure.code, kube->failure.http,
                   kube->failure.text ? kube->failure.text : "it fails on request");
    } else {
        r = answer(kube, request, ret, err);
    }
    pthread_cond_broadcast(&kube->asked);
    pthread_mutex_unlock(&kube->lock);
    return r == CASB_ETIMEOUT ? clock_sleep(call, WAIT_S * CLOCK_S) : r;
}

/* ---- lists */

/* "a=b,c=d,!e" */
static bool selects(const char *selector, const json_t *object)
{
    const json_t *labels = jsonx_object(object, "metadata.labels");
    _cleanup_(freep) char *copy = strdup(selector);
    char *rest = copy, *pair;

    while ((pair = strsep(&rest, ","))) {
        char *key = strsep(&pair, "=");

        if (*key == '!' && json_object_get(labels, key + 1))
            return false;
        if (*key != '!' && !text_equal(json_string_value(json_object_get(labels, key)), pair))
            return false;
    }
    return true;
}

int kube_list(struct kube *kube, const struct casb_call *call, const char *path,
              const struct kube_query *query, kube_item_fn *each, void *arg,
              char version[static KUBE_VERSION_BYTES], struct casb_error *err)
{
    const struct kube_request request = {.verb = KUBE_GET, .path = path};
    json_t *object;
    const char *key;
    int r = 0;

    (void)call;
    must(strcmp(query->name, "labelSelector") == 0, "a list without a selector");
    pthread_mutex_lock(&kube->lock);
    json_array_append_new(kube->requests, json_sprintf("GET %s?", path));
    if (is_to_fail(&kube->failure, &request))
        r = refuse(err, kube->failure.code, kube->failure.http, "it fails on request");
    json_object_foreach (kube->objects, key, object)
        if (!r && strncmp(key, path, strlen(path)) == 0 && selects(query->value, object))
            r = each(object, arg);
    snprintf(version, KUBE_VERSION_BYTES, "%d", kube->version);
    pthread_mutex_unlock(&kube->lock);
    return r;
}

int kube_allowed(struct kube *kube, const struct casb_call *call, const char *verb,
                 const char *group, const char *resource, const char *namespace, const char *name,
                 bool *ret_allowed, struct casb_error *err)
{
    char right[128];

    (void)call;
    (void)group;
    (void)err;
    must(strcmp(namespace, "ns") == 0, "a right elsewhere");
    snprintf(right, sizeof right, "%s %s%s%s", verb, resource, name ? " " : "", name ? name : "");
    *ret_allowed = !text_equal(right, kube->denied);
    return 0;
}
