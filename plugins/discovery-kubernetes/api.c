/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/api.h"

#include "base/buf.h"
#include "base/http.h"
#include "base/jsonx.h"
#include "base/text.h"

#define PATH_LIMIT_BYTES 4096

int api_pods_path(const char *namespace, const char *pod, const char *sub, char **ret,
                  struct casb_error *err)
{
    _cleanup_(buf_free) struct buf path = BUF_INIT(PATH_LIMIT_BYTES);
    char *text;

    if (buf_puts(&path, "/api/v1/namespaces/") < 0 || http_encode(&path, namespace) < 0 ||
        buf_puts(&path, "/pods") < 0)
        return err_nomem(err);
    if (pod && (buf_puts(&path, "/") < 0 || http_encode(&path, pod) < 0))
        return err_nomem(err);
    if (sub && buf_printf(&path, "/%s", sub) < 0)
        return err_nomem(err);
    text = buf_take(&path);
    if (!text)
        return err_nomem(err);
    *ret = text;
    return 0;
}

int api_pod_create(struct kube *kube, const struct casb_call *call, const char *namespace,
                   const json_t *manifest, json_t **ret, json_t **ret_status, bool *ret_unknown,
                   struct casb_error *err)
{
    _cleanup_(freep) char *path = NULL;
    struct kube_request request = {
        .verb = KUBE_POST, .body = manifest, .ret_status = ret_status, .metadata = true};
    int r;

    r = api_pods_path(namespace, NULL, NULL, &path, err);
    if (r < 0)
        return r;
    request.path = path;
    return kube_request(kube, call, &request, ret, ret_unknown, err);
}

int api_pod_get(struct kube *kube, const struct casb_call *call, const char *namespace,
                const char *pod, json_t **ret, struct casb_error *err)
{
    _cleanup_(freep) char *path = NULL;
    struct kube_request request = {.verb = KUBE_GET};
    struct casb_error trouble = {0};
    int r;

    r = api_pods_path(namespace, pod, NULL, &path, err);
    if (r < 0)
        return r;
    request.path = path;
    r = kube_request(kube, call, &request, ret, NULL, &trouble);
    if (r == CASB_ENOTFOUND) {
        *ret = NULL;
        return 0;
    }
    return r < 0 ? err_pass(err, &trouble) : 0;
}

/* Most conflicts say that the uid is another one now; a webhook may mean anything by it. */
static bool is_another(struct kube *kube, const struct casb_call *call, const char *namespace,
                       const char *pod, const char *uid)
{
    json_auto_t *now = NULL;

    if (api_pod_get(kube, call, namespace, pod, &now, NULL) < 0)
        return false;
    return !now || !text_equal(jsonx_string(now, "metadata.uid"), uid) ||
           jsonx_string(now, "metadata.deletionTimestamp");
}

int api_pod_delete(struct kube *kube, const struct casb_call *call, const char *namespace,
                   const char *pod, const char *uid, struct casb_error *err)
{
    _cleanup_(freep) char *path = NULL;
    json_auto_t *options = NULL;
    struct kube_request request = {.verb = KUBE_DELETE};
    struct casb_error trouble = {0};
    int r;

    r = api_pods_path(namespace, pod, NULL, &path, err);
    if (r == 0)
        r = jsonx_pack(&options, err, "{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind",
                       "DeleteOptions", "preconditions", "uid", uid);
    if (r < 0)
        return r;
    request.path = path;
    request.body = options;
    r = kube_request(kube, call, &request, NULL, NULL, &trouble);
    if (r == CASB_ECONFLICT && is_another(kube, call, namespace, pod, uid))
        return 0;
    return r == 0 || r == CASB_ENOTFOUND ? 0 : err_pass(err, &trouble);
}
