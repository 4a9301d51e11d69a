/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/clock.h"
#include "base/file.h"
#include "common/kube/access.h"
#include "common/kube/client.h"
#include "common/kube/kubeconfig.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#define V1 "client.authentication.k8s.io/v1"

/* A folder with a kubeconfig of two contexts, x and other, whose user may have a plugin. */
struct scene {
    char *dir;
    char config[256];
};

static atomic_uint log_lines;

static void take_log(const struct casb_host *host, enum casb_level level, const char *node,
                     const char *text)
{
    (void)host;
    (void)node;
    if (level == CASB_DEBUG && !strncmp(text, "api calls: ", 11))
        log_lines++;
}

static const struct casb_host host = {.size = sizeof host, .log = take_log};

static const char *put(const struct scene *scene, char path[static 256], const char *name,
                       const char *text)
{
    snprintf(path, 256, "%s/%s", scene->dir, name);
    assert_int_equal(file_write(path, text, strlen(text), 0700, NULL), 0);
    return path;
}

static void put_config(struct scene *scene, const char *user)
{
    char *text;

    assert_true(asprintf(&text,
                         "current-context: x\n"
                         "clusters: [{name: c, cluster: {server: 'https://api.example'}}]\n"
                         "users: [{name: u, user: %s}]\n"
                         "contexts:\n"
                         "- {name: x, context: {cluster: c, user: u, namespace: ns}}\n"
                         "- {name: other, context: {cluster: c, user: u}}\n",
                         user) > 0);
    put(scene, scene->config, "config", text);
    free(text);
}

static int enter(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);

    assert_non_null(scene);
    log_lines = 0;
    assert_int_equal(file_private_dir("kube-access", 0, &scene->dir, NULL), 0);
    put_config(scene, "{token: t0ken}");
    *state = scene;
    return 0;
}

static int leave(void **state)
{
    struct scene *scene = *state;

    file_remove_tree(scene->dir, NULL);
    free(scene->dir);
    free(scene);
    return 0;
}

static struct access *take(const struct kube_settings *settings, const struct kubeconfig_env *env)
{
    struct access *access = NULL;
    struct casb_error err = {0};

    if (access_take(&host, settings, env, &access, &err))
        fail_msg("%s", err.text);
    return access;
}

/* Nobody has an access for the kubeconfig any more, or else it would still be given. */
static void expect_none_left(const struct scene *scene)
{
    const struct kube_settings settings = {.kubeconfig = scene->config};
    const struct kubeconfig_env env = {0};
    struct access *access = NULL;

    assert_int_equal(unlink(scene->config), 0);
    assert_int_equal(access_take(&host, &settings, &env, &access, NULL), CASB_ENOTFOUND);
}

static void the_same_settings_give_the_same_access_until_the_last_is_back(void **state)
{
    struct scene *scene = *state;
    const struct kubeconfig_env env = {.home = "/h"}, same_env = {.home = (char[]){"/h"}};
    char copy[256];
    struct access *first = take(&(struct kube_settings){.kubeconfig = scene->config}, &env),
                  *second;

    snprintf(copy, sizeof copy, "%s", scene->config);
    second = take(&(struct kube_settings){.kubeconfig = copy, .namespace = "other"}, &same_env);
    assert_ptr_equal(first, second);
    access_give_back(&host, first);
    assert_int_equal(log_lines, 0);
    assert_ptr_equal(take(&(struct kube_settings){.kubeconfig = copy}, &env), second);
    access_give_back(&host, second);
    access_give_back(&host, second);
    assert_int_equal(log_lines, 1);
    expect_none_left(scene);
}

/* Whatever the configuration could depend on. */
static void other_settings_give_another_access(void **state)
{
    struct scene *scene = *state;
    const struct kube_settings plain = {.kubeconfig = scene->config};
    const struct kubeconfig_env env = {0};
    char other[256];
    const struct {
        struct kube_settings settings;
        struct kubeconfig_env env;
    } cases[] = {
        {{.kubeconfig = other}, {0}},
        {{.kubeconfig = scene->config, .context = "x"}, {0}},
        {{.kubeconfig = scene->config, .context = "other"}, {0}},
        {plain, {.kubeconfig = "k"}},
        {plain, {.home = "h"}},
        {plain, {.service_host = "s"}},
        {plain, {.service_port = "1"}},
        {plain, {.pod_namespace = "n"}},
        {plain, {.account_dir = "a"}},
    };
    struct access *all[ELEMENTS(cases) + 1] = {take(&plain, &env)};

    snprintf(other, sizeof other, "%s/../%s/config", scene->dir, strrchr(scene->dir, '/') + 1);
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        all[i + 1] = take(&cases[i].settings, &cases[i].env);
        for (size_t k = 0; k <= i; k++)
            assert_ptr_not_equal(all[i + 1], all[k]);
    }
    for (size_t i = 0; i < ELEMENTS(all); i++)
        access_give_back(&host, all[i]);
    assert_int_equal(log_lines, ELEMENTS(all));
    expect_none_left(scene);
}

static void what_could_not_be_made_is_tried_anew(void **state)
{
    struct scene *scene = *state;
    const struct kubeconfig_env env = {0};
    struct access *access = NULL;
    struct casb_error err = {0};

    expect_none_left(scene);
    put_config(scene, "{token: \"\\x07\"}");
    assert_int_equal(access_take(&host, &(struct kube_settings){.kubeconfig = scene->config}, &env,
                                 &access, &err),
                     CASB_EINVALID);
    assert_null(access);
    put_config(scene, "{token: t0ken}");
    access_give_back(&host, take(&(struct kube_settings){.kubeconfig = scene->config}, &env));
}

static void clients_share_an_access_and_keep_their_namespaces(void **state)
{
    static const char *const wanted[] = {NULL, "mine", ""}, *const got[] = {"ns", "mine", "ns"};
    struct scene *scene = *state;
    const struct kubeconfig_env env = {0};
    struct kube *kube[ELEMENTS(wanted)], *bad = NULL;
    struct kube_settings settings = {.kubeconfig = scene->config};

    for (size_t i = 0; i < ELEMENTS(wanted); i++) {
        settings.namespace = wanted[i];
        assert_int_equal(client_open(&host, &settings, &env, &kube[i], NULL), 0);
        assert_string_equal(kube_namespace(kube[i]), got[i]);
    }
    settings.namespace = "no/label";
    assert_int_equal(client_open(&host, &settings, &env, &bad, NULL), CASB_EINVALID);
    for (size_t i = 0; i < ELEMENTS(wanted); i++)
        kube_close(kube[i]);
    assert_int_equal(log_lines, 1);
    expect_none_left(scene);
}

static void expect_token(struct access *access, const char *token)
{
    struct casb_call call = {INT64_MAX, -1};
    struct auth_ticket ticket = {0};
    struct casb_error err = {0};
    char want[64];

    if (auth_take(access->auth, &host, &call, &ticket, &err))
        fail_msg("%s", err.text);
    snprintf(want, sizeof want, "Authorization: Bearer %s", token);
    assert_string_equal(ticket.authorization, want);
    auth_ticket_free(access->auth, &ticket);
}

static struct access *take_with_plugin(struct scene *scene, const char *script)
{
    char path[256], user[512];

    put(scene, path, "plugin", script);
    snprintf(user, sizeof user,
             "{exec: {apiVersion: " V1 ", interactiveMode: Never, command: '%s'}}", path);
    put_config(scene, user);
    return take(&(struct kube_settings){.kubeconfig = scene->config}, &(struct kubeconfig_env){0});
}

#define SCRIPT "#!/bin/sh\ncd \"${0%/*}\"\n"
#define ANSWER                                                                                     \
    "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1                                      \
    "\",\"status\":{\"token\":\"run-'$(wc -l <runs)'\"}}'\n"

static void those_who_share_run_the_plugin_once(void **state)
{
    struct scene *scene = *state;
    struct access *first = take_with_plugin(scene, SCRIPT "echo x >>runs\n" ANSWER);
    struct access *second =
        take(&(struct kube_settings){.kubeconfig = scene->config}, &(struct kubeconfig_env){0});

    expect_token(first, "run-1");
    expect_token(second, "run-1");
    access_give_back(&host, first);
    access_give_back(&host, second);
    expect_none_left(scene);
}

static void *expect_second_run(void *arg)
{
    expect_token(arg, "run-2");
    return NULL;
}

struct canceller {
    char fifo[256];
    int cancel_fd;
    struct access *access;
};

/* Once the plugin says, by opening a FIFO, that it runs: needs a token as well, and cancels. */
static void *join_and_cancel(void *arg)
{
    struct canceller *canceller = arg;
    int fd = open(canceller->fifo, O_RDONLY | O_CLOEXEC);
    pthread_t other;

    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(pthread_create(&other, NULL, expect_second_run, canceller->access), 0);
    assert_int_equal(write(canceller->cancel_fd, "", 1), 1);
    assert_int_equal(pthread_join(other, NULL), 0);
    return NULL;
}

/* The first to need a token runs the plugin for the other, too, and is then cancelled. */
static void a_cancelled_call_does_not_end_that_of_another(void **state)
{
    struct scene *scene = *state;
    struct access *access = take_with_plugin(
        scene, SCRIPT "echo x >>runs\n"
                      "[ $(wc -l <runs) = 2 ] || { : >started; exec sleep 60; }\n" ANSWER);
    struct canceller canceller = {.access = access};
    struct auth_ticket ticket = {0};
    struct casb_call call = {.deadline_ns = INT64_MAX};
    pthread_t thread;
    int fds[2];

    snprintf(canceller.fifo, sizeof canceller.fifo, "%s/started", scene->dir);
    assert_int_equal(mkfifo(canceller.fifo, 0600), 0);
    assert_int_equal(pipe(fds), 0);
    call.cancel_fd = fds[0];
    canceller.cancel_fd = fds[1];
    assert_int_equal(pthread_create(&thread, NULL, join_and_cancel, &canceller), 0);
    assert_int_equal(auth_take(access->auth, &host, &call, &ticket, NULL), CASB_ECANCELLED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    close(fds[0]);
    close(fds[1]);
    access_give_back(&host, access);
}

static void *take_often(void *arg)
{
    const struct kube_settings settings = {.kubeconfig = arg};
    const struct kubeconfig_env env = {0};

    for (unsigned i = 0; i < 50; i++) {
        struct access *access = take(&settings, &env);

        expect_token(access, "t0ken");
        access_give_back(&host, access);
    }
    return NULL;
}

static void threads_take_and_give_back_at_once(void **state)
{
    struct scene *scene = *state;
    pthread_t threads[8];

    for (size_t i = 0; i < ELEMENTS(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_often, scene->config), 0);
    for (size_t i = 0; i < ELEMENTS(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    expect_none_left(scene);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same_settings_give_the_same_access_until_the_last_is_back),
        TEST(other_settings_give_another_access),
        TEST(what_could_not_be_made_is_tried_anew),
        TEST(clients_share_an_access_and_keep_their_namespaces),
        TEST(those_who_share_run_the_plugin_once),
        TEST(a_cancelled_call_does_not_end_that_of_another),
        TEST(threads_take_and_give_back_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
