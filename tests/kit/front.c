/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/front.h"

#include "base/buf.h"

#include <err.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <string.h>

#define BODY_BYTES (1024 * 1024)

/* Whom requests go to. */
struct front {
    struct MHD_Daemon *daemon;
    front_handler_fn *handler;
    void *arg;
};

/* A request that arrives. */
struct arrival {
    bool begun, too_large;
    char *path;
    struct buf body;
};

/* The path as it was sent; what libmicrohttpd gives later is decoded. */
static void *begin(void *arg, const char *uri, struct MHD_Connection *connection)
{
    struct arrival *arrival = calloc(1, sizeof *arrival);

    (void)arg;
    (void)connection;
    if (!arrival || !(arrival->path = strdup(uri)))
        errx(3, "out of memory");
    arrival->body = BUF_INIT(BODY_BYTES);
    return arrival;
}

static void end(void *arg, struct MHD_Connection *connection, void **context,
                enum MHD_RequestTerminationCode code)
{
    struct arrival *arrival = *context;

    (void)arg;
    (void)connection;
    (void)code;
    if (!arrival)
        return;
    buf_free_secret(&arrival->body);
    free(arrival->path);
    free(arrival);
    *context = NULL;
}

static enum MHD_Result add_header(void *headers, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    (void)kind;
    json_object_set_new(headers, name, json_string(value ? value : ""));
    return MHD_YES;
}

static bool has_client_certificate(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned count = 0;

    return info && gnutls_certificate_get_peers(info->tls_session, &count) && count > 0;
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct front_reply *reply)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->len, reply->body, MHD_RESPMEM_MUST_FREE);
    enum MHD_Result r;
    const char *name;
    json_t *value;

    if (!response)
        errx(3, "out of memory");
    json_object_foreach (reply->headers, name, value)
        MHD_add_response_header(response, name, json_string_value(value));
    r = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    json_decref(reply->headers);
    return r;
}

static enum MHD_Result answer(const struct front *front, struct MHD_Connection *connection,
                              const char *method, const struct arrival *arrival)
{
    json_auto_t *headers = json_object();
    struct front_reply reply = {.status = 413};
    const struct front_request request = {
        .method = method,
        .path = arrival->path,
        .headers = headers,
        .body = buf_text(&arrival->body),
        .len = arrival->body.len,
        .client_certificate = has_client_certificate(connection),
    };

    MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, headers);
    if (!arrival->too_large)
        front->handler(&request, &reply, front->arg);
    return send_reply(connection, &reply);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **context)
{
    struct arrival *arrival = *context;

    (void)path;
    (void)version;
    if (!arrival->begun) {
        arrival->begun = true;
        return MHD_YES;
    }
    if (*len) {
        arrival->too_large |= buf_append_cut(&arrival->body, data, *len) > 0;
        *len = 0;
        return MHD_YES;
    }
    return answer(arg, connection, method, arrival);
}

struct front *front_open(int fd, const struct front_tls *tls, front_handler_fn *handler, void *arg)
{
    const unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                           MHD_USE_POLL | MHD_USE_TLS;
    struct front *front = calloc(1, sizeof *front);

    if (!front)
        errx(3, "out of memory");
    *front = (struct front){NULL, handler, arg};
    front->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, on_request, front, MHD_OPTION_LISTEN_SOCKET, fd,
                         MHD_OPTION_HTTPS_MEM_KEY, tls->key, MHD_OPTION_HTTPS_MEM_CERT, tls->chain,
                         MHD_OPTION_HTTPS_MEM_TRUST, tls->client, MHD_OPTION_URI_LOG_CALLBACK,
                         begin, NULL, MHD_OPTION_NOTIFY_COMPLETED, end, NULL, MHD_OPTION_END);
    if (!front->daemon)
        errx(3, "the server cannot be started");
    return front;
}

void front_close(struct front *front)
{
    MHD_stop_daemon(front->daemon);
    free(front);
}
