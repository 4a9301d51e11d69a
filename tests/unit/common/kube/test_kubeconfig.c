/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every folder of data/kubeconfig is a case: kubeconfig files (all *.yaml make up $KUBECONFIG where
 * settings.json does not say otherwise), and want.json, which is what comes out, or error, which is
 * a part of the message.
 */
#include "unit/unit.h"

#include "common/kube/kube.h"
#include "common/kube/kubeconfig.h"

#include <dirent.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

struct outcome {
    struct casb_host host;
    json_t *log;
};

static void take_log(const struct casb_host *host, enum casb_level level, const char *node,
                     const char *text)
{
    struct outcome *outcome = host->arg;

    (void)node;
    assert_int_equal(level, CASB_WARN);
    assert_int_equal(json_array_append_new(outcome->log, json_string(text)), 0);
}

static const char *string(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static int is_yaml(const struct dirent *entry)
{
    return !fnmatch("*.yaml", entry->d_name, 0);
}

static char *all_yaml(void)
{
    struct dirent **found;
    int n = scandir(".", &found, is_yaml, alphasort);
    char *list = calloc(1, 4096);

    assert_true(n >= 0);
    assert_non_null(list);
    for (int i = 0; i < n; i++) {
        snprintf(list + strlen(list), 4096 - strlen(list), "%s%s", i ? ":" : "", found[i]->d_name);
        free(found[i]);
    }
    free(found);
    return list;
}

static void set_string(json_t *object, const char *key, const char *value)
{
    if (value)
        assert_int_equal(json_object_set_new(object, key, json_string(value)), 0);
}

static json_t *render(const struct kubecontext *config, json_t *log)
{
    json_t *out = json_object();

    set_string(out, "server", config->server);
    set_string(out, "namespace", config->namespace);
    set_string(out, "ca_pem", config->ca_pem);
    set_string(out, "tls_server_name", config->tls_server_name);
    set_string(out, "proxy_url", config->proxy_url);
    set_string(out, "cert_pem", config->cert_pem);
    set_string(out, "key_pem", config->key_pem);
    set_string(out, "token", config->token);
    set_string(out, "token_file", config->token_file);
    set_string(out, "user", config->user);
    set_string(out, "password", config->password);
    if (config->insecure)
        json_object_set_new(out, "insecure", json_true());
    if (json_array_size(config->headers))
        json_object_set(out, "headers", config->headers);
    if (config->plugin.exec)
        json_object_set(out, "exec", config->plugin.exec);
    if (config->plugin.info)
        json_object_set(out, "exec_info", config->plugin.info);
    if (json_array_size(log))
        json_object_set(out, "log", log);
    return out;
}

static void expect_error(const char *path, int r, const struct casb_error *err)
{
    char want[512] = "";
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    assert_non_null(fgets(want, sizeof want, file));
    fclose(file);
    want[strcspn(want, "\n")] = 0;
    if (!r || !strstr(err->text, want))
        fail_msg("wanted '%s', got %d '%s'", want, r, err->text);
    assert_int_equal(r, err->code);
}

static void expect_json(const struct kubecontext *config, json_t *log)
{
    json_t *got = render(config, log);
    json_t *want = json_load_file("want.json", 0, NULL);
    char *text = json_dumps(got, JSON_INDENT(2));

    assert_non_null(want);
    if (!json_equal(got, want))
        fail_msg("got %s", text);
    free(text);
    json_decref(want);
    json_decref(got);
}

static void run_case(void **state)
{
    struct outcome outcome = {.host = {.size = sizeof outcome.host, .log = take_log}};
    json_t *given = json_load_file("settings.json", 0, NULL);
    const json_t *env = json_object_get(given, "env");
    char *list = env || given ? NULL : all_yaml();
    const struct kube_settings settings = {.kubeconfig = string(given, "kubeconfig"),
                                           .context = string(given, "context")};
    struct kubeconfig_env from = {
        .kubeconfig = string(env, "kubeconfig"),
        .home = string(env, "home"),
        .service_host = string(env, "service_host"),
        .service_port = string(env, "service_port"),
        .pod_namespace = string(env, "pod_namespace"),
        .account_dir = string(env, "account_dir"),
    };
    struct kubecontext *config = NULL;
    struct casb_error err = {0};
    int r;

    (void)state;
    if (!env)
        from.kubeconfig = list = list ? list : all_yaml();
    outcome.host.arg = &outcome;
    outcome.log = json_array();
    r = kubeconfig_load(&outcome.host, &settings, &from, &config, &err);
    if (!access("error", F_OK)) {
        expect_error("error", r, &err);
        assert_null(config);
    } else {
        if (r)
            fail_msg("%s", err.text);
        expect_json(config, outcome.log);
    }
    kubecontext_free(config);
    json_decref(outcome.log);
    json_decref(given);
    free(list);
}

static int enter_case(void **state)
{
    return chdir(*state);
}

static int is_case(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(void)
{
    struct CMUnitTest *tests;
    struct dirent **found;
    char root[1024], *path;
    int n, failed;

    unit_data(root, sizeof root, "kubeconfig");
    n = scandir(root, &found, is_case, alphasort);
    if (n <= 0)
        return 1;
    tests = calloc((size_t)n, sizeof *tests);
    for (int i = 0; i < n; i++) {
        if (asprintf(&path, "%s/%s", root, found[i]->d_name) < 0)
            return 1;
        tests[i] = (struct CMUnitTest){found[i]->d_name, run_case, enter_case, NULL, path};
    }
    failed = _cmocka_run_group_tests("kubeconfig", tests, (size_t)n, NULL, NULL);
    for (int i = 0; i < n; i++) {
        free(tests[i].initial_state);
        free(found[i]);
    }
    free(found);
    free(tests);
    return failed;
}
