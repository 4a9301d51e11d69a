/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whichever allocation fails: an error comes out, nothing leaks, and what was there stays usable.
 * The linker wraps what allocates in the code under test.
 */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "common/kube/access.h"
#include "common/kube/auth.h"
#include "common/kube/calls.h"
#include "common/kube/exec.h"
#include "common/kube/kube.h"
#include "common/kube/kubeconfig.h"
#include "common/kube/listreader.h"
#include "common/kube/watch.h"

#include <errno.h>
#include <unistd.h>

static long countdown; /* allocations until one fails; 0: none does */

static bool is_failing(void)
{
    if (countdown == 0 || --countdown > 0)
        return false;
    errno = ENOMEM;
    return true;
}

#define WRAP(type, name, parameters, arguments)                                                    \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return is_failing() ? NULL : __real_##name arguments;                                      \
    }

WRAP(void *, malloc, (size_t size), (size))
WRAP(void *, calloc, (size_t n, size_t size), (n, size))
WRAP(void *, realloc, (void *p, size_t size), (p, size))
WRAP(char *, strdup, (const char *s), (s))
WRAP(char *, strndup, (const char *s, size_t n), (s, n))

static void drop_log(const struct casb_host *host, enum casb_level level, const char *node,
                     const char *text)
{
    (void)host;
    (void)level;
    (void)node;
    (void)text;
}

static const struct casb_host host = {.size = sizeof host, .log = drop_log};

typedef int attempt_fn(struct casb_error *err);

/* Fails each allocation in turn until one attempt gets by without. */
static void exhaust(attempt_fn *attempt)
{
    int r = 1;

    for (long n = 1; r; n++) {
        struct casb_error err = {0};

        countdown = n;
        r = attempt(&err);
        if (r == 0 && countdown == 0)
            r = 1; /* the failed one was not needed: a log line, a counter */
        else if (r && err.code != CASB_ENOMEM)
            fail_msg("allocation %ld: %d, %s", n, err.code, err.text);
        countdown = 0;
        assert_true(n < 10000);
    }
}

static int load_case(const char *name, struct casb_error *err)
{
    const struct kubeconfig_env env = {.kubeconfig = "a.yaml"};
    struct kubecontext *config = NULL;
    char path[128], dir[1024];
    int r;

    snprintf(path, sizeof path, "kubeconfig/%s", name);
    assert_int_equal(chdir(unit_data(dir, sizeof dir, path)), 0);
    r = kubeconfig_load(&host, &(struct kube_settings){0}, &env, &config, err);
    assert_true(!config == !!r);
    kubecontext_free(config);
    return r;
}

static int load_exec(struct casb_error *err)
{
    return load_case("exec_gets_cluster_info_when_it_asks", err);
}

static int load_data(struct casb_error *err)
{
    return load_case("data_goes_over_files_with_a_warning", err);
}

static int load_impersonation(struct casb_error *err)
{
    return load_case("impersonation_becomes_headers", err);
}

static void kubeconfig_without_memory(void **state)
{
    (void)state;
    exhaust(load_exec);
    exhaust(load_data);
    exhaust(load_impersonation);
}

static int take_ticket(struct casb_error *err)
{
    const struct kubecontext config = {.server = (char *)"https://x", .token = (char *)"t0ken"};
    struct casb_call call = {INT64_MAX, -1};
    struct auth_ticket ticket = {0};
    struct auth *auth = NULL;
    int r = auth_new(&host, &config, &auth, err);

    if (!r)
        r = auth_take(auth, &host, &call, &ticket, err);
    if (auth)
        auth_ticket_free(auth, &ticket);
    auth_free(auth);
    return r;
}

static void credentials_without_memory(void **state)
{
    (void)state;
    exhaust(take_ticket);
}

static int share_access(struct casb_error *err)
{
    const struct kubeconfig_env env = {.kubeconfig = "a.yaml", .home = "/home/somebody"};
    const struct kube_settings settings = {.context = "dev"};
    struct access *access = NULL;
    char dir[1024];
    int r;

    assert_int_equal(
        chdir(unit_data(dir, sizeof dir, "kubeconfig/the_context_gives_the_namespace")), 0);
    r = access_take(&host, &settings, &env, &access, err);
    assert_true(!access == !!r);
    if (access)
        access_give_back(&host, access);
    return r;
}

static void an_access_without_memory(void **state)
{
    (void)state;
    exhaust(share_access);
}

static int parse_credential(struct casb_error *err)
{
    static const char text[] = "{\"kind\":\"ExecCredential\",\"apiVersion\":\"v\",\"status\":"
                               "{\"token\":\"t\",\"clientCertificateData\":\"C\","
                               "\"clientKeyData\":\"K\"}}";
    struct exec_credential credential = {0};
    int r = exec_parse(text, sizeof text - 1, "v", &credential, err);

    exec_credential_free(&credential);
    return r;
}

static void a_plugins_answer_without_memory(void **state)
{
    (void)state;
    exhaust(parse_credential);
}

static int stop(const json_t *object, bool deleted, void *arg)
{
    (void)object;
    (void)arg;
    return deleted;
}

static int watch_some(struct casb_error *err)
{
    static const char text[] =
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"resourceVersion\":\"1\"}}}\n"
        "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"resourceVersion\":\"2\"}}}\n";
    struct watch_stream stream = {.event = stop, .pending = BUF_INIT(1024), .retry_ns = -1};

    if (!watch_stream_feed(&stream, text, 10))
        watch_stream_feed(&stream, text + 10, sizeof text - 11);
    buf_free(&stream.pending);
    *err = stream.err;
    assert_true(stream.ended);
    return stream.result == true ? 0 : stream.result;
}

static void a_watch_without_memory(void **state)
{
    (void)state;
    exhaust(watch_some);
}

/* A file of an API server's, read before memory runs out. */
struct sample {
    char data[32 * 1024];
    size_t len;
};

static void load(struct sample *sample, const char *name)
{
    char path[1024];
    FILE *file = fopen(unit_data(path, sizeof path, name), "rb");

    assert_non_null(file);
    sample->len = fread(sample->data, 1, sizeof sample->data, file);
    fclose(file);
}

static struct sample sample;

static int keep_none(const json_t *item, void *arg)
{
    (void)item;
    (void)arg;
    return 0;
}

static int read_list(struct casb_error *err)
{
    struct listreader reader = {.each = keep_none, .err = err};
    int r = listreader_feed(&reader, sample.data, 1000);

    if (!r)
        r = listreader_feed(&reader, sample.data + 1000, sample.len - 1000);
    if (!r)
        r = listreader_end(&reader);
    listreader_free(&reader);
    return r;
}

static void lists_without_memory(void **state)
{
    static const char *const names[] = {"list/nodes.pb", "list/configmaps.json"};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(names); i++) {
        load(&sample, names[i]);
        exhaust(read_list);
    }
}

static int watch_frames(struct casb_error *err)
{
    struct watch_stream stream = {.event = stop, .pending = BUF_INIT(32 * 1024), .retry_ns = -1};

    for (size_t at = 0; at < sample.len && !stream.ended; at += 1000)
        watch_stream_feed(&stream, sample.data + at,
                          sample.len - at < 1000 ? sample.len - at : 1000);
    buf_free(&stream.pending);
    *err = stream.err;
    return stream.result == true ? 0 : stream.result;
}

static void frames_without_memory(void **state)
{
    (void)state;
    load(&sample, "watch/protobuf");
    exhaust(watch_frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kubeconfig_without_memory),
        cmocka_unit_test(credentials_without_memory),
        cmocka_unit_test(an_access_without_memory),
        cmocka_unit_test(a_plugins_answer_without_memory),
        cmocka_unit_test(a_watch_without_memory),
        cmocka_unit_test(lists_without_memory),
        cmocka_unit_test(frames_without_memory),
    };

    json_set_alloc_funcs(malloc, free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
