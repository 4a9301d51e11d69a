/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/file.h"
#include "common/kube/kube.h"
#include "common/kube/kubeconfig.h"
#include "common/kube/member.h"

#include <limits.h>

static void drop_log(const struct casb_host *host, enum casb_level level, const char *node,
                     const char *text)
{
    (void)host;
    (void)level;
    (void)node;
    (void)text;
}

static const struct casb_host host = {.size = sizeof host, .log = drop_log};

static json_t *sound(void)
{
    json_t *root = json_pack(
        "{s:s, s:[{s:s, s:{s:s, s:s}}], s:[{s:s, s:{s:s}}], s:[{s:s, s:{s:{s:s, s:s, s:s, s:b}}}]}",
        "current-context", "x", "contexts", "name", "x", "context", "cluster", "c", "user", "u",
        "clusters", "name", "c", "cluster", "server", "https://api.example", "users", "name", "u",
        "user", "exec", "apiVersion", "client.authentication.k8s.io/v1", "command", "plugin",
        "interactiveMode", "Never", "provideClusterInfo", 1);

    assert_non_null(root);
    return root;
}

/* "" is the root, "exec" the user's. */
static json_t *object_of(const json_t *root, const char *kind)
{
    char list[16];
    const json_t *entry;

    if (!*kind)
        return (json_t *)(uintptr_t)root;
    if (!strcmp(kind, "exec"))
        return json_object_get(object_of(root, "user"), "exec");
    snprintf(list, sizeof list, "%ss", kind);
    entry = json_array_get(json_object_get(root, list), 0);
    return json_object_get(entry, kind);
}

static int load(const char *path, const json_t *root, struct casb_error *err)
{
    const struct kube_settings settings = {.kubeconfig = path};
    const struct kubeconfig_env env = {0};
    struct kubecontext *context = NULL;
    char *text = json_dumps(root, 0);
    int r;

    assert_non_null(text);
    assert_int_equal(file_write(path, text, strlen(text), 0600, NULL), 0);
    free(text);
    r = kubeconfig_load(&host, &settings, &env, &context, err);
    kubecontext_free(context);
    return r;
}

static const struct {
    const char *kind;
    struct member member;
    const char *must;
} members[] = {
    {"", {"clusters", JSON_ARRAY}, "a list"},
    {"", {"users", JSON_ARRAY}, "a list"},
    {"", {"contexts", JSON_ARRAY}, "a list"},
    {"", {"current-context", JSON_STRING}, "a string"},
    {"context", {"cluster", JSON_STRING}, "a string"},
    {"context", {"user", JSON_STRING}, "a string"},
    {"context", {"namespace", JSON_STRING}, "a string"},
    {"cluster", {"server", JSON_STRING}, "a string"},
    {"cluster", {"certificate-authority", JSON_STRING}, "a string"},
    {"cluster", {"certificate-authority-data", JSON_STRING}, "a string"},
    {"cluster", {"insecure-skip-tls-verify", JSON_TRUE}, "true or false"},
    {"cluster", {"tls-server-name", JSON_STRING}, "a string"},
    {"cluster", {"proxy-url", JSON_STRING}, "a string"},
    {"cluster", {"disable-compression", JSON_TRUE}, "true or false"},
    {"cluster", {"extensions", JSON_ARRAY}, "a list"},
    {"user", {"client-certificate", JSON_STRING}, "a string"},
    {"user", {"client-certificate-data", JSON_STRING}, "a string"},
    {"user", {"client-key", JSON_STRING}, "a string"},
    {"user", {"client-key-data", JSON_STRING}, "a string"},
    {"user", {"token", JSON_STRING}, "a string"},
    {"user", {"tokenFile", JSON_STRING}, "a string"},
    {"user", {"username", JSON_STRING}, "a string"},
    {"user", {"password", JSON_STRING}, "a string"},
    {"user", {"as", JSON_STRING}, "a string"},
    {"user", {"as-uid", JSON_STRING}, "a string"},
    {"user", {"as-groups", JSON_ARRAY}, "a list"},
    {"user", {"as-user-extra", JSON_OBJECT}, "an object"},
    {"user", {"auth-provider", JSON_OBJECT}, "an object"},
    {"user", {"exec", JSON_OBJECT}, "an object"},
    {"exec", {"apiVersion", JSON_STRING}, "a string"},
    {"exec", {"command", JSON_STRING}, "a string"},
    {"exec", {"args", JSON_ARRAY}, "a list"},
    {"exec", {"env", JSON_ARRAY}, "a list"},
    {"exec", {"interactiveMode", JSON_STRING}, "a string"},
    {"exec", {"provideClusterInfo", JSON_TRUE}, "true or false"},
    {"exec", {"installHint", JSON_STRING}, "a string"},
};

/* As if they were absent, a plugin would run without its arguments. */
static void members_of_another_type_are_errors(void **state)
{
    static const char *const values[] = {"null", "17", "false", "\"text\"", "[]", "{}"};

    for (size_t i = 0; i < ELEMENTS(members); i++) {
        for (size_t k = 0; k < ELEMENTS(values); k++) {
            json_t *root = sound(), *value = json_loads(values[k], JSON_DECODE_ANY, NULL);
            json_type type = json_is_false(value) ? JSON_TRUE : json_typeof(value);
            bool fits = type == JSON_NULL || type == members[i].member.type;
            struct casb_error err = {0};
            char want[96];
            int r;

            snprintf(want, sizeof want, "%s must be %s", members[i].member.key, members[i].must);
            assert_int_equal(
                json_object_set_new(object_of(root, members[i].kind), members[i].member.key, value),
                0);
            r = load(*state, root, &err);
            if (!fits != (r == CASB_EINVALID && strstr(err.text, want)))
                fail_msg("%s %s: %d %s", members[i].member.key, values[k], r, err.text);
            json_decref(root);
        }
    }
}

static void a_sound_kubeconfig_is_taken(void **state)
{
    json_t *root = sound();
    struct casb_error err = {0};

    if (load(*state, root, &err))
        fail_msg("%s", err.text);
    json_decref(root);
}

int main(void)
{
    char *dir = NULL, path[PATH_MAX];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(a_sound_kubeconfig_is_taken, path),
        cmocka_unit_test_prestate(members_of_another_type_are_errors, path),
    };
    int failed;

    if (file_private_dir("kube-member", 0, &dir, NULL))
        return 1;
    snprintf(path, sizeof path, "%s/config", dir);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    file_remove_tree(dir, NULL);
    free(dir);
    return failed;
}
