/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/kubecontext.h"

#include "kube/exec.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/http.h"
#include "base/plog.h"
#include "base/text.h"
#include "base/tls.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

/* A cluster or user under its name. */
struct entry {
    const char *kind, *name;
    const json_t *json;
};

int kubecontext_string(const json_t *object, const char *key, const char *kind, const char *name,
                       const char **ret, struct casb_error *err)
{
    const json_t *value = json_object_get(object, key);

    if (value && !json_is_null(value) && !json_is_string(value))
        return err_set(err, CASB_EINVALID, "%s \"%s\": %s must be a string", kind, name, key);
    *ret = text_empty(json_string_value(value)) ? NULL : json_string_value(value);
    return 0;
}

static int take_string(const struct entry *entry, const char *key, char **ret,
                       struct casb_error *err)
{
    const char *text;
    int r = kubecontext_string(entry->json, key, entry->kind, entry->name, &text, err);

    if (r)
        return r;
    return text_dup(text, ret) ? err_nomem(err) : 0;
}

static int take_bool(const struct entry *entry, const char *key, bool *ret, struct casb_error *err)
{
    const json_t *value = json_object_get(entry->json, key);

    if (value && !json_is_boolean(value) && !json_is_null(value))
        return err_set(err, CASB_EINVALID, "%s \"%s\": %s must be true or false", entry->kind,
                       entry->name, key);
    *ret = json_is_true(value);
    return 0;
}

/* base64 with line breaks; '-' would silently end OpenSSL's decoder. */
static int decode(const char *text, char **ret)
{
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
    size_t len = strlen(text);
    unsigned char *out = malloc(len + 4);
    int head = 0, tail = 0, r = CASB_ENOMEM;

    if (ctx && out) {
        EVP_DecodeInit(ctx);
        r = !strchr(text, '-') && len < INT_MAX &&
                    EVP_DecodeUpdate(ctx, out, &head, (const unsigned char *)text, (int)len) >= 0 &&
                    EVP_DecodeFinal(ctx, out + head, &tail) == 1
                ? 0
                : CASB_EINVALID;
    }
    if (!r) {
        out[head + tail] = 0;
        *ret = (char *)TAKE_PTR(out);
    }
    EVP_ENCODE_CTX_free(ctx);
    free(out);
    return r;
}

int kubecontext_read(const char *path, const char *what, char **ret, struct casb_error *err)
{
    _cleanup_(buf_free_secret) struct buf text = BUF_INIT(KUBECONTEXT_FILE_BYTES);
    int r = file_read(path, &text, err);

    if (r)
        return err_wrap(err, r, "unable to read %s", what);
    if (!text.len)
        return err_set(err, CASB_EINVALID, "%s '%s' is empty", what, path);
    *ret = buf_take(&text);
    return *ret ? 0 : err_nomem(err);
}

/* PEM from "<key>-data", else from the file "<key>". */
static int take_pem(const struct casb_host *host, const struct entry *entry, const char *key,
                    char **ret, struct casb_error *err)
{
    const char *path, *data;
    char data_key[48];
    int r;

    snprintf(data_key, sizeof data_key, "%s-data", key);
    r = kubecontext_string(entry->json, key, entry->kind, entry->name, &path, err);
    if (!r)
        r = kubecontext_string(entry->json, data_key, entry->kind, entry->name, &data, err);
    if (r)
        return r;
    if (data && path)
        plog(host, CASB_WARN, NULL,
             "kubeconfig: %s \"%s\": %s and %s are both given; %s is ignored", entry->kind,
             entry->name, data_key, key, key);
    if (data) {
        r = decode(data, ret);
        return r ? err_set(err, r, "%s \"%s\": %s is not base64", entry->kind, entry->name,
                           data_key)
                 : 0;
    }
    r = path ? kubecontext_read(path, key, ret, err) : 0;
    return r ? err_wrap(err, r, "%s \"%s\"", entry->kind, entry->name) : 0;
}

static int check_proxy(const struct entry *entry, const char *url, struct casb_error *err)
{
    static const char *const schemes[] = {"http://", "https://", "socks5://", "socks5h://"};

    for (size_t i = 0; i < ELEMENTS(schemes); i++)
        if (!strncasecmp(url, schemes[i], strlen(schemes[i])) && url[strlen(schemes[i])])
            return 0;
    return err_set(err, CASB_EINVALID,
                   "cluster \"%s\": proxy-url must be a http, https or socks5 URL", entry->name);
}

static int resolve_cluster(const struct casb_host *host, const struct entry *entry,
                           struct kubeconfig *out, struct casb_error *err)
{
    int r = take_pem(host, entry, "certificate-authority", &out->ca_pem, err);

    if (!r)
        r = take_string(entry, "tls-server-name", &out->tls_server_name, err);
    if (!r)
        r = take_string(entry, "proxy-url", &out->proxy_url, err);
    if (!r)
        r = take_bool(entry, "insecure-skip-tls-verify", &out->insecure, err);
    if (!r && out->insecure && out->ca_pem)
        r = err_set(err, CASB_EINVALID,
                    "cluster \"%s\": specifying a root certificates file with the insecure flag "
                    "is not allowed",
                    entry->name);
    if (!r && out->proxy_url)
        r = check_proxy(entry, out->proxy_url, err);
    return r;
}

/* The scheme, host and port of a URL, and the path behind; without a scheme as client-go guesses.
 */
static int resolve_server(const struct entry *entry, struct kubeconfig *out, struct casb_error *err)
{
    bool tls = out->ca_pem || out->cert_pem || out->insecure;
    const char *url, *rest, *scheme = tls ? "https" : "http";
    char host[256];
    _cleanup_(freep) char *address = NULL;
    size_t len;
    uint16_t port;
    int r = kubecontext_string(entry->json, "server", "cluster", entry->name, &url, err);

    if (r)
        return r;
    if (!url)
        return err_set(err, CASB_EINVALID,
                       "invalid configuration: cluster has no server defined: \"%s\"", entry->name);
    rest = strstr(url, "://");
    if (rest) {
        scheme = !strncasecmp(url, "https:", 6)  ? "https"
                 : !strncasecmp(url, "http:", 5) ? "http"
                                                 : NULL;
        rest += 3;
    } else {
        rest = url;
        if (strchr(url, '/'))
            scheme = NULL;
    }
    len = strcspn(rest, "?#");
    while (len && rest[len - 1] == '/')
        len--;
    address = strndup(rest, strcspn(rest, "/?#"));
    if (!address)
        return err_nomem(err);
    if (!scheme || text_parse_address(address, 443, host, &port))
        return err_set(err, CASB_EINVALID, "cluster \"%s\": server '%s' is not a https URL",
                       entry->name, url);
    return asprintf(&out->server, "%s://%.*s", scheme, (int)len, rest) < 0 ? err_nomem(err) : 0;
}

static int add_header(struct kubeconfig *out, const char *name, const char *value,
                      struct casb_error *err)
{
    for (const char *c = value; *c; c++)
        if (iscntrl((unsigned char)*c))
            return err_set(err, CASB_EINVALID, "%s has a control character in it", name);
    if (json_array_append_new(out->headers, json_sprintf("%s: %s", name, value)))
        return err_nomem(err);
    return 0;
}

static int add_headers(struct kubeconfig *out, const char *name, const json_t *values,
                       struct casb_error *err)
{
    json_t *value;
    size_t i;
    int r;

    json_array_foreach (values, i, value) {
        if (!json_is_string(value))
            return err_set(err, CASB_EINVALID, "%s must be a list of strings", name);
        r = add_header(out, name, json_string_value(value), err);
        if (r)
            return r;
    }
    return 0;
}

static int add_extra(struct kubeconfig *out, const json_t *extra, struct casb_error *err)
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

static int resolve_impersonation(const struct entry *user, struct kubeconfig *out,
                                 struct casb_error *err)
{
    const json_t *groups = json_object_get(user->json, "as-groups");
    const json_t *extra = json_object_get(user->json, "as-user-extra");
    const char *as, *uid;
    int r = kubecontext_string(user->json, "as", "user", user->name, &as, err);

    if (!r)
        r = kubecontext_string(user->json, "as-uid", "user", user->name, &uid, err);
    if (r)
        return r;
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
static int check_user(const struct entry *user, const struct kubeconfig *out,
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
                        struct kubeconfig *out, struct casb_error *err)
{
    int r = take_pem(host, user, "client-certificate", &out->cert_pem, err);

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

/* A credential in clear text is everybody's: client-go applies none either. */
static void drop_credentials(const struct casb_host *host, struct kubeconfig *out)
{
    if (out->token || out->token_file || out->user || out->cert_pem || out->exec ||
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
    json_decref(TAKE_PTR(out->exec));
    json_decref(TAKE_PTR(out->exec_info));
}

int kubecontext_resolve(const struct casb_host *host, const char *cluster_name,
                        const json_t *cluster, const char *user_name, const json_t *user,
                        struct kubeconfig *out, struct casb_error *err)
{
    const struct entry cluster_entry = {"cluster", cluster_name, cluster};
    const struct entry user_entry = {"user", user_name, user};
    int r = resolve_cluster(host, &cluster_entry, out, err);

    if (!r)
        r = resolve_user(host, &user_entry, out, err);
    if (!r)
        r = resolve_server(&cluster_entry, out, err);
    if (!r && json_is_object(json_object_get(user, "exec")) && !out->token && !out->token_file &&
        !out->user && !out->cert_pem)
        r = exec_resolve(user_name, json_object_get(user, "exec"), cluster, out, err);
    if (!r && !strncmp(out->server, "http:", 5))
        drop_credentials(host, out);
    return r;
}
