/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for a Kubernetes cluster: the API that the tool uses, with a scheduler's and
 * kubelets' behaviour, and with faults on request.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/jsonx.h"
#include "sandbox/kube_api.h"
#include "sandbox/kube_fault.h"
#include "sandbox/kube_kubelet.h"
#include "sandbox/kube_proto.h"
#include "sandbox/kube_watch.h"
#include "sandbox/owner.h"
#include "sandbox/pki.h"
#include "sandbox/server.h"

#include <err.h>
#include <getopt.h>
#include <microhttpd.h>
#include <signal.h>
#include <string.h>

#define TOKEN      "sandbox"
#define PROTO_TYPE "application/vnd.kubernetes.protobuf"
#define BODY_BYTES (4 * 1024 * 1024)
#define TEXT_BYTES (256 * 1024 * 1024)
#define BLOCK_SIZE (64 * 1024)

static const char usage[] =
    "usage: kube --dir FOLDER [OPTIONS]\n"
    "\n"
    "A stand-in for a Kubernetes cluster. Writes FOLDER/kubeconfig. It begins without nodes.\n"
    "\n"
    "  --listen HOST:PORT     default 127.0.0.1:0, any free port. Once it listens, a line\n"
    "                         `listening on port PORT` goes to standard output.\n"
    "  --ready-after SECONDS  from a pod's binding until it is Ready, 0\n"
    "  --image NAME=COMMAND   what runs in pods of an image; {ip} is the pod's address\n"
    "  --deny 'VERB RESOURCE' a permission that the user lacks (\"get pods/log\")\n"
    "  --protobuf             lists and watches as Protocol Buffers for who asks for them, as API\n"
    "                         servers have them; else all is JSON, as with some gateways\n"
    "\n"
    "Beside the API: GET and DELETE /sandbox/counts (requests by verb and resource),\n"
    "PUT /sandbox/faults (see kube_fault.h), POST /sandbox/compact (forget the past: 410).\n"
    "How a node's kubelet behaves is told by annotations of the node: see kube_kubelet.h.\n";

struct kube {
    struct api api;
    json_t *faults;
    struct kubelet kubelet;
    const char *folder, *listen;
    bool protobuf;
};

/* A request that is arriving. */
struct exchange {
    char *uri; /* as it was sent */
    bool begun;
    struct buf body;
};

/* An answer that is being sent. */
struct stream {
    struct watch *watch; /* where its text comes from; NULL: it is all there */
    struct buf text;
    size_t sent; /* of the text */
    bool proto;  /* it is Protocol Buffers */
    long cut;    /* bytes until the connection breaks; -1: never */
};

/* ---- sending */

static void stream_free(void *arg)
{
    struct stream *stream = arg;

    watch_free(stream->watch);
    buf_free(&stream->text);
    free(stream);
}

static ssize_t send_some(void *arg, uint64_t pos, char *out, size_t max)
{
    struct stream *stream = arg;
    size_t len;

    if (stream->cut >= 0 && pos >= (uint64_t)stream->cut)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (stream->sent == stream->text.len) {
        buf_reset(&stream->text);
        stream->sent = 0;
        if (!stream->watch || !watch_next(stream->watch, &stream->text))
            return MHD_CONTENT_READER_END_OF_STREAM;
    }
    len = stream->text.len - stream->sent;
    if (stream->cut >= 0 && len > (uint64_t)stream->cut - pos)
        len = (size_t)((uint64_t)stream->cut - pos);
    if (len > max)
        len = max;
    memcpy(out, stream->text.data + stream->sent, len);
    stream->sent += len;
    return (ssize_t)len;
}

static enum MHD_Result send_stream(struct MHD_Connection *connection, const struct api_reply *reply,
                                   struct stream *stream)
{
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK_SIZE, send_some, stream, stream_free);
    char seconds[16];
    enum MHD_Result r;

    MHD_add_response_header(response, "Content-Type",
                            reply->html     ? "text/html"
                            : reply->text   ? "text/plain"
                            : stream->proto ? PROTO_TYPE
                                            : "application/json");
    if (reply->retry_after) {
        snprintf(seconds, sizeof seconds, "%d", reply->retry_after);
        MHD_add_response_header(response, "Retry-After", seconds);
    }
    r = MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
    return r;
}

/* ---- doing */

static const char *lookup_query(void *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
}

/* What steers the sandbox. False: it is a request for the API. */
static bool do_sandbox(struct kube *kube, const struct api_request *request,
                       struct api_reply *reply)
{
    bool get = strcmp(request->method, "GET") == 0;

    if (strncmp(request->path, "/sandbox/", 9) != 0)
        return false;
    reply->status = 200;
    if (strcmp(request->path, "/sandbox/counts") == 0) {
        reply->body = json_copy(kube->api.counts);
        if (!get)
            json_object_clear(kube->api.counts);
    } else if (strcmp(request->path, "/sandbox/faults") == 0 && json_is_array(request->body)) {
        json_decref(kube->faults);
        kube->faults = json_deep_copy(request->body);
    } else if (strcmp(request->path, "/sandbox/compact") == 0) {
        store_compact(&kube->api.store);
    } else {
        api_fail(reply, 404, "NotFound", "the sandbox has no such resource");
    }
    return true;
}

/* What is created is what admission made of it. The caller frees it. */
static json_t *admit(const struct api_request *request, const json_t *patch)
{
    json_t *object = json_deep_copy(request->body);

    if (patch && strcmp(request->method, "POST") == 0 && jsonx_merge_patch(&object, patch) < 0)
        errx(3, "sandbox: out of memory");
    return object;
}

/* Does the request as far as the fault lets it, and then answers as the fault wants it. */
static void do_request(struct kube *kube, struct api_request *request, const struct fault *fault,
                       struct api_reply *reply)
{
    bool hindered = fault->status || fault->text || fault->garbage || fault->cut == 0;
    json_auto_t *body = admit(request, fault->admit);

    request->body = body;
    if (fault->compact)
        store_compact(&kube->api.store);
    if (!hindered || fault->done || fault->event)
        api_do(&kube->api, request, reply);
    if (fault->status) {
        reply->watch = fault->event;
        api_fail(reply, fault->status, fault->reason ? fault->reason : "Sandbox", "%s",
                 fault->message ? fault->message : "the sandbox was told to fail");
        reply->retry_after = fault->retry_after;
    }
    if (fault->text) {
        json_decref(TAKE_PTR(reply->body));
        free(reply->text);
        reply->text = strdup(fault->text);
        reply->html = true;
        reply->status = fault->status ? fault->status : 200;
        reply->watch = false;
    } else if (fault->garbage) {
        json_decref(reply->body);
        reply->status = 200;
        reply->body = json_string("\xc3\xa4 not what you asked for");
        reply->watch = false;
    }
}

static void fill_stream(struct kube *kube, const struct api_request *request,
                        const struct fault *fault, struct api_reply *reply, struct stream *stream)
{
    _cleanup_(freep) char *text = NULL;
    bool proto = kube->protobuf && request->accept && strstr(request->accept, PROTO_TYPE);

    if (reply->watch) {
        stream->proto = proto;
        stream->watch = watch_new(&kube->api.store, request, fault->mute, reply->body, proto);
        reply->status = 200;
        return;
    }
    stream->proto = proto && !reply->text && proto_put_object(&stream->text, reply->body);
    if (stream->proto)
        return;
    if ((reply->body && jsonx_dump(reply->body, &text, NULL) < 0) ||
        buf_puts(&stream->text, reply->text ? reply->text
                                : text      ? text
                                            : "") < 0)
        errx(3, "sandbox: out of memory");
}

static bool is_authorized(struct MHD_Connection *connection)
{
    const char *sent = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");

    return sent && strcmp(sent, "Bearer " TOKEN) == 0;
}

static enum MHD_Result answer(struct kube *kube, struct MHD_Connection *connection,
                              struct api_request *request, const struct exchange *exchange)
{
    struct stream *stream = calloc(1, sizeof *stream);
    struct api_reply reply = {0};
    struct fault fault = {.cut = -1};
    enum MHD_Result r;

    if (!stream)
        errx(3, "sandbox: out of memory");
    stream->text = BUF_INIT(TEXT_BYTES);
    pthread_mutex_lock(&kube->api.store.lock);
    if (strncmp(request->path, "/sandbox/", 9) != 0)
        fault_take(kube->faults, request->method, exchange->uri, exchange->body.len, &fault);
    if (fault.delay_ms) {
        pthread_mutex_unlock(&kube->api.store.lock);
        usleep(fault.delay_ms * 1000);
        pthread_mutex_lock(&kube->api.store.lock);
    }
    if (!is_authorized(connection))
        api_fail(&reply, 401, "Unauthorized", "Unauthorized");
    else if (!do_sandbox(kube, request, &reply))
        do_request(kube, request, &fault, &reply);
    fill_stream(kube, request, &fault, &reply, stream);
    json_decref(reply.body);
    pthread_mutex_unlock(&kube->api.store.lock);
    stream->cut = fault.cut;
    if (fault.cut == 0)
        stream_free(stream);
    r = fault.cut == 0 ? MHD_NO : send_stream(connection, &reply, stream);
    free(reply.text);
    json_decref(fault.spec);
    return r;
}

/* ---- receiving */

/* The URI as it was sent, for faults: MHD decodes it. */
static void *begin_exchange(void *arg, const char *uri, struct MHD_Connection *connection)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);

    (void)arg;
    (void)connection;
    if (!exchange)
        errx(3, "sandbox: out of memory");
    exchange->uri = strdup(uri);
    exchange->body = BUF_INIT(BODY_BYTES);
    return exchange;
}

static void end_exchange(void *arg, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *context;

    (void)arg;
    (void)connection;
    (void)code;
    if (!exchange)
        return;
    free(exchange->uri);
    buf_free(&exchange->body);
    free(exchange);
}

/* MHD calls it once with the headers, then with each piece of the body, then with nothing. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **context)
{
    struct exchange *exchange = *context;
    json_auto_t *body = NULL;
    struct api_request request = {
        .method = method,
        .path = path,
        .type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type"),
        .accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept"),
        .query = lookup_query,
        .query_arg = connection,
    };

    (void)version;
    if (!exchange->begun) {
        exchange->begun = true;
        return MHD_YES;
    }
    if (*len) {
        buf_append_cut(&exchange->body, data, *len);
        *len = 0;
        return MHD_YES;
    }
    body = json_loadb(buf_text(&exchange->body), exchange->body.len, 0, NULL);
    request.body = body;
    api_route(&request);
    return answer(arg, connection, &request, exchange);
}

/* ---- the process */

static void write_kubeconfig(const struct kube *kube, const char *cert, unsigned port)
{
    _cleanup_(freep) char *text = NULL;
    _cleanup_(freep) char *url = NULL;
    json_auto_t *config = NULL;

    if (asprintf(&url, "https://127.0.0.1:%u", port) < 0)
        errx(3, "sandbox: out of memory");
    config = json_pack(
        "{s:s, s:s, s:s, s:[{s:s, s:{s:s, s:s}}], s:[{s:s, s:{s:s}}], s:[{s:s, s:{s:s, s:s}}]}",
        "apiVersion", "v1", "kind", "Config", "current-context", "sandbox", "clusters", "name",
        "sandbox", "cluster", "server", url, "certificate-authority", "ca.crt", "users", "name",
        "sandbox", "user", "token", TOKEN, "contexts", "name", "sandbox", "context", "cluster",
        "sandbox", "user", "sandbox");
    text = json_dumps(config, JSON_INDENT(2));
    owner_write(kube->folder, "ca.crt", cert);
    owner_write(kube->folder, "kubeconfig", text);
}

static struct MHD_Daemon *open_api(struct kube *kube)
{
    const struct pki_request wanted = {
        .subject = "sandbox", .alt_name = "IP:127.0.0.1", .is_ca = true, .to = PKI_DAY};
    struct pki pki = pki_make(&wanted);
    _cleanup_(freep) char *cert = pki_cert_pem(pki.cert);
    _cleanup_(freep) char *key = pki_key_pem(pki.key);
    unsigned port, flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                           MHD_USE_POLL | MHD_USE_TLS;
    int fd = server_listen(kube->listen, &port);
    struct MHD_Daemon *daemon;

    daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, kube, MHD_OPTION_LISTEN_SOCKET, fd,
                              MHD_OPTION_HTTPS_MEM_KEY, key, MHD_OPTION_HTTPS_MEM_CERT, cert,
                              MHD_OPTION_URI_LOG_CALLBACK, begin_exchange, NULL,
                              MHD_OPTION_NOTIFY_COMPLETED, end_exchange, NULL, MHD_OPTION_END);
    if (!daemon)
        errx(3, "sandbox: the server cannot start");
    write_kubeconfig(kube, cert, port);
    pki_free(&pki);
    printf("listening on port %u\n", port);
    fflush(stdout);
    return daemon;
}

static void stop(struct kube *kube)
{
    pthread_mutex_lock(&kube->api.store.lock);
    kube->api.store.stopping = true;
    pthread_cond_broadcast(&kube->api.store.changed);
    pthread_mutex_unlock(&kube->api.store.lock);
}

static void add_image(struct kube *kube, const char *text)
{
    const char *sign = strchr(text, '=');
    char name[256];

    if (!sign)
        errx(2, "'%s' is not of the form NAME=COMMAND", text);
    snprintf(name, sizeof name, "%.*s", (int)(sign - text), text);
    json_object_set_new(kube->kubelet.images, name, json_string(sign + 1));
}

static void take_options(struct kube *kube, int argc, char **argv)
{
    static const struct option options[] = {
        {"dir", required_argument, NULL, 'd'},   {"listen", required_argument, NULL, 'l'},
        {"image", required_argument, NULL, 'i'}, {"ready-after", required_argument, NULL, 'r'},
        {"deny", required_argument, NULL, 'x'},  {"protobuf", no_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
    };
    int key;

    while ((key = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (key == 'd')
            kube->folder = optarg;
        else if (key == 'l')
            kube->listen = optarg;
        else if (key == 'i')
            add_image(kube, optarg);
        else if (key == 'r')
            kube->kubelet.ready_after_ns = (int64_t)(strtod(optarg, NULL) * (double)CLOCK_S);
        else if (key == 'x')
            json_object_set_new(kube->api.denied, optarg, json_true());
        else if (key == 'p')
            kube->protobuf = true;
        else
            kube->folder = NULL;
        if (key == 'h' || key == '?')
            break;
    }
    if (kube->folder && optind == argc)
        return;
    fputs(usage, key == 'h' ? stdout : stderr);
    exit(key == 'h' ? 0 : 2);
}

int main(int argc, char **argv)
{
    struct kube kube = {
        .api = {.counts = json_object(), .denied = json_object()},
        .faults = json_array(),
        .kubelet = {.store = &kube.api.store, .images = json_object()},
        .listen = "127.0.0.1:0",
    };
    struct MHD_Daemon *daemon;
    pthread_t kubelet;
    sigset_t signals;
    int got;

    take_options(&kube, argc, argv);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    store_init(&kube.api.store);
    if (pthread_create(&kubelet, NULL, kubelet_main, &kube.kubelet) != 0)
        errx(3, "sandbox: no thread");
    daemon = open_api(&kube);
    sigwait(&signals, &got);
    stop(&kube);
    pthread_join(kubelet, NULL);
    MHD_stop_daemon(daemon);
    store_free(&kube.api.store);
    json_decref(kube.api.counts);
    json_decref(kube.api.denied);
    json_decref(kube.faults);
    json_decref(kube.kubelet.images);
    return 0;
}
