/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "fake_api.h"

#include "base/clock.h"
#include "base/file.h"
#include "common/kube/auth.h"
#include "common/kube/exec.h"
#include "sandbox/pki.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#define V1      "client.authentication.k8s.io/v1"
#define V1BETA1 "client.authentication.k8s.io/v1beta1"

/* Time, which a test can move: these are wrapped by the linker. */
static int64_t moved_ns;

int64_t __real_clock_now_ns(void);
int64_t __wrap_clock_now_ns(void);
int64_t __wrap_clock_now_ns(void)
{
    return __real_clock_now_ns() + moved_ns;
}

int64_t __real_clock_deadline(const struct casb_call *call, int64_t timeout_ns);
int64_t __wrap_clock_deadline(const struct casb_call *call, int64_t timeout_ns);
int64_t __wrap_clock_deadline(const struct casb_call *call, int64_t timeout_ns)
{
    return __real_clock_deadline(call, timeout_ns) + moved_ns;
}

/* A folder for what a test writes. */
struct scene {
    char *dir;
    char path[256]; /* the last one written */
};

static int enter(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);

    moved_ns = 0;
    fake_log[0] = 0;
    assert_int_equal(file_private_dir("kube-auth", 0, &scene->dir, NULL), 0);
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

static const char *put(struct scene *scene, const char *name, const char *text)
{
    snprintf(scene->path, sizeof scene->path, "%s/%s", scene->dir, name);
    assert_int_equal(file_write(scene->path, text, strlen(text), 0700, NULL), 0);
    return scene->path;
}

static char *read_back(struct scene *scene, const char *name)
{
    struct buf out = BUF_INIT(65536);
    char path[256];

    snprintf(path, sizeof path, "%s/%s", scene->dir, name);
    assert_int_equal(file_read(path, &out, NULL), 0);
    return buf_take(&out);
}

static struct auth *make_auth(const struct kubecontext *config)
{
    struct casb_error err = {0};
    struct auth *auth = NULL;

    if (auth_new(&fake_host, config, &auth, &err))
        fail_msg("%s", err.text);
    return auth;
}

static void expect_token(struct auth *auth, const char *token)
{
    struct casb_call call = {INT64_MAX, -1};
    struct auth_ticket ticket = {0};
    struct casb_error err = {0};
    char want[128];

    if (auth_take(auth, &fake_host, &call, &ticket, &err))
        fail_msg("%s", err.text);
    snprintf(want, sizeof want, "Authorization: Bearer %s", token);
    assert_string_equal(ticket.authorization, want);
    auth_ticket_free(auth, &ticket);
}

static void an_inline_token_never_changes(void **state)
{
    struct kubecontext config = {.server = (char *)"https://x", .token = (char *)"t0ken"};
    struct auth *auth = make_auth(&config);
    struct auth_ticket ticket = {0};

    (void)state;
    expect_token(auth, "t0ken");
    moved_ns = 3600 * CLOCK_S;
    expect_token(auth, "t0ken");
    assert_false(auth_refused(auth, &ticket));
    auth_free(auth);
}

static void a_token_file_is_read_again_after_a_minute(void **state)
{
    struct kubecontext config = {.server = (char *)"https://x"};
    struct auth *auth;

    config.token_file = (char *)put(*state, "token", " first\n");
    auth = make_auth(&config);
    expect_token(auth, "first");
    put(*state, "token", "second");
    moved_ns = 50 * CLOCK_S;
    expect_token(auth, "first");
    moved_ns = 61 * CLOCK_S;
    expect_token(auth, "second");
    auth_free(auth);
}

static void *write_token(void *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_int_equal(write(fd, "piped\n", 6), 6);
    close(fd);
    return NULL;
}

/* Where it would be read again nobody writes any more: the alarm ends that. */
static void a_token_from_a_pipe_is_read_once(void **state)
{
    struct kubecontext config = {.server = (char *)"https://x"};
    struct auth_ticket ticket = {0};
    struct casb_call call = fake_call();
    struct auth *auth;
    pthread_t writer;

    config.token_file = (char *)put(*state, "token", "");
    assert_int_equal(unlink(config.token_file), 0);
    assert_int_equal(mkfifo(config.token_file, 0600), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_token, config.token_file), 0);
    auth = make_auth(&config);
    assert_int_equal(pthread_join(writer, NULL), 0);
    alarm(60);
    moved_ns = 61 * CLOCK_S;
    expect_token(auth, "piped");
    assert_int_equal(auth_take(auth, &fake_host, &call, &ticket, NULL), 0);
    assert_true(auth_refused(auth, &ticket));
    auth_ticket_free(auth, &ticket);
    expect_token(auth, "piped");
    alarm(0);
    assert_string_equal(fake_log, "");
    auth_free(auth);
}

static void the_old_token_stays_when_the_file_is_gone_or_empty(void **state)
{
    struct kubecontext config = {.server = (char *)"https://x"};
    struct auth *auth;

    config.token_file = (char *)put(*state, "token", "first");
    auth = make_auth(&config);
    unlink(config.token_file);
    moved_ns = 61 * CLOCK_S;
    expect_token(auth, "first");
    assert_non_null(strstr(fake_log, "unable to read tokenFile"));
    assert_non_null(strstr(fake_log, "going on with the token known before"));
    put(*state, "token", " \n");
    moved_ns = 122 * CLOCK_S;
    expect_token(auth, "first");
    assert_non_null(strstr(fake_log, "is empty"));
    put(*state, "token", "third");
    moved_ns = 183 * CLOCK_S;
    expect_token(auth, "third");
    auth_free(auth);
}

static void a_readable_token_file_goes_over_the_inline_token(void **state)
{
    struct kubecontext config = {.server = (char *)"https://x", .token = (char *)"inline"};
    struct auth *auth;

    config.token_file = (char *)put(*state, "token", "file");
    auth = make_auth(&config);
    expect_token(auth, "file");
    auth_free(auth);
    unlink(config.token_file);
    auth = make_auth(&config);
    expect_token(auth, "inline");
    auth_free(auth);
}

static void a_token_file_that_is_not_there_is_an_error(void **state)
{
    struct kubecontext config = {.server = (char *)"https://x", .token_file = (char *)"/no/token"};
    struct casb_error err = {0};
    struct auth *auth = NULL;

    (void)state;
    assert_int_equal(auth_new(&fake_host, &config, &auth, &err), CASB_ENOTFOUND);
    assert_non_null(strstr(err.text, "unable to read tokenFile"));
    assert_null(auth);
}

static void a_token_cannot_carry_another_header(void **state)
{
    struct kubecontext config = {.server = (char *)"https://x", .token = (char *)"a\r\nX-Evil: 1"};
    struct casb_error err = {0};
    struct auth *auth = NULL;

    (void)state;
    assert_int_equal(auth_new(&fake_host, &config, &auth, &err), CASB_EINVALID);
    assert_null(strstr(err.text, "Evil"));
}

static void a_401_makes_the_token_file_be_read_again(void **state)
{
    static const struct fake_reply script[] = {
        {200, "{}"}, {401, ""}, {200, "{}"}, {401, ""}, {401, ""}};
    struct fake_api *api = FAKE_API(script);
    struct casb_call call = fake_call();
    char user[320];
    struct kube *kube;
    json_t *body = json_object();
    const struct kube_request get = {KUBE_GET, "/version", NULL, NULL};
    const struct kube_request post = {KUBE_POST, "/api/v1/x", NULL, body};

    snprintf(user, sizeof user, "{tokenFile: %s}", put(*state, "token", "first"));
    kube = fake_api_client(api, user);
    assert_int_equal(kube_request(kube, &call, &get, NULL, NULL, NULL), 0);
    put(*state, "token", "second");
    assert_int_equal(kube_request(kube, &call, &post, NULL, NULL, NULL), 0);
    assert_int_equal(kube_request(kube, &call, &get, NULL, NULL, NULL), CASB_EDENIED);
    assert_int_equal(fake_api_count(api), 5);
    assert_string_equal(fake_api_request(api, 1)->authorization, "Bearer first");
    assert_string_equal(fake_api_request(api, 2)->authorization, "Bearer second");
    json_decref(body);
    kube_close(kube);
    fake_api_stop(api);
}

static void in_a_cluster_the_account_is_used_and_its_token_rotates(void **state)
{
    static const struct fake_reply script[] = {{200, "{}"}, {200, "{}"}};
    struct fake_api *api = FAKE_API(script);
    struct casb_call call = {INT64_MAX, -1};
    const char *dir = ((struct scene *)*state)->dir;
    const struct kube_request get = {KUBE_GET, "/version", NULL, NULL};
    struct kube *kube;

    fake_api_put_account(api, dir, "first");
    kube = fake_api_pod_client(api, dir);
    assert_string_equal(kube_namespace(kube), "backup");
    assert_true(kube_is_in_cluster(kube));
    assert_int_equal(kube_request(kube, &call, &get, NULL, NULL, NULL), 0);
    fake_api_put_account(api, dir, "second");
    moved_ns = 61 * CLOCK_S;
    assert_int_equal(kube_request(kube, &call, &get, NULL, NULL, NULL), 0);
    assert_string_equal(fake_api_request(api, 0)->authorization, "Bearer first");
    assert_string_equal(fake_api_request(api, 1)->authorization, "Bearer second");
    kube_close(kube);
    fake_api_stop(api);
}

/* A plugin's output against what is made of it. */
static void credentials_are_parsed(void **state)
{
    static const struct {
        const char *text, *version, *error, *token, *cert;
        int64_t expiry_ms;
    } cases[] = {
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":{\"token\":\"t\"}}", V1,
         NULL, "t", NULL, 0},
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1BETA1
         "\",\"status\":{\"token\":\"t\",\"expirationTimestamp\":\"1970-01-01T00:00:05Z\"}}",
         V1BETA1, NULL, "t", NULL, 5000},
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
         "\",\"status\":{\"clientCertificateData\":\"C\",\"clientKeyData\":\"K\"}}",
         V1, NULL, NULL, "C", 0},
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
         "\",\"status\":{\"token\":\"t\",\"clientCertificateData\":\"C\",\"clientKeyData\":\"K\"}}",
         V1, NULL, "t", "C", 0},
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
         "\",\"status\":{\"clientCertificateData\":\"C\"}}",
         V1, "only certificate or key", NULL, NULL, 0},
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":{}}", V1,
         "didn't return a token or cert/key pair", NULL, NULL, 0},
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\"}", V1, "didn't return a status",
         NULL, NULL, 0},
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1BETA1
         "\",\"status\":{\"token\":\"t\"}}",
         V1, "is configured to use API version " V1 ", plugin returned version " V1BETA1, NULL,
         NULL, 0},
        {"{\"kind\":\"ExecCredential\",\"status\":{\"token\":\"t\"}}", V1,
         "plugin returned version \"\"", NULL, NULL, 0},
        {"{\"kind\":\"Pod\",\"apiVersion\":\"" V1 "\",\"status\":{\"token\":\"t\"}}", V1,
         "did not print an ExecCredential", NULL, NULL, 0},
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
         "\",\"status\":{\"token\":\"t\",\"expirationTimestamp\":\"soon\"}}",
         V1, "no valid expirationTimestamp", NULL, NULL, 0},
        {"# yes\napiVersion: " V1 "\nkind: ExecCredential\nstatus: {token: t, expirationTimestamp: "
         "\"1970-01-01T00:00:05Z\"}\n",
         V1, NULL, "t", NULL, 5000},
        {"kind: ExecCredential\nstatus: {token: t\n", V1, "output of the exec plugin", NULL, NULL,
         0},
        {"please: log in\n", V1, "is no ExecCredential", NULL, NULL, 0},
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
         "\",\"spec\":{\"x\":99999999999999999999},\"status\":{\"token\":\"t\"}}",
         V1, NULL, "t", NULL, 0},
        {"", V1, "output of the exec plugin", NULL, NULL, 0},
        {"token", V1, "output of the exec plugin", NULL, NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct exec_credential got = {0};
        struct casb_error err = {0};
        int r = exec_parse(cases[i].text, strlen(cases[i].text), cases[i].version, &got, &err);

        assert_int_equal(r, cases[i].error ? CASB_EINVALID : 0);
        if (cases[i].error && !strstr(err.text, cases[i].error))
            fail_msg("%s: %s", cases[i].text, err.text);
        assert_string_equal(got.token ? got.token : "-", cases[i].token ? cases[i].token : "-");
        assert_string_equal(got.cert_pem ? got.cert_pem : "-", cases[i].cert ? cases[i].cert : "-");
        assert_int_equal(got.expiry_ms, cases[i].expiry_ms);
        exec_credential_free(&got);
    }
}

/* As kubectl 1.32 takes or refuses them. */
static void expirations_are_rfc_3339(void **state)
{
    static const struct {
        const char *json;
        int64_t ms; /* -1: refused */
    } cases[] = {
        {"null", 0},
        {"\"1970-01-01T00:00:05Z\"", 5000},
        {"\"1970-01-01T01:00:05+01:00\"", 5000},
        {"\"1970-01-01T00:00:05.123456789Z\"", 5123},
        {"5", -1},
        {"true", -1},
        {"{}", -1},
        {"\"\"", -1},
        {"\"2099-01-01\"", -1},
        {"\"2099-01-01T00:00:00\"", -1},
        {"\"2099-01-01T00:00:00.123\"", -1},
        {"\"2099-01-01 00:00:00Z\"", -1},
        {"\"2099-01-01t00:00:00Z\"", -1},
        {"\"2099-01-01T00:00:00z\"", -1},
        {"\"2099-02-30T00:00:00Z\"", -1},
        {"\"2099-01-01T24:00:00Z\"", -1},
        {"\"1970-01-01T00:00:05Z\\u0000\"", -1},
        {"\"1970-01-01T00:00:05Z\\u0000+1:00\"", -1},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct exec_credential got = {0};
        char text[256];
        int r;

        snprintf(text, sizeof text,
                 "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
                 "\",\"status\":{\"token\":\"t\",\"expirationTimestamp\":%s}}",
                 cases[i].json);
        r = exec_parse(text, strlen(text), V1, &got, NULL);
        if (r != (cases[i].ms < 0 ? CASB_EINVALID : 0) ||
            got.expiry_ms != (cases[i].ms < 0 ? 0 : cases[i].ms))
            fail_msg("%s: %d, %lld", cases[i].json, r, (long long)got.expiry_ms);
        exec_credential_free(&got);
    }
}

/* A config whose plugin is a shell script. */
static struct kubecontext plugin_config(struct scene *scene, const char *script, const char *hint)
{
    struct kubecontext config = {.server = (char *)"https://x"};
    json_t *exec = json_pack("{s:s, s:s, s:s, s:[s, s], s:[{s:s, s:s}, {s:s, s:s}, {s:s}], s:s*}",
                             "apiVersion", V1, "interactiveMode", "Never", "command",
                             script ? put(scene, "plugin", script) : "no-such-plugin", "args", "a",
                             "b c", "env", "name", "HOME", "value", "/elsewhere", "name", "EMPTY",
                             "value", "", "name", "BARE", "installHint", hint);
    struct casb_error err = {0};

    if (exec_resolve(exec, NULL, &config.plugin, &err))
        fail_msg("%s", err.text);
    json_decref(exec);
    return config;
}

static void free_config(struct kubecontext *config)
{
    json_decref(config->plugin.exec);
    json_decref(config->plugin.info);
}

/* A plugin that counts its runs in a file, and gives a token with that number. */
static struct kubecontext counting_config(struct scene *scene, const char *more)
{
    struct kubecontext config;
    char *script;

    assert_true(asprintf(&script,
                         "#!/bin/sh\n"
                         "cd \"${0%%/*}\" && echo x >>runs && n=$(wc -l <runs)\n"
                         "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
                         "\",\"status\":{\"token\":\"run-'$((n))'\"%s}}'\n",
                         more) > 0);
    config = plugin_config(scene, script, NULL);
    free(script);
    return config;
}

static void a_plugin_gets_arguments_and_environment_without_a_shell(void **state)
{
    struct kubecontext config =
        plugin_config(*state,
                      "#!/bin/sh\n"
                      "cd \"${0%/*}\"\n"
                      "printf '%s|%s|%s|%s|%s|%s' \"$1\" \"$2\" \"$HOME\" \"${EMPTY-unset}\" "
                      "\"${BARE-unset}\" \"$KUBERNETES_EXEC_INFO\" >seen\n"
                      "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
                      "\",\"status\":{\"token\":\"t\"}}'\n",
                      NULL);
    struct casb_call call = fake_call();
    struct exec_credential got = {0};
    char *seen;

    assert_int_equal(exec_run(&config.plugin, &fake_host, &call, &got, NULL), 0);
    seen = read_back(*state, "seen");
    assert_string_equal(seen, "a|b c|/elsewhere|||{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
                              "\",\"spec\":{\"interactive\":false}}");
    free(seen);
    exec_credential_free(&got);
    free_config(&config);
}

/* A person must see it while the plugin runs: it may have to be answered in a browser. */
static void what_a_plugin_says_goes_to_the_log(void **state)
{
    struct kubecontext config =
        plugin_config(*state, "#!/bin/sh\necho log in at URL >&2\nexit 73\n", NULL);
    struct casb_call call = fake_call();
    struct exec_credential got = {0};
    struct casb_error err = {0};

    assert_int_equal(exec_run(&config.plugin, &fake_host, &call, &got, &err), CASB_EFAILED);
    assert_non_null(strstr(err.text, "failed with exit code 73"));
    assert_non_null(strstr(fake_log, "the credential plugin says: log in at URL"));
    free_config(&config);
}

static void a_plugin_may_print_up_to_a_megabyte(void **state)
{
    static const struct {
        const char *bytes;
        int want;
    } cases[] = {{"1000000", 0}, {"2000000", CASB_EINVALID}};
    struct casb_call call = fake_call();

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct exec_credential got = {0};
        struct kubecontext config;
        char script[512];

        snprintf(script, sizeof script,
                 "#!/bin/sh\n"
                 "printf %%s '{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
                 "\",\"status\":{\"token\":\"t\",\"x\":\"'\n"
                 "head -c %s /dev/zero | tr '\\0' x\necho '\"}}'\n",
                 cases[i].bytes);
        config = plugin_config(*state, script, NULL);
        assert_int_equal(exec_run(&config.plugin, &fake_host, &call, &got, NULL), cases[i].want);
        exec_credential_free(&got);
        free_config(&config);
    }
}

static void a_missing_plugin_is_named_with_its_hint(void **state)
{
    struct kubecontext config = plugin_config(*state, NULL, "install\x1b[31m it");
    struct casb_call call = fake_call();
    struct exec_credential got = {0};
    struct casb_error err = {0};

    assert_int_equal(exec_run(&config.plugin, &fake_host, &call, &got, &err), CASB_ENOTFOUND);
    assert_non_null(strstr(err.text, "exec: program 'no-such-plugin' is not found: install"));
    assert_null(strchr(err.text, '\x1b'));
    free_config(&config);
}

/* Such as a plugin for another C library, in a small image. */
static void a_plugin_without_its_loader_is_told_apart_from_a_missing_one(void **state)
{
    struct kubecontext config = plugin_config(*state, "#!/no/such/loader\n", "install it");
    struct casb_call call = fake_call();
    struct exec_credential got = {0};
    struct casb_error err = {0};

    assert_int_equal(exec_run(&config.plugin, &fake_host, &call, &got, &err), CASB_ENOTFOUND);
    assert_non_null(strstr(err.text, "exists, but its interpreter or loader is missing: install "));
    free_config(&config);
}

static void a_credential_without_expiry_lasts(void **state)
{
    struct kubecontext config = counting_config(*state, "");
    struct auth *auth = make_auth(&config);

    expect_token(auth, "run-1");
    moved_ns = 24 * 3600 * CLOCK_S;
    expect_token(auth, "run-1");
    auth_free(auth);
    free_config(&config);
}

static void a_credential_may_be_good_for_thousands_of_years(void **state)
{
    struct kubecontext config =
        counting_config(*state, ",\"expirationTimestamp\":\"9999-12-31T23:59:59Z\"");
    struct auth *auth = make_auth(&config);

    expect_token(auth, "run-1");
    moved_ns = 24 * 3600 * CLOCK_S;
    expect_token(auth, "run-1");
    auth_free(auth);
    free_config(&config);
}

static void a_credential_is_renewed_before_it_expires(void **state)
{
    char more[128], until[CLOCK_RFC3339_BYTES];
    struct kubecontext config;
    struct auth *auth;

    snprintf(more, sizeof more, ",\"expirationTimestamp\":\"%s\"",
             clock_format(until, clock_wall_ms() + 600 * 1000, false));
    config = counting_config(*state, more);
    auth = make_auth(&config);
    expect_token(auth, "run-1");
    moved_ns = 530 * CLOCK_S;
    expect_token(auth, "run-1");
    moved_ns = 545 * CLOCK_S;
    expect_token(auth, "run-2");
    auth_free(auth);
    free_config(&config);
}

static void a_401_makes_the_plugin_run_again_once(void **state)
{
    struct kubecontext config = counting_config(*state, "");
    struct auth *auth = make_auth(&config);
    struct casb_call call = {INT64_MAX, -1};
    struct auth_ticket first = {0}, second = {0};

    assert_int_equal(auth_take(auth, &fake_host, &call, &first, NULL), 0);
    assert_int_equal(auth_take(auth, &fake_host, &call, &second, NULL), 0);
    assert_true(auth_refused(auth, &first));
    expect_token(auth, "run-2");
    assert_true(auth_refused(auth, &second)); /* the same old token: there is a newer one */
    expect_token(auth, "run-2");
    auth_ticket_free(auth, &first);
    auth_ticket_free(auth, &second);
    auth_free(auth);
    free_config(&config);
}

static void *take_one(void *arg)
{
    expect_token(arg, "run-1");
    return NULL;
}

static void many_threads_run_the_plugin_once(void **state)
{
    struct kubecontext config = counting_config(*state, "");
    struct auth *auth = make_auth(&config);
    pthread_t threads[8];
    char *runs;

    for (size_t i = 0; i < ELEMENTS(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_one, auth), 0);
    for (size_t i = 0; i < ELEMENTS(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    runs = read_back(*state, "runs");
    assert_string_equal(runs, "x\n");
    free(runs);
    auth_free(auth);
    free_config(&config);
}

static char *plugin_with_certificate(void)
{
    const struct pki_request request = {.subject = "client", .from = -PKI_DAY, .to = PKI_DAY};
    struct pki pki = pki_make(&request);
    char *cert = pki_cert_pem(pki.cert), *key = pki_key_pem(pki.key), *script;
    json_t *answer = json_pack("{s:s, s:s, s:{s:s, s:s}}", "kind", "ExecCredential", "apiVersion",
                               V1, "status", "clientCertificateData", cert, "clientKeyData", key);
    char *text = json_dumps(answer, 0);

    assert_true(asprintf(&script, "#!/bin/sh\ncat <<'.'\n%s\n.\n", text) > 0);
    free(text);
    json_decref(answer);
    free(cert);
    free(key);
    pki_free(&pki);
    return script;
}

static void a_new_certificate_gives_a_new_client_while_the_old_one_is_in_use(void **state)
{
    char *script = plugin_with_certificate();
    struct kubecontext config = plugin_config(*state, script, NULL);
    struct auth *auth = make_auth(&config);
    struct casb_call call = {INT64_MAX, -1};
    struct auth_ticket first = {0}, same = {0}, other = {0};
    char *again = plugin_with_certificate();

    assert_int_equal(auth_take(auth, &fake_host, &call, &first, NULL), 0);
    assert_null(first.authorization);
    assert_true(auth_refused(auth, &first));
    assert_int_equal(auth_take(auth, &fake_host, &call, &same, NULL), 0);
    assert_ptr_equal(same.http, first.http);
    put(*state, "plugin", again);
    assert_true(auth_refused(auth, &same));
    assert_int_equal(auth_take(auth, &fake_host, &call, &other, NULL), 0);
    assert_ptr_not_equal(other.http, first.http);
    auth_ticket_free(auth, &first);
    auth_ticket_free(auth, &same);
    auth_ticket_free(auth, &other);
    auth_free(auth);
    free_config(&config);
    free(script);
    free(again);
}

static void a_waiting_thread_can_be_cancelled(void **state)
{
    struct kubecontext config = plugin_config(*state, "#!/bin/sh\nsleep 60\n", NULL);
    struct auth *auth = make_auth(&config);
    struct casb_call call = fake_call();
    struct auth_ticket ticket = {0};
    struct casb_error err = {0};
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "", 1), 1);
    call.cancel_fd = fds[0];
    assert_int_equal(auth_take(auth, &fake_host, &call, &ticket, &err), CASB_ECANCELLED);
    close(fds[0]);
    close(fds[1]);
    auth_free(auth);
    free_config(&config);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_inline_token_never_changes),
        TEST(a_token_file_is_read_again_after_a_minute),
        TEST(a_token_from_a_pipe_is_read_once),
        TEST(the_old_token_stays_when_the_file_is_gone_or_empty),
        TEST(a_readable_token_file_goes_over_the_inline_token),
        TEST(a_token_file_that_is_not_there_is_an_error),
        TEST(a_token_cannot_carry_another_header),
        TEST(a_401_makes_the_token_file_be_read_again),
        TEST(in_a_cluster_the_account_is_used_and_its_token_rotates),
        TEST(credentials_are_parsed),
        TEST(expirations_are_rfc_3339),
        TEST(a_plugin_gets_arguments_and_environment_without_a_shell),
        TEST(what_a_plugin_says_goes_to_the_log),
        TEST(a_plugin_may_print_up_to_a_megabyte),
        TEST(a_missing_plugin_is_named_with_its_hint),
        TEST(a_credential_without_expiry_lasts),
        TEST(a_credential_may_be_good_for_thousands_of_years),
        TEST(a_credential_is_renewed_before_it_expires),
        TEST(a_401_makes_the_plugin_run_again_once),
        TEST(many_threads_run_the_plugin_once),
        TEST(a_new_certificate_gives_a_new_client_while_the_old_one_is_in_use),
        TEST(a_waiting_thread_can_be_cancelled),
        TEST(a_plugin_without_its_loader_is_told_apart_from_a_missing_one),
    };
    /* valgrind cannot go on from an exec that fails: the last one is not for it */
    size_t count = ELEMENTS(tests) - (getenv("UNDER_VALGRIND") ? 1 : 0);

    return _cmocka_run_group_tests("tests", tests, count, NULL, NULL);
}
