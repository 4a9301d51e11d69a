/* SPDX-License-Identifier: Apache-2.0 */
#include "common/kube/exec.h"

#include "common/kube/member.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/plog.h"
#include "base/process.h"
#include "base/text.h"
#include "base/tls.h"
#include "base/yamldoc.h"

#include <string.h>

#define EXEC_V1      "client.authentication.k8s.io/v1"
#define EXEC_V1BETA1 "client.authentication.k8s.io/v1beta1"
#define EXEC_TIMEOUT (60 * CLOCK_S)
#define EXEC_BYTES   (1024 * 1024)

extern char **environ;

static int check_env(const json_t *env, struct casb_error *err)
{
    const char *name;
    const json_t *value;
    json_t *variable;
    size_t i;

    json_array_foreach (env, i, variable) {
        name = json_string_value(json_object_get(variable, "name"));
        value = json_object_get(variable, "value");
        if (text_empty(name) || strchr(name, '='))
            return err_set(err, CASB_EINVALID, "env[%zu] needs a name", i);
        if (value && !json_is_string(value) && !json_is_null(value))
            return err_set(err, CASB_EINVALID, "the value of env[%zu] must be a string", i);
    }
    return 0;
}

/* Only v1beta1 has a default. */
static int check_mode(const json_t *exec, const char *version, struct casb_error *err)
{
    const char *mode = member_string(exec, "interactiveMode");

    if (!mode && !strcmp(version, EXEC_V1BETA1))
        return 0;
    if (text_equal(mode, "Never") || text_equal(mode, "IfAvailable"))
        return 0;
    return err_set(err, CASB_EINVALID, "exec plugin cannot support interactive mode: %s\"%s\"",
                   text_equal(mode, "Always") ? "no plugin gets a terminal here, but "
                                                "interactiveMode is "
                                              : "unknown interactiveMode: ",
                   mode ? mode : "");
}

static int check(const json_t *exec, struct casb_error *err)
{
    static const struct member members[] = {
        {"apiVersion", JSON_STRING},
        {"command", JSON_STRING},
        {"args", JSON_ARRAY},
        {"env", JSON_ARRAY},
        {"interactiveMode", JSON_STRING},
        {"provideClusterInfo", JSON_TRUE},
        {"installHint", JSON_STRING},
        {NULL},
    };
    const json_t *args = json_object_get(exec, "args");
    const char *version = member_string(exec, "apiVersion");
    json_t *arg;
    size_t i;
    int r = member_check(exec, members, err);

    if (r)
        return r;
    if (!member_string(exec, "command"))
        return err_set(err, CASB_EINVALID, "command must be specified to use exec authentication");
    if (!text_equal(version, EXEC_V1) && !text_equal(version, EXEC_V1BETA1))
        return err_set(err, CASB_EINVALID, "exec plugin: invalid apiVersion \"%s\"",
                       version ? version : "");
    json_array_foreach (args, i, arg)
        if (!json_is_string(arg))
            return err_set(err, CASB_EINVALID, "args[%zu] must be a string", i);
    r = check_env(json_object_get(exec, "env"), err);
    return r ? r : check_mode(exec, version, err);
}

int exec_resolve(const json_t *exec, const json_t *cluster, struct exec_plugin *ret,
                 struct casb_error *err)
{
    struct exec_plugin plugin = {0};
    int r = check(exec, err);

    if (r)
        return r;
    plugin.exec = json_deep_copy(exec);
    plugin.info = jsonx_new("{s:s, s:s, s:{s:b, s:O*}}", "kind", "ExecCredential", "apiVersion",
                            json_string_value(json_object_get(exec, "apiVersion")), "spec",
                            "interactive", 0, "cluster", cluster);
    if (!plugin.exec || !plugin.info) {
        exec_plugin_free(&plugin);
        return err_nomem(err);
    }
    *ret = plugin;
    return 0;
}

void exec_plugin_free(struct exec_plugin *plugin)
{
    json_decref(plugin->exec);
    json_decref(plugin->info);
    *plugin = (struct exec_plugin){0};
}

static int put(json_t *vars, const char *name, size_t len, json_t *entry)
{
    char *key = strndup(name, len);
    int r = key ? json_object_set_new_nocheck(vars, key, entry) : -1;

    if (!key)
        json_decref(entry);
    free(key);
    return r;
}

/* Name -> "NAME=VALUE": ours, over it `exec.env`, over it KUBERNETES_EXEC_INFO. */
static json_t *environment(const struct exec_plugin *plugin, const char *info)
{
    json_t *vars = json_object();
    json_t *variable;
    const char *name, *value;
    int r = 0;
    size_t i;

    for (char **e = environ; *e && !r; e++)
        r = put(vars, *e, strcspn(*e, "="), json_string_nocheck(*e));
    json_array_foreach (json_object_get(plugin->exec, "env"), i, variable) {
        name = json_string_value(json_object_get(variable, "name"));
        value = json_string_value(json_object_get(variable, "value"));
        if (!r)
            r = put(vars, name, strlen(name), json_sprintf("%s=%s", name, value ? value : ""));
    }
    if (!r)
        r = json_object_set_new(vars, "KUBERNETES_EXEC_INFO",
                                json_sprintf("KUBERNETES_EXEC_INFO=%s", info));
    if (r)
        json_decref(TAKE_PTR(vars));
    return vars;
}

static const char **env_list(json_t *vars)
{
    const char **list = calloc(json_object_size(vars) + 1, sizeof *list);
    const char *name;
    json_t *entry;
    size_t n = 0;

    if (list)
        json_object_foreach (vars, name, entry)
            list[n++] = json_string_value(entry);
    return list;
}

static const char **arg_list(const json_t *exec)
{
    const json_t *args = json_object_get(exec, "args");
    const char **list = calloc(json_array_size(args) + 2, sizeof *list);
    json_t *arg;
    size_t i;

    if (list) {
        list[0] = json_string_value(json_object_get(exec, "command"));
        json_array_foreach (args, i, arg)
            list[i + 1] = json_string_value(arg);
    }
    return list;
}

/* `why` says more than that there is no such program, where only its interpreter is missing. */
static int start_failure(const struct exec_plugin *plugin, const struct casb_error *why,
                         struct casb_error *err)
{
    const char *hint = json_string_value(json_object_get(plugin->exec, "installHint"));
    bool hinted = why->code == CASB_ENOTFOUND && !text_empty(hint);
    char text[256];

    return err_set(err, why->code, "exec: %s%s%s", why->text, hinted ? ": " : "",
                   hinted ? text_clean(text, sizeof text, hint) : "");
}

static int check_end(const char *command, const struct process_result *result,
                     struct casb_error *err)
{
    if (result->signal)
        return err_set(err, CASB_EFAILED, "exec: executable %s was ended by signal %d", command,
                       result->signal);
    if (result->status)
        return err_set(err, CASB_EFAILED, "exec: executable %s failed with exit code %d", command,
                       result->status);
    if (result->truncated)
        return err_set(err, CASB_EINVALID, "exec: executable %s printed too much", command);
    return 0;
}

/* It may ask for a login, whoever asked for silence. */
static void say(const char *line, void *host)
{
    plog(host, CASB_WARN, NULL, "the credential plugin says: %s", line);
}

static int run(const struct exec_plugin *plugin, const struct casb_host *host,
               const struct casb_call *call, struct process_result *result, struct casb_error *err)
{
    const struct casb_call bounded = {clock_deadline(call, EXEC_TIMEOUT), call->cancel_fd};
    _cleanup_(freep) char *info = NULL;
    json_auto_t *vars = NULL;
    _cleanup_(freep) const char **argv = arg_list(plugin->exec);
    _cleanup_(freep) const char **env = NULL;
    struct casb_error why = {0};
    int r = jsonx_dump(plugin->info, &info, err);

    if (r)
        return r;
    vars = environment(plugin, info);
    env = env_list(vars);
    if (!vars || !argv || !env)
        return err_nomem(err);
    r = process_run(&bounded,
                    &(struct process_spec){.argv = argv,
                                           .env = env,
                                           .told = say,
                                           .told_arg = (void *)(uintptr_t)host,
                                           .output_bytes = EXEC_BYTES},
                    result, &why);
    return r ? start_failure(plugin, &why, err) : check_end(argv[0], result, err);
}

int exec_run(const struct exec_plugin *plugin, const struct casb_host *host,
             const struct casb_call *call, struct exec_credential *ret, struct casb_error *err)
{
    struct process_result result = {0};
    int r = run(plugin, host, call, &result, err);

    if (!r)
        r = exec_parse(buf_text(&result.out), result.out.len,
                       json_string_value(json_object_get(plugin->exec, "apiVersion")), ret, err);
    process_result_free(&result);
    return r;
}

static int check_answer(const json_t *answer, const char *api_version, struct casb_error *err)
{
    const char *kind = jsonx_string(answer, "kind");
    const char *version = jsonx_string(answer, "apiVersion");

    if (!text_equal(kind, "ExecCredential"))
        return err_set(err, CASB_EINVALID, "exec plugin did not print an ExecCredential");
    if (!text_equal(version, api_version))
        return err_set(err, CASB_EINVALID,
                       "exec plugin is configured to use API version %s, plugin returned version "
                       "%s",
                       api_version, version ? version : "\"\"");
    if (!jsonx_object(answer, "status"))
        return err_set(err, CASB_EINVALID, "exec plugin didn't return a status field");
    return 0;
}

/* RFC 3339 as Go takes it, which is less than clock_parse() does: with a 'T' and a zone. */
static int take_expiry(const json_t *value, int64_t *ret_ms)
{
    const char *text = json_string_value(value);
    size_t len = text ? strlen(text) : 0;

    if (!value || json_is_null(value))
        return 0;
    if (len != json_string_length(value) || len < strlen("2006-01-02T15:04:05Z") ||
        text[10] != 'T' ||
        (text[len - 1] != 'Z' && text[len - 6] != '+' && text[len - 6] != '-')) /* "+01:00" */
        return CASB_EINVALID;
    return clock_parse(text, ret_ms);
}

static int take_status(const json_t *answer, struct exec_credential *ret, struct casb_error *err)
{
    const char *token = jsonx_string(answer, "status.token");
    const char *cert = jsonx_string(answer, "status.clientCertificateData");
    const char *key = jsonx_string(answer, "status.clientKeyData");
    const json_t *expiry = jsonx_get(answer, "status.expirationTimestamp");

    if (text_empty(cert) != text_empty(key))
        return err_set(err, CASB_EINVALID,
                       "exec plugin returned only certificate or key, not both");
    if (text_empty(token) && text_empty(cert))
        return err_set(err, CASB_EINVALID, "exec plugin didn't return a token or cert/key pair");
    if (take_expiry(expiry, &ret->expiry_ms))
        return err_set(err, CASB_EINVALID, "exec plugin returned no valid expirationTimestamp");
    if (text_dup(text_empty(token) ? NULL : token, &ret->token) ||
        text_dup(text_empty(cert) ? NULL : cert, &ret->cert_pem) ||
        text_dup(text_empty(key) ? NULL : key, &ret->key_pem))
        return err_nomem(err);
    return 0;
}

static bool is_json(const char *text, size_t len)
{
    size_t i = text_bom(text, len);

    while (i < len && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n'))
        i++;
    return i < len && text[i] == '{';
}

/* JSON, or like all that kubectl decodes YAML, of which an error could quote a secret. */
static int read_answer(const char *text, size_t len, json_t **ret, struct casb_error *err)
{
    static const char what[] = "output of the exec plugin";
    _cleanup_(yamldoc_freep) struct yamldoc *doc = NULL;
    int r;

    if (is_json(text, len))
        return jsonx_parse(text, len, what, ret, err);
    r = yamldoc_parse_lax(text, len, what, &doc, NULL);
    if (r == CASB_ENOMEM)
        return err_nomem(err);
    if (r || !jsonx_string(yamldoc_root(doc), "kind"))
        return err_set(err, CASB_EINVALID, "%s is no ExecCredential", what);
    *ret = json_incref(yamldoc_root(doc));
    return 0;
}

int exec_parse(const char *text, size_t len, const char *api_version, struct exec_credential *ret,
               struct casb_error *err)
{
    struct exec_credential credential = {0};
    json_auto_t *answer = NULL;
    int r = read_answer(text, len, &answer, err);

    if (!r)
        r = check_answer(answer, api_version, err);
    if (!r)
        r = take_status(answer, &credential, err);
    if (r)
        exec_credential_free(&credential);
    else
        *ret = credential;
    return r;
}

void exec_credential_free(struct exec_credential *credential)
{
    tls_secret_free(credential->token);
    free(credential->cert_pem);
    tls_secret_free(credential->key_pem);
    *credential = (struct exec_credential){0};
}
