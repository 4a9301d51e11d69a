/* SPDX-License-Identifier: Apache-2.0 */
#include "common/kube/client.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/text.h"

#include <string.h>

#define TEXT_TIMEOUT (10 * CLOCK_S)

static int request(struct kube *kube, const struct casb_call *call, const struct exchange *exchange,
                   json_t **ret, json_t **ret_status, bool *ret_unknown, struct casb_error *err)
{
    _cleanup_(http_response_free) struct http_response response = {0};
    int r = client_exchange(kube, call, exchange, &response, ret_unknown, err);

    if (r && ret_status)
        *ret_status = client_status(&response);
    if (r || !ret)
        return r;
    r = client_parse(&response, ret, err);
    if (!r)
        return 0;
    if (ret_unknown) /* it was done, but nobody can say what */
        *ret_unknown = !strcmp(exchange->method, "POST");
    return err_wrap(err, r, "%s %s", exchange->method, exchange->path);
}

int kube_request(struct kube *kube, const struct casb_call *call, const struct kube_request *req,
                 json_t **ret, bool *ret_unknown, struct casb_error *err)
{
    static const char *const methods[] = {
        [KUBE_GET] = "GET",           [KUBE_POST] = "POST",     [KUBE_PUT] = "PUT",
        [KUBE_MERGE_PATCH] = "PATCH", [KUBE_DELETE] = "DELETE",
    };
    _cleanup_(freep) char *body = NULL;
    struct exchange exchange = {
        .method = methods[req->verb],
        .path = req->path,
        .query = req->query,
        .once = req->once,
        .accept = req->metadata || !ret ? CLIENT_METADATA : CLIENT_JSON,
    };
    int r;

    if (req->body) {
        r = jsonx_dump(req->body, &body, err);
        if (r)
            return r;
        exchange.body = body;
        exchange.content_type = req->verb == KUBE_MERGE_PATCH
                                    ? "Content-Type: application/merge-patch+json"
                                    : "Content-Type: application/json";
    }
    return request(kube, call, &exchange, ret, req->ret_status, ret_unknown, err);
}

/* Positive ends the transfer as a success: the buffer is full. */
static int take_text(const char *data, size_t len, void *arg)
{
    return buf_append_cut(arg, data, len) ? 1 : 0;
}

int kube_text(struct kube *kube, const struct casb_call *call, const char *path,
              const struct kube_query *query, struct buf *out, struct casb_error *err)
{
    _cleanup_(http_response_free) struct http_response response = {0};
    const struct exchange exchange = {
        .method = "GET",
        .path = path,
        .query = query,
        .timeout_ns = TEXT_TIMEOUT,
        .final = true,
        .on_body = take_text,
        .arg = out,
    };

    return client_exchange(kube, call, &exchange, &response, NULL, err);
}

int kube_allowed(struct kube *kube, const struct casb_call *call, const char *verb,
                 const char *group, const char *resource, const char *namespace, const char *name,
                 bool *ret_allowed, struct casb_error *err)
{
    const char *slash = strchr(resource, '/');
    json_auto_t *review = NULL;
    json_auto_t *answer = NULL;
    int r =
        jsonx_pack(&review, err, "{s:s, s:s, s:{s:{s:s, s:s, s:s%, s:s*, s:s*, s:s*}}}",
                   "apiVersion", "authorization.k8s.io/v1", "kind", "SelfSubjectAccessReview",
                   "spec", "resourceAttributes", "verb", verb, "group", group, "resource", resource,
                   slash ? (size_t)(slash - resource) : strlen(resource), "subresource",
                   slash ? slash + 1 : NULL, "namespace", namespace, "name", name);

    if (!r)
        r = kube_request(kube, call,
                         &(struct kube_request){
                             .verb = KUBE_POST,
                             .path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                             .body = review,
                         },
                         &answer, NULL, err);
    if (!r)
        *ret_allowed = jsonx_bool(answer, "status.allowed", false);
    return r;
}
