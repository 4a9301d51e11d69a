/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/kube_api.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "sandbox/kube_event.h"

#include <string.h>
#include <sys/random.h>

#define CONFIGMAP_BYTES (1024 * 1024)
#define GRACE_SECONDS   30

/* A random UUID (RFC 4122, version 4). */
static void make_uid(char out[static 37])
{
    unsigned char b[16];

    if (getrandom(b, sizeof b, 0) != sizeof b)
        abort();
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}

static bool is_name(const char *name)
{
    size_t len = name ? strlen(name) : 0;

    return len > 0 && len < 254 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len &&
           !strchr("-.", name[0]) && !strchr("-.", name[len - 1]);
}

/* Only the values count. */
static size_t data_bytes(const json_t *object)
{
    size_t bytes = 0;
    const char *key;
    json_t *value;

    json_object_foreach (json_object_get(object, "data"), key, value)
        bytes += json_string_length(value);
    return bytes;
}

/* False: the reply says what is wrong. */
static bool is_valid(const struct api_request *request, const json_t *object,
                     struct api_reply *reply)
{
    const char *name = jsonx_string(object, "metadata.name");
    const char *namespace = jsonx_string(object, "metadata.namespace");
    const char *kind = request->resource->kind;

    if (!is_name(name))
        api_fail(reply, 422, "Invalid", "%s \"%s\" is invalid: metadata.name", kind,
                 name ? name : "");
    else if (namespace && strcmp(namespace, request->namespace) != 0)
        api_fail(reply, 400, "BadRequest",
                 "the namespace of the provided object does not match the namespace sent on the "
                 "request");
    else if (request->resource->namespaced && !*request->namespace)
        api_fail(reply, 405, "MethodNotAllowed", "a namespace is needed");
    else if (strcmp(kind, "Pod") == 0 &&
             !jsonx_string(json_array_get(jsonx_array(object, "spec.containers"), 0), "image"))
        api_fail(reply, 422, "Invalid", "Pod \"%s\" is invalid: spec.containers: Required value",
                 name);
    else if (strcmp(kind, "ConfigMap") == 0 && data_bytes(object) > CONFIGMAP_BYTES)
        api_fail(reply, 422, "Invalid",
                 "ConfigMap \"%s\" is invalid: []: Too long: must have at most 1048576 bytes",
                 name);
    else if (strcmp(kind, "Event") == 0 && event_fault(object))
        api_fail(reply, 422, "Invalid", "Event.events.k8s.io \"%s\" is invalid: %s", name,
                 event_fault(object));
    else
        return true;
    return false;
}

/* Whatever was sent, it must be an object. False: the reply says so. */
static bool has_object(const struct api_request *request, struct api_reply *reply)
{
    if (json_is_object(request->body))
        return true;
    api_fail(reply, 400, "BadRequest", "the body of the request is no JSON object");
    return false;
}

/* ---- create */

static void set_identity(const struct api_request *request, json_t *object)
{
    json_t *metadata = json_object_get(object, "metadata");
    char uid[37], now[CLOCK_RFC3339_BYTES];

    make_uid(uid);
    json_object_set_new(object, "kind", json_string(request->resource->kind));
    json_object_set_new(object, "apiVersion", json_string(request->resource->version));
    json_object_set_new(metadata, "uid", json_string(uid));
    json_object_set_new(metadata, "creationTimestamp",
                        json_string(clock_format(now, clock_wall_ms(), false)));
    if (request->resource->namespaced)
        json_object_set_new(metadata, "namespace", json_string(request->namespace));
}

static void set_pod_defaults(json_t *pod)
{
    json_t *spec = json_object_get(pod, "spec");

    if (!json_object_get(spec, "terminationGracePeriodSeconds"))
        json_object_set_new(spec, "terminationGracePeriodSeconds", json_integer(GRACE_SECONDS));
    json_object_set_new(pod, "status", json_pack("{s:s}", "phase", "Pending"));
}

void api_create(struct api *api, const struct api_request *request, struct api_reply *reply)
{
    char key[STORE_KEY_BYTES];
    json_t *object;

    if (!has_object(request, reply) || !is_valid(request, request->body, reply))
        return;
    store_key(key, request->resource->name, request->namespace,
              jsonx_string(request->body, "metadata.name"));
    if (store_get(&api->store, key))
        return api_fail(reply, 409, "AlreadyExists", "%s \"%s\" already exists",
                        request->resource->name, jsonx_string(request->body, "metadata.name"));
    object = json_deep_copy(request->body);
    set_identity(request, object);
    if (strcmp(request->resource->kind, "Pod") == 0)
        set_pod_defaults(object);
    store_put(&api->store, key, object);
    reply->status = 201;
    reply->body = json_incref(object);
}

/* ---- update */

/* What a client may not change: identity, and the status or else all but the status. */
static json_t *keep_fixed(const struct api_request *request, const json_t *before, json_t *wanted)
{
    static const char *const fixed[] = {
        "name", "namespace", "uid", "creationTimestamp", "resourceVersion", "deletionTimestamp"};
    json_t *next = wanted, *metadata;

    if (strcmp(request->sub, "status") == 0) {
        next = json_deep_copy(before);
        json_object_set(next, "status", json_object_get(wanted, "status"));
        json_decref(wanted);
    } else if (request->resource->has_status) {
        json_object_set(next, "status", json_object_get(before, "status"));
    }
    json_object_set_new(next, "kind", json_string(request->resource->kind));
    json_object_set_new(next, "apiVersion", json_string(request->resource->version));
    metadata = json_object_get(next, "metadata");
    for (size_t i = 0; i < ELEMENTS(fixed); i++)
        json_object_set(metadata, fixed[i],
                        json_object_get(json_object_get(before, "metadata"), fixed[i]));
    return next;
}

/* What the object shall be; NULL: the reply says what is wrong. The caller frees it. */
static json_t *wanted_object(const struct api_request *request, const json_t *before,
                             struct api_reply *reply)
{
    static const char merge[] = "application/merge-patch+json";
    json_t *wanted;

    if (strcmp(request->verb, "update") == 0)
        return json_deep_copy(request->body);
    if (!request->type || strcmp(request->type, merge) != 0) {
        api_fail(reply, 415, "UnsupportedMediaType",
                 "the body of the request was in an unknown "
                 "format");
        return NULL;
    }
    wanted = json_deep_copy(before);
    if (jsonx_merge_patch(&wanted, request->body) < 0)
        abort();
    return wanted;
}

/* Somebody else changed it first, or it is another one of the same name. */
static bool is_conflict(const json_t *before, const json_t *wanted)
{
    static const char *const guards[] = {"metadata.resourceVersion", "metadata.uid"};

    for (size_t i = 0; i < ELEMENTS(guards); i++) {
        const char *want = jsonx_string(wanted, guards[i]);

        if (want && strcmp(want, jsonx_string(before, guards[i])) != 0)
            return true;
    }
    return false;
}

/* Is somebody yet to take a finalizer off it? */
static bool is_held(const json_t *object)
{
    return json_array_size(jsonx_array(object, "metadata.finalizers")) > 0;
}

void api_update(struct api *api, const struct api_request *request, struct api_reply *reply)
{
    char key[STORE_KEY_BYTES];
    const json_t *before;
    json_t *wanted;

    store_key(key, request->resource->name, request->namespace, request->name);
    before = store_get(&api->store, key);
    if (!before)
        return api_fail_missing(reply, request);
    if (!has_object(request, reply))
        return;
    wanted = wanted_object(request, before, reply);
    if (!wanted)
        return;
    if (is_conflict(before, wanted))
        api_fail(reply, 409, "Conflict",
                 "Operation cannot be fulfilled on %s \"%s\": the object has been modified; please "
                 "apply your changes to the latest version and try again",
                 request->resource->name, request->name);
    else if (strcmp(request->resource->kind, "Lease") == 0 &&
             !jsonx_string(wanted, "metadata.resourceVersion"))
        api_fail(reply, 422, "Invalid",
                 "Lease \"%s\" is invalid: metadata.resourceVersion: must be specified for an "
                 "update",
                 request->name);
    else if (is_valid(request, wanted, reply)) {
        wanted = keep_fixed(request, before, wanted);
        reply->body = json_incref(wanted);
        if (jsonx_string(wanted, "metadata.deletionTimestamp") && !is_held(wanted) &&
            !jsonx_string(wanted, "spec.nodeName"))
            store_remove(&api->store, key);
        else if (!json_equal(wanted, before))
            store_put(&api->store, key, TAKE_PTR(wanted));
    }
    json_decref(wanted);
}

/* ---- delete */

/* How long a pod may take to end: none where it never started or is over. */
static int64_t grace_seconds(const json_t *pod, const json_t *options)
{
    const char *phase = jsonx_string(pod, "status.phase");

    if (!jsonx_string(pod, "spec.nodeName") || strcmp(phase, "Failed") == 0 ||
        strcmp(phase, "Succeeded") == 0)
        return 0;
    return jsonx_int(options, "gracePeriodSeconds",
                     jsonx_int(pod, "spec.terminationGracePeriodSeconds", GRACE_SECONDS));
}

/* The kubelet removes the pod when it has ended. */
static void mark_deleted(struct api *api, const char *key, int64_t seconds)
{
    json_t *pod = store_copy(&api->store, key), *metadata = json_object_get(pod, "metadata");
    char at[CLOCK_RFC3339_BYTES];

    clock_format(at, clock_wall_ms() + seconds * 1000, false);
    json_object_set_new(metadata, "deletionTimestamp", json_string(at));
    json_object_set_new(metadata, "deletionGracePeriodSeconds", json_integer(seconds));
    store_put(&api->store, key, pod);
}

void api_delete(struct api *api, const struct api_request *request, struct api_reply *reply)
{
    const json_t *preconditions = jsonx_object(request->body, "preconditions");
    json_auto_t *guards = json_pack("{s:O*}", "metadata", preconditions);
    char key[STORE_KEY_BYTES];
    const json_t *object;

    store_key(key, request->resource->name, request->namespace, request->name);
    object = store_get(&api->store, key);
    if (!object)
        return api_fail_missing(reply, request);
    if (is_conflict(object, guards))
        return api_fail(reply, 409, "Conflict",
                        "Operation cannot be fulfilled on %s \"%s\": the UID or ResourceVersion in "
                        "the precondition does not match",
                        request->resource->name, request->name);
    if ((strcmp(request->resource->kind, "Pod") == 0 && grace_seconds(object, request->body) > 0) ||
        is_held(object)) {
        if (!jsonx_string(object, "metadata.deletionTimestamp"))
            mark_deleted(api, key, grace_seconds(object, request->body));
        reply->body = json_incref((json_t *)store_get(&api->store, key));
        return;
    }
    reply->body = json_pack("{s:s, s:s, s:{}, s:s, s:{s:s, s:s}}", "kind", "Status", "apiVersion",
                            "v1", "metadata", "status", "Success", "details", "name", request->name,
                            "kind", request->resource->name);
    store_remove(&api->store, key);
}
