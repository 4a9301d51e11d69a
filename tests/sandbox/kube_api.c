/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/kube_api.h"

#include "base/jsonx.h"
#include "sandbox/kube_select.h"

#include <stdarg.h>
#include <string.h>

#define CORE  "/api/v1/"
#define LEASE "/apis/coordination.k8s.io/v1/"
#define EVENT "/apis/events.k8s.io/v1/"

static const struct {
    const char *base;
    struct api_resource resource;
} resources[] = {
    {CORE, {"nodes", "Node", "v1", false, true}},
    {CORE, {"pods", "Pod", "v1", true, true}},
    {CORE, {"configmaps", "ConfigMap", "v1", true, false}},
    {EVENT, {"events", "Event", "events.k8s.io/v1", true, false}},
    {LEASE, {"leases", "Lease", "coordination.k8s.io/v1", true, false}},
};

/* ---- what a request is about */

/* Copies the next part of a path and gives what follows it. */
static const char *next_part(const char *path, char *out, size_t size)
{
    size_t len = strcspn(path, "/");

    snprintf(out, size, "%.*s", (int)len, path);
    return path[len] ? path + len + 1 : path + len;
}

static const struct api_resource *find_resource(const char *base, const char *name)
{
    for (size_t i = 0; i < ELEMENTS(resources); i++) {
        if (strcmp(resources[i].base, base) == 0 && strcmp(resources[i].resource.name, name) == 0)
            return &resources[i].resource;
    }
    return NULL;
}

static const char *find_verb(const struct api_request *request)
{
    static const char *const verbs[][2] = {
        {"POST", "create"}, {"PUT", "update"}, {"PATCH", "patch"}, {"DELETE", "delete"}};
    const char *watch = api_query(request, "watch");

    for (size_t i = 0; i < ELEMENTS(verbs); i++) {
        if (strcmp(request->method, verbs[i][0]) == 0)
            return verbs[i][1];
    }
    if (*request->name)
        return "get";
    return strcmp(watch, "1") == 0 || strcmp(watch, "true") == 0 ? "watch" : "list";
}

static const char *find_base(const char *path)
{
    static const char *const bases[] = {CORE, LEASE, EVENT};

    for (size_t i = 0; i < ELEMENTS(bases); i++)
        if (strncmp(path, bases[i], strlen(bases[i])) == 0)
            return bases[i];
    return NULL;
}

void api_route(struct api_request *request)
{
    const char *base = find_base(request->path);
    const char *rest = base ? request->path + strlen(base) : "";
    char part[64];

    rest = next_part(rest, part, sizeof part);
    if (strcmp(part, "namespaces") == 0) {
        rest = next_part(rest, request->namespace, sizeof request->namespace);
        rest = next_part(rest, part, sizeof part);
    }
    request->resource = base ? find_resource(base, part) : NULL;
    rest = next_part(rest, request->name, sizeof request->name);
    next_part(rest, request->sub, sizeof request->sub);
    request->verb = find_verb(request);
}

const char *api_query(const struct api_request *request, const char *name)
{
    const char *value = request->query(request->query_arg, name);

    return value ? value : "";
}

/* ---- answers */

void api_fail(struct api_reply *reply, unsigned status, const char *reason, const char *format, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    json_decref(reply->body);
    free(TAKE_PTR(reply->text));
    reply->status = status;
    reply->body = json_pack("{s:s, s:s, s:{}, s:s, s:s, s:s, s:i}", "kind", "Status", "apiVersion",
                            "v1", "metadata", "status", "Failure", "message", text, "reason",
                            reason, "code", (int)status);
}

void api_fail_missing(struct api_reply *reply, const struct api_request *request)
{
    api_fail(reply, 404, "NotFound", "%s \"%s\" not found", request->resource->name, request->name);
}

static void get(const struct api *api, const struct api_request *request, struct api_reply *reply)
{
    char key[STORE_KEY_BYTES];
    const json_t *object = store_get(
        &api->store, store_key(key, request->resource->name, request->namespace, request->name));

    if (!object)
        return api_fail_missing(reply, request);
    reply->body = json_incref((json_t *)object);
}

/* The log is what the pod's annotation says: the containers of most pods here run nothing. */
static void get_log(const struct api *api, const struct api_request *request,
                    struct api_reply *reply)
{
    const char *limit = api_query(request, "limitBytes"), *log;
    const json_t *pod, *annotations;

    get(api, request, reply);
    if (reply->status != 200)
        return;
    pod = reply->body;
    if (!jsonx_get(json_array_get(jsonx_array(pod, "status.containerStatuses"), 0),
                   "state.running"))
        return api_fail(
            reply, 400, "BadRequest",
            "container \"%s\" in pod \"%s\" is waiting to start: ContainerCreating",
            jsonx_string(json_array_get(jsonx_array(pod, "spec.containers"), 0), "name"),
            request->name);
    annotations = jsonx_object(pod, "metadata.annotations");
    log = json_string_value(json_object_get(annotations, "sandbox/log"));
    reply->text =
        *limit ? strndup(log ? log : "", strtoul(limit, NULL, 10)) : strdup(log ? log : "");
    json_decref(TAKE_PTR(reply->body));
}

/* ---- lists */

/* A token is VERSION:KEY, of which KEY was the last one on the page before. */
struct page {
    long limit;
    int64_t version;
    const char *after;
};

static void make_token(char *out, size_t size, int64_t version, const char *key)
{
    snprintf(out, size, "%lld:%s", (long long)version, key);
}

/* False: the reply says why there is no such page. */
static bool find_page(const struct api *api, const struct api_request *request, struct page *page,
                      struct api_reply *reply)
{
    const char *token = api_query(request, "continue");
    char fresh[STORE_KEY_BYTES + 24], *colon;

    *page = (struct page){
        .limit = strtol(api_query(request, "limit"), NULL, 10),
        .version = api->store.version,
        .after = "",
    };
    if (!*token)
        return true;
    if (*api_query(request, "resourceVersion")) {
        api_fail(reply, 400, "BadRequest",
                 "specifying resource version is not allowed when using continue");
        return false;
    }
    page->version = strtoll(token, &colon, 10);
    if (*colon != ':') {
        api_fail(reply, 400, "BadRequest", "continue key is not valid");
        return false;
    }
    page->after = colon + 1;
    if (page->version >= api->store.compacted)
        return true;
    make_token(fresh, sizeof fresh, api->store.version, page->after);
    api_fail(reply, 410, "Expired",
             "The provided continue parameter is too old to display a consistent list result.");
    json_object_set_new(json_object_get(reply->body, "metadata"), "continue", json_string(fresh));
    return false;
}

static int matches(const struct api_request *request, const json_t *object)
{
    int labels = select_labels(api_query(request, "labelSelector"), object);
    int fields = select_fields(api_query(request, "fieldSelector"), object);

    return labels < 0 || fields < 0 ? -1 : labels && fields;
}

/* Fills a page; gives the key after which the next one begins, or "" after the last one. */
static void fill_page(const struct api *api, const struct api_request *request,
                      const struct page *page, json_t *items, char last[static STORE_KEY_BYTES])
{
    const char *resource = request->resource->name;
    char prefix[STORE_KEY_BYTES], key[STORE_KEY_BYTES];
    json_auto_t *all = NULL;
    json_t *object;
    size_t i;

    if (*request->namespace)
        store_key(prefix, resource, request->namespace, "");
    else
        snprintf(prefix, sizeof prefix, "%s/", resource);
    all = store_list(&api->store, prefix);
    *last = 0;
    json_array_foreach (all, i, object) {
        store_key_of(key, resource, object);
        if (strcmp(key, page->after) <= 0 || !matches(request, object))
            continue;
        if (page->limit > 0 && json_array_size(items) == (size_t)page->limit)
            return;
        json_array_append(items, object);
        strcpy(last, key);
    }
    *last = 0;
}

/* A page shows the objects as they are now, not as they were on the first page. */
static void list(const struct api *api, const struct api_request *request, struct api_reply *reply)
{
    char last[STORE_KEY_BYTES], token[STORE_KEY_BYTES + 24], version[24], kind[32];
    json_auto_t *nothing = json_object();
    struct page page;
    json_t *items, *metadata;

    if (matches(request, nothing) < 0)
        return api_fail(reply, 400, "BadRequest", "unable to parse requirement");
    if (!find_page(api, request, &page, reply))
        return;
    items = json_array();
    fill_page(api, request, &page, items, last);
    snprintf(version, sizeof version, "%lld", (long long)page.version);
    metadata = json_pack("{s:s}", "resourceVersion", version);
    if (*last) {
        make_token(token, sizeof token, page.version, last);
        json_object_set_new(metadata, "continue", json_string(token));
    }
    snprintf(kind, sizeof kind, "%sList", request->resource->kind);
    reply->body = json_pack("{s:s, s:s, s:o, s:o}", "kind", kind, "apiVersion",
                            request->resource->version, "metadata", metadata, "items", items);
}

static void watch(const struct api *api, const struct api_request *request, struct api_reply *reply)
{
    int64_t version = strtoll(api_query(request, "resourceVersion"), NULL, 10);
    json_auto_t *nothing = json_object();

    if (matches(request, nothing) < 0)
        return api_fail(reply, 400, "BadRequest", "unable to parse requirement");
    if (version && version < api->store.compacted)
        api_fail(reply, 410, "Expired", "too old resource version: %lld (%lld)", (long long)version,
                 (long long)api->store.compacted);
    reply->watch = true;
}

/* ---- who may do what */

static bool is_denied(const struct api *api, const char *verb, const char *resource,
                      const char *sub)
{
    char what[128];

    snprintf(what, sizeof what, "%s %s%s%s", verb, resource, *sub ? "/" : "", sub);
    return json_object_get(api->denied, what) != NULL;
}

static void review_access(const struct api *api, const struct api_request *request,
                          struct api_reply *reply)
{
    const json_t *asked = jsonx_object(request->body, "spec.resourceAttributes");
    const char *verb = jsonx_string(asked, "verb"), *resource = jsonx_string(asked, "resource");
    const char *sub = jsonx_string(asked, "subresource");

    if (!verb || !resource)
        return api_fail(reply, 422, "Invalid", "spec.resourceAttributes: Required value");
    reply->status = 201;
    reply->body = json_deep_copy(request->body);
    json_object_set_new(
        reply->body, "status",
        json_pack("{s:b}", "allowed", !is_denied(api, verb, resource, sub ? sub : "")));
}

static void count(const struct api *api, const struct api_request *request)
{
    char what[128];

    snprintf(what, sizeof what, "%s %s%s%s", request->verb, request->resource->name,
             *request->sub ? "/" : "", request->sub);
    json_object_set_new(api->counts, what,
                        json_integer(json_integer_value(json_object_get(api->counts, what)) + 1));
}

static void do_resource(struct api *api, const struct api_request *request, struct api_reply *reply)
{
    const char *verb = request->verb;

    if (strcmp(verb, "create") == 0)
        api_create(api, request, reply);
    else if (strcmp(verb, "list") == 0)
        list(api, request, reply);
    else if (strcmp(verb, "watch") == 0)
        watch(api, request, reply);
    else if (!*request->name)
        api_fail(reply, 405, "MethodNotAllowed", "the server does not allow this method");
    else if (strcmp(verb, "get") == 0 && strcmp(request->sub, "log") == 0)
        get_log(api, request, reply);
    else if (strcmp(verb, "get") == 0)
        get(api, request, reply);
    else if (strcmp(verb, "delete") == 0)
        api_delete(api, request, reply);
    else
        api_update(api, request, reply);
}

/* As who asks for a PartialObjectMetadata wants it; a Status stays one. */
static void keep_metadata(const struct api_request *request, struct api_reply *reply)
{
    json_t *metadata = json_object_get(reply->body, "metadata");

    if (!request->accept || !strstr(request->accept, "as=PartialObjectMetadata;") ||
        reply->status / 100 != 2 || !json_object_get(metadata, "uid"))
        return;
    metadata = json_pack("{s:s, s:s, s:O}", "kind", "PartialObjectMetadata", "apiVersion",
                         "meta.k8s.io/v1", "metadata", metadata);
    json_decref(reply->body);
    reply->body = metadata;
}

void api_do(struct api *api, const struct api_request *request, struct api_reply *reply)
{
    static const char review[] = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

    reply->status = 200;
    if (strcmp(request->path, review) == 0)
        return review_access(api, request, reply);
    if (strcmp(request->path, "/version") == 0) {
        reply->body = json_pack("{s:s}", "gitVersion", "v1.20.0-sandbox");
        return;
    }
    if (!request->resource)
        return api_fail(reply, 404, "NotFound", "the server could not find the requested resource");
    count(api, request);
    if (is_denied(api, request->verb, request->resource->name, request->sub))
        return api_fail(reply, 403, "Forbidden",
                        "%s is forbidden: User \"sandbox\" cannot %s resource \"%s\"",
                        request->resource->name, request->verb, request->resource->name);
    do_resource(api, request, reply);
    keep_metadata(request, reply);
}
