/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "fake_api.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "common/kube/client.h"
#include "common/kube/kubeconfig.h"
#include "sandbox/pki.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>

#define REQUESTS_MAX 64

/* A request that is still arriving. */
struct pending {
    struct fake_request request;
    bool begun;
};

struct fake_api {
    struct MHD_Daemon *daemon;
    const struct fake_reply *script;
    size_t script_len;
    pthread_mutex_t lock; /* guards what follows */
    size_t count;
    struct fake_request requests[REQUESTS_MAX];
    unsigned port;
    char *cert, *key;
};

char fake_log[512];

static void keep_log(const struct casb_host *host, enum casb_level level, const char *node,
                     const char *text)
{
    (void)host;
    (void)node;
    if (level == CASB_WARN)
        snprintf(fake_log, sizeof fake_log, "%s", text);
}

const struct casb_host fake_host = {.size = sizeof fake_host, .log = keep_log};

struct casb_call fake_call(void)
{
    return (struct casb_call){clock_now_ns() + 60 * CLOCK_S, -1};
}

static char *header(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);

    return value ? strdup(value) : NULL;
}

/* The URI as it was sent: MHD would decode its query. */
static void *keep_uri(void *arg, const char *uri, struct MHD_Connection *connection)
{
    struct pending *pending = calloc(1, sizeof *pending);

    (void)arg;
    (void)connection;
    pending->request.line = strdup(uri);
    pending->request.body = strdup("");
    return pending;
}

static void free_request(struct fake_request *request)
{
    free(request->line);
    free(request->authorization);
    free(request->impersonate);
    free(request->type);
    free(request->accept);
    free(request->body);
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct pending *pending = *context;

    (void)arg;
    (void)connection;
    (void)code;
    if (pending) {
        free_request(&pending->request);
        free(pending);
    }
}

/* What a reply's body comes from. */
struct source {
    const struct fake_reply *reply;
    size_t len;
};

static ssize_t feed(void *arg, uint64_t pos, char *out, size_t max)
{
    const struct source *source = arg;
    size_t left = source->len - (size_t)pos;

    if (!left)
        return source->reply->cut ? MHD_CONTENT_READER_END_WITH_ERROR
                                  : MHD_CONTENT_READER_END_OF_STREAM;
    if (left > max)
        left = max;
    if (source->reply->chop)
        left = 1;
    memcpy(out, source->reply->body + pos, left);
    return (ssize_t)left;
}

static enum MHD_Result answer(struct MHD_Connection *connection, const struct fake_reply *reply)
{
    struct MHD_Response *response;
    struct source *source;
    enum MHD_Result r;

    if (!reply->status)
        return MHD_NO;
    source = calloc(1, sizeof *source);
    source->reply = reply;
    source->len = reply->len ? reply->len : strlen(reply->body ? reply->body : "");
    response = MHD_create_response_from_callback(
        reply->cut || reply->chop ? MHD_SIZE_UNKNOWN : source->len, 4096, feed, source, free);
    MHD_add_response_header(response, "Content-Type",
                            reply->type ? reply->type : "application/json");
    if (reply->retry_after)
        MHD_add_response_header(response, "Retry-After", reply->retry_after);
    r = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return r;
}

/* Moves the request over; gives the reply that is its turn. */
static const struct fake_reply *keep_request(struct fake_api *api, struct fake_request *request)
{
    static const struct fake_reply over = {.status = 418, .body = "the script is over"};
    const struct fake_reply *reply;

    pthread_mutex_lock(&api->lock);
    reply = api->count < api->script_len ? &api->script[api->count] : &over;
    if (api->count < REQUESTS_MAX) {
        api->requests[api->count++] = *request;
        *request = (struct fake_request){0};
    }
    pthread_mutex_unlock(&api->lock);
    return reply;
}

static void begin_request(struct pending *pending, struct MHD_Connection *connection,
                          const char *method)
{
    struct fake_request *request = &pending->request;
    char *uri = request->line;

    pending->begun = true;
    if (asprintf(&request->line, "%s %s", method, uri) < 0)
        abort();
    free(uri);
    request->authorization = header(connection, "Authorization");
    request->impersonate = header(connection, "Impersonate-User");
    request->type = header(connection, "Content-Type");
    request->accept = header(connection, "Accept");
}

static void grow_body(struct fake_request *request, const char *data, size_t len)
{
    char *before = request->body;

    if (asprintf(&request->body, "%s%.*s", before, (int)len, data) < 0)
        abort();
    free(before);
}

/* MHD calls it once with the headers, then with each piece of the body, then with nothing. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **context)
{
    struct pending *pending = *context;

    (void)url;
    (void)version;
    if (!pending->begun) {
        begin_request(pending, connection, method);
        return MHD_YES;
    }
    if (*len) {
        grow_body(&pending->request, data, *len);
        *len = 0;
        return MHD_YES;
    }
    return answer(connection, keep_request(arg, &pending->request));
}

static void make_certificate(struct fake_api *api)
{
    const struct pki_request request = {.subject = "fake-api",
                                        .alt_name = "IP:127.0.0.1",
                                        .is_ca = true,
                                        .from = -PKI_DAY,
                                        .to = PKI_DAY};
    struct pki pki = pki_make(&request);

    api->cert = pki_cert_pem(pki.cert);
    api->key = pki_key_pem(pki.key);
    pki_free(&pki);
}

struct fake_api *fake_api_start(const struct fake_reply *script, size_t count)
{
    struct fake_api *api = calloc(1, sizeof *api);
    const union MHD_DaemonInfo *info;
    struct sockaddr_in any = {.sin_family = AF_INET};

    assert_non_null(api);
    api->script = script;
    api->script_len = count;
    pthread_mutex_init(&api->lock, NULL);
    make_certificate(api);
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    api->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS, 0, NULL, NULL,
                                   on_request, api, MHD_OPTION_SOCK_ADDR, &any,
                                   MHD_OPTION_HTTPS_MEM_KEY, api->key, MHD_OPTION_HTTPS_MEM_CERT,
                                   api->cert, MHD_OPTION_URI_LOG_CALLBACK, keep_uri, NULL,
                                   MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    assert_non_null(api->daemon);
    info = MHD_get_daemon_info(api->daemon, MHD_DAEMON_INFO_BIND_PORT);
    api->port = info->port;
    fake_log[0] = 0;
    return api;
}

void fake_api_stop(struct fake_api *api)
{
    MHD_stop_daemon(api->daemon);
    for (size_t i = 0; i < api->count; i++)
        free_request(&api->requests[i]);
    pthread_mutex_destroy(&api->lock);
    free(api->cert);
    free(api->key);
    free(api);
}

size_t fake_api_count(struct fake_api *api)
{
    size_t count;

    pthread_mutex_lock(&api->lock);
    count = api->count;
    pthread_mutex_unlock(&api->lock);
    return count;
}

const struct fake_request *fake_api_request(struct fake_api *api, size_t i)
{
    assert_true(i < fake_api_count(api));
    return &api->requests[i];
}

static char *kubeconfig_text(const struct fake_api *api, const char *user)
{
    char *text;

    assert_true(asprintf(&text,
                         "current-context: x\n"
                         "clusters: [{name: x, cluster: {server: \"https://127.0.0.1:%u\", "
                         "certificate-authority: ca.crt}}]\n"
                         "users: [{name: x, user: %s}]\n"
                         "contexts: [{name: x, context: {cluster: x, user: x, namespace: ns}}]\n",
                         api->port, user) > 0);
    return text;
}

static void put(const char *dir, const char *name, const char *text)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(file_write(path, text, strlen(text), 0600, NULL), 0);
}

static struct kube *open_client(const char *kubeconfig, const struct kubeconfig_env *env)
{
    const struct kube_settings settings = {.kubeconfig = kubeconfig};
    struct casb_error err = {0};
    struct kube *kube = NULL;

    if (client_open(&fake_host, &settings, env, &kube, &err))
        fail_msg("%s", err.text);
    return kube;
}

struct kube *fake_api_client(struct fake_api *api, const char *user)
{
    const struct kubeconfig_env env = {0};
    char *text = kubeconfig_text(api, user);
    char path[256], *dir;
    struct kube *kube;

    assert_int_equal(file_private_dir("fake-api", 0, &dir, NULL), 0);
    put(dir, "ca.crt", api->cert);
    put(dir, "config", text);
    snprintf(path, sizeof path, "%s/config", dir);
    kube = open_client(path, &env);
    file_remove_tree(dir, NULL);
    free(dir);
    free(text);
    return kube;
}

void fake_api_put_account(const struct fake_api *api, const char *dir, const char *token)
{
    put(dir, "ca.crt", api->cert);
    put(dir, "token", token);
    put(dir, "namespace", "backup\n");
}

struct kube *fake_api_pod_client(struct fake_api *api, const char *dir)
{
    char port[8];
    const struct kubeconfig_env env = {
        .service_host = "127.0.0.1",
        .service_port = port,
        .account_dir = dir,
    };

    snprintf(port, sizeof port, "%u", api->port);
    return open_client(NULL, &env);
}
