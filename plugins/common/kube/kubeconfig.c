/* SPDX-License-Identifier: Apache-2.0 */
#include "common/kube/kubeconfig.h"

#include "common/kube/kube.h"
#include "common/kube/member.h"
#include "common/kube/pem.h"

#include "base/address.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/jsonx.h"
#include "base/label.h"
#include "base/plog.h"
#include "base/text.h"
#include "base/trust.h"
#include "base/tls.h"
#include "base/yamldoc.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define NOTHING    "invalid configuration: no configuration has been provided"
#define FILE_BYTES (16 * 1024 * 1024)

/* Where `list[].value` of the files is collected: an object by name for each list. */
static const struct section {
    const char *list, *value;
    const char *paths[4]; /* members that are paths, relative to the file's folder */
} sections[] = {
    {"clusters", "cluster", {"certificate-authority"}},
    {"users", "user", {"client-certificate", "client-key", "tokenFile"}},
    {"contexts", "context", {0}},
};

static const struct member root_members[] = {
    {"clusters", JSON_ARRAY},
    {"users", JSON_ARRAY},
    {"contexts", JSON_ARRAY},
    {"current-context", JSON_STRING},
    {NULL},
};

static int resolve_path(json_t *object, const char *key, const char *dir, struct casb_error *err)
{
    const char *path = json_string_value(json_object_get(object, key));

    if (text_empty(path) || path[0] == '/')
        return 0;
    if (json_object_set_new(object, key, json_sprintf("%s/%s", dir, path)))
        return err_nomem(err);
    return 0;
}

/* A command without '/' goes through PATH and stays as it is. */
static int resolve_command(json_t *user, const char *dir, struct casb_error *err)
{
    json_t *exec = json_object_get(user, "exec");
    const char *command = json_string_value(json_object_get(exec, "command"));

    return command && strchr(command, '/') ? resolve_path(exec, "command", dir, err) : 0;
}

static int resolve_paths(const struct section *section, json_t *value, const char *dir,
                         struct casb_error *err)
{
    int r;

    for (size_t i = 0; i < ELEMENTS(section->paths) && section->paths[i]; i++) {
        r = resolve_path(value, section->paths[i], dir, err);
        if (r)
            return r;
    }
    return resolve_command(value, dir, err);
}

/* The first file that has a name wins, with its whole entry. */
static int merge_entry(json_t *known, const struct section *section, const char *name,
                       json_t *entry, const char *dir, struct casb_error *err)
{
    json_t *value = json_object_get(entry, section->value);
    int r;

    if (value && !json_is_object(value) && !json_is_null(value))
        return err_set(err, CASB_EINVALID, "%s \"%s\" is not an object", section->value, name);
    if (json_object_get(known, name))
        return 0;
    r = resolve_paths(section, value, dir, err);
    if (r)
        return r;
    value = json_is_object(value) ? json_incref(value) : json_object();
    return json_object_set_new(known, name, value) ? err_nomem(err) : 0;
}

static int merge_section(json_t *merged, const json_t *root, const struct section *section,
                         const char *dir, struct casb_error *err)
{
    const json_t *list = json_object_get(root, section->list);
    json_t *known = json_object_get(merged, section->list);
    json_auto_t *seen = json_object();
    const char *name;
    json_t *entry;
    size_t i;
    int r;

    json_array_foreach (list, i, entry) {
        name = json_string_value(json_object_get(entry, "name"));
        if (!name)
            return err_set(err, CASB_EINVALID, "%s[%zu] has no name", section->list, i);
        if (json_object_get(seen, name))
            return err_set(err, CASB_EINVALID, "duplicate name \"%s\" in %s", name, section->list);
        r = merge_entry(known, section, name, entry, dir, err);
        if (r)
            return r;
        if (json_object_set_new(seen, name, json_true()))
            return err_nomem(err);
    }
    return 0;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static int merge_root(json_t *merged, const json_t *root, const char *dir, struct casb_error *err)
{
    const char *current = member_string(root, "current-context");
    int r;

    if (!json_is_object(root))
        return err_set(err, CASB_EINVALID, "not a kubeconfig file");
    r = member_check(root, root_members, err);
    if (r)
        return r;
    for (size_t i = 0; i < ELEMENTS(sections); i++) {
        r = merge_section(merged, root, &sections[i], dir, err);
        if (r)
            return r;
    }
    if (!current || json_object_get(merged, "current-context"))
        return 0;
    return json_object_set_new(merged, "current-context", json_string(current)) ? err_nomem(err)
                                                                                : 0;
}

/* Does a user of it have a program run? */
static bool has_program(const json_t *root)
{
    const json_t *entry;
    size_t i;

    json_array_foreach (json_object_get(root, "users"), i, entry)
        if (jsonx_object(entry, "user.exec"))
            return true;
    return false;
}

static int merge_file(json_t *merged, const char *path, struct casb_error *err)
{
    _cleanup_(buf_free_secret) struct buf text = BUF_INIT(FILE_BYTES);
    _cleanup_(yamldoc_freep) struct yamldoc *doc = NULL;
    _cleanup_(freep) char *dir = folder_of(path);
    int r;

    if (!dir)
        return err_nomem(err);
    r = file_read(path, &text, err);
    if (!r)
        r = yamldoc_parse_lax(buf_text(&text), text.len, path, &doc, err);
    if (r)
        return r;
    if (has_program(yamldoc_root(doc)))
        r = trust_check(path, TRUST_FILE, err);
    if (r)
        return err_wrap(err, r, "%s has a program run", path);
    r = merge_root(merged, yamldoc_root(doc), dir, err);
    return r ? err_wrap(err, r, "%s", path) : 0;
}

static bool is_missing(const char *path)
{
    struct stat st;

    return stat(path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* Merges what exists of a list of files; *ret_any says whether one did. */
static int merge_list(json_t *merged, const char *list, bool *ret_any, struct casb_error *err)
{
    _cleanup_(freep) char *copy = strdup(list);
    char *path, *rest = NULL;
    int r;

    if (!copy)
        return err_nomem(err);
    *ret_any = false;
    for (path = strtok_r(copy, ":", &rest); path; path = strtok_r(NULL, ":", &rest)) {
        if (is_missing(path))
            continue;
        *ret_any = true;
        r = merge_file(merged, path, err);
        if (r)
            return r;
    }
    return 0;
}

static int choose(const json_t *merged, const char *wanted, const char **ret_name,
                  const json_t **ret, struct casb_error *err)
{
    const json_t *contexts = json_object_get(merged, "contexts");
    const char *current = json_string_value(json_object_get(merged, "current-context"));

    if (wanted) {
        *ret_name = wanted;
        *ret = json_object_get(contexts, wanted);
        return *ret ? 0 : err_set(err, CASB_EINVALID, "context \"%s\" does not exist", wanted);
    }
    if (!current)
        return err_set(err, CASB_EINVALID,
                       "invalid configuration: there is no current-context and none was named");
    *ret_name = current;
    *ret = json_object_get(contexts, current);
    if (!*ret)
        return err_set(err, CASB_EINVALID, "context was not found for specified context: %s",
                       current);
    return 0;
}

static int check_context(const json_t *context, const char *name, struct casb_error *err)
{
    static const struct member members[] = {
        {"cluster", JSON_STRING}, {"user", JSON_STRING}, {"namespace", JSON_STRING}, {NULL}};
    int r = member_check(context, members, err);

    return r ? err_wrap(err, r, "context \"%s\"", name) : 0;
}

/* The cluster or user that a context names. */
static int refer(const json_t *merged, const json_t *context, const char *context_name,
                 const char *kind, const char *list, const char **ret_name, const json_t **ret,
                 struct casb_error *err)
{
    *ret_name = member_string(context, kind);
    if (!*ret_name)
        return err_set(err, CASB_EINVALID,
                       "invalid configuration: %s was not specified for context \"%s\"", kind,
                       context_name);
    *ret = json_object_get(json_object_get(merged, list), *ret_name);
    if (!*ret)
        return err_set(err, CASB_EINVALID,
                       "invalid configuration: %s \"%s\" was not found for context \"%s\"", kind,
                       *ret_name, context_name);
    return 0;
}

static bool is_empty(const json_t *merged)
{
    for (size_t i = 0; i < ELEMENTS(sections); i++)
        if (json_object_size(json_object_get(merged, sections[i].list)) > 0)
            return false;
    return !json_object_get(merged, "current-context");
}

static int set_namespace(struct kubecontext *out, const char *given, struct casb_error *err)
{
    const char *name = text_empty(given) ? "default" : given;

    if (!label_is_valid(name))
        return err_set(err, CASB_EINVALID, "'%s' is not a valid namespace", name);
    out->namespace = strdup(name);
    return out->namespace ? 0 : err_nomem(err);
}

static int resolve(const struct casb_host *host, const json_t *merged,
                   const struct kube_settings *settings, struct kubecontext *out,
                   struct casb_error *err)
{
    const json_t *context = NULL, *cluster = NULL, *user = NULL;
    const char *name = NULL, *cluster_name = NULL, *user_name = NULL;
    int r;

    if (is_empty(merged))
        return err_set(err, CASB_EINVALID, NOTHING);
    r = choose(merged, settings->context, &name, &context, err);
    if (!r)
        r = check_context(context, name, err);
    if (!r)
        r = refer(merged, context, name, "user", "users", &user_name, &user, err);
    if (!r)
        r = refer(merged, context, name, "cluster", "clusters", &cluster_name, &cluster, err);
    if (!r)
        r = set_namespace(out, member_string(context, "namespace"), err);
    return r ? r : kubecontext_resolve(host, cluster_name, cluster, user_name, user, out, err);
}

static int in_cluster_server(const struct kubeconfig_env *env, char **ret, struct casb_error *err)
{
    char address[300];
    int64_t port;

    if (text_parse_int(env->service_port, 1, UINT16_MAX, &port) ||
        address_join(address, sizeof address, env->service_host, (uint16_t)port))
        return err_set(err, CASB_EINVALID,
                       "KUBERNETES_SERVICE_HOST '%s' and _PORT '%s' are not an address",
                       env->service_host, env->service_port);
    return asprintf(ret, "https://%s", address) < 0 ? err_nomem(err) : 0;
}

static int account_path(const struct kubeconfig_env *env, const char *name, char **ret,
                        struct casb_error *err)
{
    return asprintf(ret, "%s/%s", env->account_dir, name) < 0 ? err_nomem(err) : 0;
}

/* $POD_NAMESPACE, else the file, which need not be there. */
static int in_cluster_namespace(const struct kubeconfig_env *env, struct kubecontext *out,
                                struct casb_error *err)
{
    _cleanup_(buf_free) struct buf text = BUF_INIT(1024);
    _cleanup_(freep) char *path = NULL;
    char name[LABEL_BYTES];
    int r = account_path(env, "namespace", &path, err);

    if (r)
        return r;
    if (file_read(path, &text, NULL))
        buf_reset(&text);
    text_clean(name, sizeof name, buf_text(&text));
    return set_namespace(out, text_empty(env->pod_namespace) ? name : env->pod_namespace, err);
}

static int in_cluster(const struct kubeconfig_env *env, struct kubecontext *out,
                      struct casb_error *err)
{
    _cleanup_(freep) char *ca = NULL;
    int r;

    r = in_cluster_server(env, &out->server, err);
    if (!r)
        r = account_path(env, "token", &out->token_file, err);
    if (!r)
        r = account_path(env, "ca.crt", &ca, err);
    if (!r)
        r = pem_read(ca, "certificate-authority", &out->ca_pem, err);
    out->in_cluster = true;
    return r ? r : in_cluster_namespace(env, out, err);
}

/* As client-go sees it: without a token there is no ServiceAccount here. */
static bool is_in_cluster(const struct kubeconfig_env *env)
{
    _cleanup_(freep) char *token = NULL;

    return !text_empty(env->service_host) && !text_empty(env->service_port) &&
           !account_path(env, "token", &token, NULL) && !is_missing(token);
}

/* Nothing is configured, although this is a pod: says what of its ServiceAccount is not there. */
static int refuse_account(const struct kubeconfig_env *env, struct casb_error *err)
{
    if (text_empty(env->service_port))
        return err_set(err, CASB_EINVALID,
                       NOTHING " (KUBERNETES_SERVICE_HOST is set, but KUBERNETES_SERVICE_PORT is "
                               "not)");
    return err_set(err, CASB_EINVALID,
                   NOTHING " (KUBERNETES_SERVICE_HOST is set, but there is no file '%s/token')",
                   env->account_dir);
}

static int merge_default(json_t *merged, const struct kubeconfig_env *env, struct casb_error *err)
{
    _cleanup_(freep) char *path = NULL;

    if (text_empty(env->home))
        return 0;
    if (asprintf(&path, "%s/.kube/config", env->home) < 0)
        return err_nomem(err);
    return is_missing(path) ? 0 : merge_file(merged, path, err);
}

static int merge_env(const struct casb_host *host, json_t *merged, const char *list,
                     struct casb_error *err)
{
    bool any = false;
    int r = merge_list(merged, list, &any, err);

    if (!r && !any)
        plog(host, CASB_WARN, NULL, "kubeconfig: KUBECONFIG is ignored, no file of it exists: %s",
             list);
    return r;
}

static int load(const struct casb_host *host, const struct kube_settings *settings,
                const struct kubeconfig_env *env, struct kubecontext *out, struct casb_error *err)
{
    json_auto_t *merged = jsonx_new("{s:{}, s:{}, s:{}}", "clusters", "users", "contexts");
    bool named = !text_empty(settings->kubeconfig), listed = !named && !text_empty(env->kubeconfig);
    int r = 0;

    if (!merged)
        return err_nomem(err);
    if (named)
        r = merge_file(merged, settings->kubeconfig, err);
    else if (listed)
        r = merge_env(host, merged, env->kubeconfig, err);
    if (!r && !named && is_empty(merged) && is_in_cluster(env) && text_empty(settings->context))
        return in_cluster(env, out, err);
    if (!r && !named && !listed)
        r = merge_default(merged, env, err);
    if (!r && !named && is_empty(merged) && !text_empty(env->service_host) &&
        text_empty(settings->context))
        return refuse_account(env, err);
    return r ? r : resolve(host, merged, settings, out, err);
}

int kubeconfig_load(const struct casb_host *host, const struct kube_settings *settings,
                    const struct kubeconfig_env *env, struct kubecontext **ret,
                    struct casb_error *err)
{
    _cleanup_(kubecontext_freep) struct kubecontext *config = calloc(1, sizeof *config);
    int r;

    if (!config)
        return err_nomem(err);
    r = load(host, settings, env, config, err);
    if (r)
        return err_wrap(err, r, "kubeconfig");
    *ret = TAKE_PTR(config);
    return 0;
}
