/* SPDX-License-Identifier: Apache-2.0 */
#include "common/kube/kubecontext.h"

#include "common/kube/member.h"
#include "common/kube/pem.h"

#include "base/buf.h"
#include "base/http.h"
#include "base/jsonx.h"
#include "base/plog.h"
#include "base/text.h"
#include "base/tls.h"
#include "base/url.h"

#include <ctype.h>
#include <string.h>

#define EXEC_EXTENSION "client.authentication.k8s.io/exec"

/* A cluster or user under its name. */
struct entry {
    const char *kind, *name;
    const json_t *json;
};

static const struct member cluster_members[] = {
    {"server", JSON_STRING},
    {"certificate-authority", JSON_STRING},
    {"certificate-authority-data", JSON_STRING},
    {"insecure-skip-tls-verify", JSON_TRUE},
    {"tls-server-name", JSON_STRING},
    {"proxy-url", JSON_STRING},
    {"disable-compression", JSON_TRUE},
    {"extensions", JSON_ARRAY},
    {NULL},
};

static const struct member user_members[] = {
    {"client-certificate", JSON_STRING},
    {"client-certificate-data", JSON_STRING},
    {"client-key", JSON_STRING},
    {"client-key-data", JSON_STRING},
    {"token", JSON_STRING},
    {"tokenFile", JSON_STRING},
    {"username", JSON_STRING},
    {"password", JSON_STRING},
    {"as", JSON_STRING},
    {"as-uid", JSON_STRING},
    {"as-groups", JSON_ARRAY},
    {"as-user-extra", JSON_OBJECT},
    {"auth-provider", JSON_OBJECT},
    {"exec", JSON_OBJECT},
    {NULL},
};

static int check_members(const struct entry *entry, const struct member *members,
                         struct casb_error *err)
{
    int r = member_check(entry->json, members, err);

    return r ? err_wrap(err, r, "%s \"%s\"", entry->kind, entry->name) : 0;
}

static int take_string(const struct entry *entry, const char *key, char **ret,
                       struct casb_error *err)
{
    return text_dup(member_string(entry->json, key), ret) ? err_nomem(err) : 0;
}

/* PEM from "<key>-data", else from the file "<key>". */
static int take_pem(const struct casb_host *host, const struct entry *entry, const char *key,
                    char **ret, struct casb_error *err)
{
    const char *path = member_string(entry->json, key), *data;
    char data_key[48];
    int r;

    snprintf(data_key, sizeof data_key, "%s-data", key);
    data = member_string(entry->json, data_key);
    if (data && path)
        plog(host, CASB_WARN, NULL,
             "kubeconfig: %s \"%s\": %s and %s are both given; %s is ignored", entry->kind,
             entry->name, data_key, key, key);
    if (data) {
        r = pem_decode(data, ret);
        return r ? err_set(err, r, "%s \"%s\": %s is not base64", entry->kind, entry->name,
                           data_key)
                 : 0;
    }
    r = path ? pem_read(path, key, ret, err) : 0;
    return r ? err_wrap(err, r, "%s \"%s\"", entry->kind, entry->name) : 0;
}

static int check_proxy(const struct entry *entry, const char *text, struct casb_error *err)
{
    struct url url;

    if (!url_parse(text, &url))
        return 0;
    return err_set(err, CASB_EINVALID,
                   "cluster \"%s\": proxy-url must be a http, https or socks5 URL", entry->name);
}

static int resolve_cluster(const struct casb_host *host, const struct entry *entry,
                           struct kubecontext *out, struct casb_error *err)
{
    int r = check_members(entry, cluster_members, err);

    if (!r)
        r = take_pem(host, entry, "certificate-authority", &out->ca_pem, err);
    if (!r)
        r = take_string(entry, "tls-server-name", &out->tls_server_name, err);
    if (!r)
        r = take_string(entry, "proxy-url", &out->proxy_url, err);
    out->insecure = json_is_true(json_object_get(entry->json, "insecure-skip-tls-verify"));
    if (!r && out->insecure && out->ca_pem)
        r = err_set(err, CASB_EINVALID,
                    "cluster \"%s\": specifying a root certificates file with the insecure flag "
                    "is not allowed",
                    entry->name);
    if (!r && out->proxy_url)
        r = check_proxy(entry, out->proxy_url, err);
    return r;
}

/* As Go's client does it: what the URL says of a user goes before all but a certificate. */
static int take_userinfo(const struct entry *entry, const struct url *url, struct kubecontext *out,
                         struct casb_error *err)
{
    char *user, *password;
    int r = url_credentials(url, &user, &password);

    if (r == CASB_ENOMEM)
        return err_nomem(err);
    if (r)
        return err_set(err, r, "cluster \"%s\": the user in the server's URL is not readable",
                       entry->name);
    tls_secret_free(TAKE_PTR(out->token));
    free(TAKE_PTR(out->token_file));
    free(out->user);
    tls_secret_free(out->password);
    out->user = user;
    out->password = password;
    return 0;
}

/* The scheme, host and port of a URL, and the path behind; without a scheme as client-go guesses.
 */
static int resolve_server(const struct entry *entry, struct kubecontext *out,
                          struct casb_error *err)
{
    bool tls = out->ca_pem || out->cert_pem || out->insecure;
    char origin[URL_ORIGIN_BYTES], clean[200];
    _cleanup_(tls_secret_freep) char *full = NULL;
    const char *text = member_string(entry->json, "server");
    struct url url;
    size_t len;

    if (!text)
        return err_set(err, CASB_EINVALID,
                       "invalid configuration: cluster has no server defined: \"%s\"", entry->name);
    if (asprintf(&full, "%s%s", strchr(text, '/') ? "" : tls ? "https://" : "http://", text) < 0)
        return err_nomem(err);
    if (url_parse(full, &url) || strncmp(url.scheme, "http", 4) != 0)
        return err_set(err, CASB_EINVALID, "cluster \"%s\": server '%s' is not a https URL",
                       entry->name, url_clean(clean, sizeof clean, text));
    len = strcspn(url.path, "?#");
    while (len && url.path[len - 1] == '/')
        len--;
    if (asprintf(&out->server, "%s%.*s", url_origin(origin, &url), (int)len, url.path) < 0)
        return err_nomem(err);
    return url.userinfo ? take_userinfo(entry, &url, out, err) : 0;
}

static int add_header(struct kubecontext *out, const char *name, const char *value,
                      struct casb_error *err)
{
    for (const char *c = value; *c; c++)
        if (iscntrl((unsigned char)*c))
            return err_set(err, CASB_EINVALID, "%s has a control character in it", name);
    if (json_array_append_new(out->headers, json_sprintf("%s: %s", name, value)))
        return err_nomem(err);
    return 0;
}

static int add_headers(struct kubecontext *out, const char *name, const json_t *values,
                       struct casb_error *err)
{
    json_t *value;
    size_t i;
    int r;

    if (values && !json_is_array(values) && !json_is_null(values))
        return err_set(err, CASB_EINVALID, "%s must be a list of strings", name);
    json_array_foreach (values, i, value) {
        if (!json_is_string(value))
            return err_set(err, CASB_EINVALID, "%s must be a list of strings", name);
        r = add_header(out, name, json_string_value(value), err);
        if (r)
            return r;
    }
    return 0;
}

static int add_extra(struct kubecontext *out, const json_t *extra, struct casb_error *err)
{
    const char *key;
    json_t *values;
    int r;

    json_object_foreach ((json_t *)(uintptr_t)extra, key, values) {
        _cleanup_(buf_free) struct buf name = BUF_INIT(4096);

        r = buf_puts(&name, "Impersonate-Extra-");
        if (!r)
            r = http_encode(&name, key);
        if (!r)
            r = add_headers(out, buf_text(&name), values, err);
        if (r)
            return err_set(err, r, "as-user-extra: '%s' is not usable", key);
    }
    return 0;
}

static int resolve_impersonation(const struct entry *user, struct kubecontext *out,
                                 struct casb_error *err)
{
    const json_t *groups = json_object_get(user->json, "as-groups");
    const json_t *extra = json_object_get(user->json, "as-user-extra");
    const char *as = member_string(user->json, "as"), *uid = member_string(user->json, "as-uid");
    int r = 0;

    if (!as && (uid || json_array_size(groups) || json_object_size(extra)))
        return err_set(err, CASB_EINVALID,
                       "invalid configuration: requesting uid, groups or user-extra for %s without "
                       "impersonating a user",
                       user->name);
    out->headers = json_array();
    if (!out->headers)
        return err_nomem(err);
    if (as)
        r = add_header(out, "Impersonate-User", as, err);
    if (!r && uid)
        r = add_header(out, "Impersonate-Uid", uid, err);
    if (!r)
        r = add_headers(out, "Impersonate-Group", groups, err);
    if (!r)
        r = add_extra(out, extra, err);
    return r ? err_wrap(err, r, "user \"%s\"", user->name) : 0;
}

/* The combinations that client-go refuses, in its words. */
static int check_user(const struct entry *user, const struct kubecontext *out,
                      struct casb_error *err)
{
    bool exec = json_is_object(json_object_get(user->json, "exec"));
    bool provider = json_is_object(json_object_get(user->json, "auth-provider"));

    if ((out->token || out->token_file) && out->user)
        return err_set(err, CASB_EINVALID,
                       "invalid configuration: more than one authentication method found for %s; "
                       "found [token basicAuth], only one is allowed",
                       user->name);
    if (out->cert_pem && !out->key_pem)
        return err_set(err, CASB_EINVALID,
                       "invalid configuration: client-key-data or client-key must be specified for "
                       "%s to use the clientCert authentication method",
                       user->name);
    if (out->key_pem && !out->cert_pem)
        return err_set(err, CASB_EINVALID,
                       "invalid configuration: client-cert-data or client-cert must be specified "
                       "for %s to use the clientCert authentication method",
                       user->name);
    if (exec && provider)
        return err_set(err, CASB_EINVALID,
                       "invalid configuration: user \"%s\": auth-provider and exec cannot be used "
                       "in combination",
                       user->name);
    if (provider && !out->token && !out->token_file && !out->user && !out->cert_pem)
        return err_set(err, CASB_EINVALID,
                       "user \"%s\": auth-provider is not supported: use an exec plugin",
                       user->name);
    return 0;
}

static int resolve_user(const struct casb_host *host, const struct entry *user,
                        struct kubecontext *out, struct casb_error *err)
{
    int r = check_members(user, user_members, err);

    if (!r)
        r = take_pem(host, user, "client-certificate", &out->cert_pem, err);
    if (!r)
        r = take_pem(host, user, "client-key", &out->key_pem, err);
    if (!r)
        r = take_string(user, "token", &out->token, err);
    if (!r)
        r = take_string(user, "tokenFile", &out->token_file, err);
    if (!r)
        r = take_string(user, "username", &out->user, err);
    if (!r)
        r = take_string(user, "password", &out->password, err);
    if (!r)
        r = resolve_impersonation(user, out, err);
    return r ? r : check_user(user, out, err);
}

static json_t *extension(const json_t *cluster)
{
    json_t *entry;
    size_t i;

    json_array_foreach (json_object_get(cluster, "extensions"), i, entry)
        if (text_equal(json_string_value(json_object_get(entry, "name")), EXEC_EXTENSION))
            return json_object_get(entry, "extension");
    return NULL;
}

/* `spec.cluster` of an ExecCredential: all that a plugin needs to call the cluster. */
static int cluster_info(const json_t *cluster, const struct kubecontext *out, json_t **ret,
                        struct casb_error *err)
{
    _cleanup_(freep) char *ca = NULL;

    if (out->ca_pem && pem_encode(out->ca_pem, &ca))
        return err_nomem(err);
    *ret = jsonx_new("{s:s, s:s*, s:b, s:s*, s:s*, s:O*, s:O*}", "server", out->server,
                     "tls-server-name", out->tls_server_name, "insecure-skip-tls-verify",
                     (int)out->insecure, "certificate-authority-data", ca, "proxy-url",
                     out->proxy_url, "disable-compression",
                     json_object_get(cluster, "disable-compression"), "config", extension(cluster));
    return *ret ? 0 : err_nomem(err);
}

/* What a kubeconfig says comes before what a plugin would. */
static bool needs_plugin(const json_t *exec, const struct kubecontext *out)
{
    return json_is_object(exec) && !out->token && !out->token_file && !out->user && !out->cert_pem;
}

static int resolve_plugin(const struct entry *user, const struct entry *cluster,
                          struct kubecontext *out, struct casb_error *err)
{
    const json_t *exec = json_object_get(user->json, "exec");
    json_auto_t *info = NULL;
    int r = 0;

    if (!needs_plugin(exec, out))
        return 0;
    if (json_is_true(json_object_get(exec, "provideClusterInfo")))
        r = cluster_info(cluster->json, out, &info, err);
    if (!r)
        r = exec_resolve(exec, info, &out->plugin, err);
    return r ? err_wrap(err, r, "user \"%s\"", user->name) : 0;
}

/* A credential in clear text is everybody's: client-go applies none either. */
static void drop_credentials(const struct casb_host *host, struct kubecontext *out)
{
    if (out->token || out->token_file || out->user || out->cert_pem || out->plugin.exec ||
        json_array_size(out->headers))
        plog(host, CASB_WARN, NULL, "kubeconfig: %s is not https; no credential is sent to it",
             out->server);
    free(TAKE_PTR(out->cert_pem));
    tls_secret_free(TAKE_PTR(out->key_pem));
    tls_secret_free(TAKE_PTR(out->token));
    free(TAKE_PTR(out->token_file));
    free(TAKE_PTR(out->user));
    tls_secret_free(TAKE_PTR(out->password));
    json_decref(TAKE_PTR(out->headers));
    exec_plugin_free(&out->plugin);
}

int kubecontext_resolve(const struct casb_host *host, const char *cluster_name,
                        const json_t *cluster, const char *user_name, const json_t *user,
                        struct kubecontext *out, struct casb_error *err)
{
    const struct entry cluster_entry = {"cluster", cluster_name, cluster};
    const struct entry user_entry = {"user", user_name, user};
    int r = resolve_cluster(host, &cluster_entry, out, err);

    if (!r)
        r = resolve_user(host, &user_entry, out, err);
    if (!r)
        r = resolve_server(&cluster_entry, out, err);
    if (!r)
        r = resolve_plugin(&user_entry, &cluster_entry, out, err);
    if (!r && !strncmp(out->server, "http:", 5))
        drop_credentials(host, out);
    return r;
}

void kubecontext_free(struct kubecontext *context)
{
    if (!context)
        return;
    free(context->server);
    free(context->namespace);
    free(context->ca_pem);
    free(context->tls_server_name);
    free(context->proxy_url);
    free(context->cert_pem);
    tls_secret_free(context->key_pem);
    tls_secret_free(context->token);
    free(context->token_file);
    free(context->user);
    tls_secret_free(context->password);
    json_decref(context->headers);
    exec_plugin_free(&context->plugin);
    free(context);
}
