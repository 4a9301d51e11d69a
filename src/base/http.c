/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http.h"

#include "base/cafiles.h"
#include "base/clock.h"
#include "base/httphandle.h"
#include "base/httptarget.h"
#include "base/text.h"

#include <poll.h>
#include <string.h>
#include <strings.h>

#define BODY_BYTES         (4 * 1024 * 1024)
#define ERROR_BYTES        (64 * 1024)
#define HEADER_BYTES       (256 * 1024)
#define RETRY_AFTER_MAX_S  INT32_MAX /* so that sums of nanoseconds have room */
#define LOOK_MS            1000      /* the longest sleep, whatever libcurl waits for */
#define LOOK_CONNECTING_MS 100
#define GATHER_MS          50 /* what comes meanwhile is read at once */

/* One call of http_perform(). */
struct exchange {
    const struct http_client *client;
    const struct casb_call *call;
    const struct http_request *request;
    struct http_response *response;
    struct handle *handle;
    struct casb_error *err;
    struct http_target target;
    struct curl_slist *headers, *connect_to;
    size_t header_bytes;
    int64_t deadline_ns;
    int64_t active_ns; /* when the last bytes arrived */
    bool cancelled;    /* as last looked at */
    int stopped;       /* what a callback wants as result, or 0 */
};

static void exchange_end(struct exchange *x)
{
    curl_slist_free_all(x->headers);
    curl_slist_free_all(x->connect_to);
    http_target_free(&x->target);
}

/* Appends "prefix text" to a list of libcurl's. */
static int add_line(struct exchange *x, struct curl_slist **list, const char *prefix,
                    const char *text)
{
    _cleanup_(buf_free) struct buf line = BUF_INIT(HEADER_BYTES);
    struct curl_slist *grown;
    int rc = buf_printf(&line, "%s%s", prefix, text);

    if (rc == CASB_EINVALID)
        return err_set(x->err, rc, "a header of the request is too large");
    if (rc < 0)
        return err_nomem(x->err);
    grown = curl_slist_append(*list, line.data);
    if (!grown)
        return err_nomem(x->err);
    *list = grown;
    return 0;
}

static bool has_header(const struct http_request *request, const char *name)
{
    size_t len = strlen(name);

    for (const char *const *h = request->headers; h && *h; h++)
        if (strncasecmp(*h, name, len) == 0 && (*h)[len] == ':')
            return true;
    return false;
}

/* Headers that libcurl would add by itself are emptied: it would guess a form's type. */
static int prepare_headers(struct exchange *x)
{
    int rc = 0;

    if (!x->target.https && has_header(x->request, "Authorization"))
        return err_set(x->err, CASB_EINVALID, "no credentials are sent over plain http");
    if (x->target.dial)
        rc = add_line(x, &x->connect_to, "::", x->target.dial);
    if (rc == 0 && x->target.renamed)
        rc = add_line(x, &x->headers, "Host: ", x->target.peer);
    if (rc == 0)
        rc = add_line(x, &x->headers, "Expect:", "");
    if (rc == 0)
        rc = add_line(x, &x->headers, "Content-Type:", "");
    for (const char *const *h = x->request->headers; h && *h && rc == 0; h++)
        rc = strpbrk(*h, "\r\n")
                 ? err_set(x->err, CASB_EINVALID, "a header of the request has a line break")
                 : add_line(x, &x->headers, "", *h);
    return rc;
}

/* ---- what arrives */

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
    struct exchange *x = arg;

    (void)data;
    x->active_ns = clock_now_ns();
    x->header_bytes += size * count;
    if (x->header_bytes <= HEADER_BYTES)
        return size * count;
    x->stopped = err_set(x->err, CASB_EINVALID, "the header of %s is larger than %d bytes",
                         x->target.who, HEADER_BYTES);
    return CURL_WRITEFUNC_ERROR;
}

static int keep_body(struct exchange *x, const char *data, size_t len)
{
    int rc = buf_append(&x->response->body, data, len);

    if (rc == CASB_EINVALID)
        err_set(x->err, rc, "the answer of %s is larger than %zu bytes", x->target.who,
                x->response->body.limit);
    return rc;
}

/* Of the body of a failure people read a line: what is too long is cut, and not waited for. */
static int keep_start(struct exchange *x, const char *data, size_t len)
{
    size_t room = ERROR_BYTES - x->response->body.len;

    if (buf_append_cut(&x->response->body, data, len < room ? len : room) || len > room)
        return 1;
    return 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct exchange *x = arg;
    const struct http_request *request = x->request;
    size_t len = size * count;
    long status = 0;

    curl_easy_getinfo(x->handle->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status / 100 != 2)
        x->stopped = keep_start(x, data, len);
    else if (request->on_body)
        x->stopped = request->on_body(data, len, request->arg);
    else
        x->stopped = keep_body(x, data, len);
    x->active_ns = clock_now_ns(); /* a reader's own time is no silence */
    return x->stopped ? CURL_WRITEFUNC_ERROR : len;
}

/* ---- one transfer */

/* When to give up as things stand: at the deadline, or earlier where nothing arrives. */
static int64_t give_up_ns(const struct exchange *x)
{
    int64_t idle_ns = x->request->idle_timeout_ns;

    return idle_ns && x->deadline_ns - x->active_ns > idle_ns ? x->active_ns + idle_ns
                                                              : x->deadline_ns;
}

/*
 * libcurl gives the first of several addresses half of this time, so that it must end with the
 * exchange: a second one is else never tried. With it, and not before: check_time() is to say that
 * the time is over, which to libcurl is a server that cannot be reached.
 */
static long connect_ms(const struct exchange *x)
{
    int64_t left_ns = give_up_ns(x) - clock_now_ns() + LOOK_CONNECTING_MS * CLOCK_MS;

    if (left_ns > x->client->connect_timeout_ns)
        left_ns = x->client->connect_timeout_ns;
    return left_ns > CLOCK_MS ? (long)(left_ns / CLOCK_MS) : 1;
}

/* libcurl reads it whenever it connects by TLS, unless the client has authorities of its own. */
static int check_ca_file(const struct exchange *x)
{
    const char *file = cafiles_file();
    bool needed = x->target.https && !x->client->ca_pem;

    return file && (needed || x->target.tls_proxy) ? cafiles_check_file(file, x->err) : 0;
}

static int set_request(struct exchange *x)
{
    const struct http_request *request = x->request;
    struct options o = {.easy = x->handle->easy, .err = x->err};

    SET(&o, CURLOPT_URL, x->target.url);
    SET(&o, CURLOPT_PROXY, x->target.proxy);
    SET(&o, CURLOPT_NOPROXY, ""); /* else libcurl would look into the environment */
    SET(&o, CURLOPT_CONNECT_TO, x->connect_to);
    SET(&o, CURLOPT_CONNECTTIMEOUT_MS, connect_ms(x));
    SET(&o, CURLOPT_HTTPHEADER, x->headers);
    SET(&o, CURLOPT_HTTPGET, 1L);
    if (request->body) {
        SET(&o, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
        SET(&o, CURLOPT_POSTFIELDS, request->body);
    }
    SET(&o, CURLOPT_CUSTOMREQUEST, request->method);
    /* on a kept connection that was closed before an answer libcurl repeats any request */
    SET(&o, CURLOPT_FRESH_CONNECT, request->once ? 1L : 0L);
    SET(&o, CURLOPT_HEADERFUNCTION, on_header);
    SET(&o, CURLOPT_HEADERDATA, x);
    SET(&o, CURLOPT_WRITEFUNCTION, on_body);
    SET(&o, CURLOPT_WRITEDATA, x);
    handle_set_credentials(&o, x->client, x->handle, x->target.tls_proxy);
    return o.rc ? o.rc : check_ca_file(x);
}

static int check_time(const struct exchange *x)
{
    int64_t until_ns = give_up_ns(x);

    if (x->cancelled)
        return err_set(x->err, CASB_ECANCELLED, "cancelled while waiting for %s", x->target.who);
    if (clock_now_ns() < until_ns)
        return 0;
    return err_set(x->err, CASB_ETIMEOUT,
                   until_ns < x->deadline_ns ? "%s fell silent" : "no answer from %s in time",
                   x->target.who);
}

/* libcurl sleeps past the moment at which it wants to try the next address. */
static int wait_ms(const struct exchange *x)
{
    curl_off_t connected_us = 0;
    int ms = clock_poll_ms(give_up_ns(x)), look_ms;

    curl_easy_getinfo(x->handle->easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
    look_ms = connected_us ? LOOK_MS : LOOK_CONNECTING_MS;
    return ms < look_ms ? ms : look_ms;
}

/* A look at a connection costs the same for one event as for ten. True: the call is cancelled. */
static bool gather(const struct exchange *x)
{
    struct pollfd cancel = {.fd = x->call->cancel_fd, .events = POLLIN};

    return x->request->lasting && x->header_bytes > 0 && poll(&cancel, 1, GATHER_MS) > 0;
}

/* 0: the transfer came to an end, be it a bad one, which is *ret_code. */
static int transfer(struct exchange *x, CURLcode *ret_code)
{
    struct curl_waitfd cancel = {.fd = x->call->cancel_fd, .events = CURL_WAIT_POLLIN};
    unsigned cancels = x->call->cancel_fd >= 0;
    int running = 1, left, rc;
    const CURLMsg *message;

    x->cancelled = clock_check(x->call) == CASB_ECANCELLED;
    for (;;) {
        rc = check_time(x);
        if (rc < 0)
            return rc;
        if (curl_multi_perform(x->handle->multi, &running) != CURLM_OK)
            break;
        if (!running)
            break;
        if (curl_multi_poll(x->handle->multi, &cancel, cancels, wait_ms(x), NULL) != CURLM_OK)
            break;
        x->cancelled = cancel.revents != 0 || gather(x);
    }
    message = curl_multi_info_read(x->handle->multi, &left);
    if (running || !message)
        return err_set(x->err, CASB_EFAILED, "libcurl gave up the transfer");
    *ret_code = message->data.result;
    return 0;
}

static int fail_certificate(const struct exchange *x, const char *reason)
{
    const struct handshake *h = &x->handle->handshake;

    if (h->problem[0])
        return err_set(x->err, CASB_EDENIED, "the certificate of %s %s", x->target.who, h->problem);
    if (h->names[0])
        return err_set(x->err, CASB_EDENIED, "the certificate of %s is for another name (%s): %s",
                       x->target.who, h->names, reason);
    return err_set(x->err, CASB_EDENIED, "the certificate of %s: %s", x->target.who, reason);
}

/* Within a proxy's TLS libcurl loses OpenSSL's word for it. */
static bool is_verdict(const struct exchange *x, CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION ||
           (code == CURLE_SSL_CONNECT_ERROR && !x->client->insecure &&
            x->handle->handshake.problem[0]);
}

static int fail_transfer(const struct exchange *x, CURLcode code)
{
    char reason[CURL_ERROR_SIZE];

    text_clean(reason, sizeof reason,
               x->handle->error[0] ? x->handle->error : curl_easy_strerror(code));
    if (is_verdict(x, code))
        return fail_certificate(x, reason);
    if (handshake_is_denial(x->handle->handshake.alert))
        return err_set(x->err, CASB_EDENIED, "%s %s: %s", x->target.who,
                       x->client->cert_pem ? "refused our certificate"
                                           : "may want a client certificate",
                       reason);
    switch (code) {
    case CURLE_OUT_OF_MEMORY:
        return err_nomem(x->err);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
        return err_set(x->err, CASB_EINVALID, "%s: %s", x->target.who, reason);
    default:
        return err_set(x->err, CASB_EUNREACHABLE, "%s: %s", x->target.who, reason);
    }
}

/*
 * Seconds only, as for client-go. A date, from which libcurl would make seconds by our clock, is
 * for people at a browser: it may be years ahead.
 */
static int64_t retry_after_ns(CURL *easy)
{
    struct curl_header *header;
    int64_t seconds;

    if (curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1, &header) != CURLHE_OK ||
        text_parse_int(header->value, 0, INT64_MAX, &seconds))
        return -1;
    return (seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S) * CLOCK_S;
}

static void read_status(const struct exchange *x)
{
    struct http_response *response = x->response;
    long status = 0;

    curl_easy_getinfo(x->handle->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(x->handle->easy, CURLINFO_NUM_CONNECTS, &response->connections);
    response->answered = status >= 200;
    response->status = response->answered ? (int)status : 0;
    response->retry_after_ns = retry_after_ns(x->handle->easy);
}

static int run(struct exchange *x)
{
    struct handle *handle = x->handle;
    CURLcode code = CURLE_OK;
    int rc;

    handle->error[0] = '\0';
    handle->handshake = (struct handshake){0};
    x->active_ns = clock_now_ns();
    x->deadline_ns = x->request->timeout_ns ? clock_deadline(x->call, x->request->timeout_ns)
                                            : x->call->deadline_ns;
    rc = set_request(x);
    if (rc < 0)
        return rc;
    if (curl_multi_add_handle(handle->multi, handle->easy) != CURLM_OK)
        return err_set(x->err, CASB_EFAILED, "libcurl refuses the transfer");
    rc = transfer(x, &code);
    read_status(x);
    curl_multi_remove_handle(handle->multi, handle->easy);
    if (rc < 0 || code == CURLE_OK)
        return rc;
    if (x->stopped > 0)
        return 0;
    if (x->stopped < 0)
        return err_set(x->err, x->stopped, "the answer of %s was not taken", x->target.who);
    return fail_transfer(x, code);
}

int http_perform(struct http_client *client, const struct casb_call *call,
                 const struct http_request *request, struct http_response *ret,
                 struct casb_error *err)
{
    _cleanup_(exchange_end) struct exchange x = {
        .client = client,
        .call = call,
        .request = request,
        .response = ret,
        .err = err,
    };
    int rc;

    *ret = (struct http_response){
        .retry_after_ns = -1,
        .body = BUF_INIT(request->limit_bytes ? request->limit_bytes : BODY_BYTES),
    };
    rc = http_target_find(client, request->url, &x.target, err);
    if (rc == 0)
        rc = prepare_headers(&x);
    if (rc == 0)
        rc = handle_take(client, call, request->lasting, &x.handle, err);
    if (rc < 0)
        return rc;
    rc = run(&x);
    /* Where a server is gone, all its connections are dead. */
    if (rc < 0)
        handle_drop(client, x.handle);
    else
        handle_give_back(client, x.handle);
    return rc;
}

void http_response_free(struct http_response *response)
{
    buf_free(&response->body);
}

int http_encode(struct buf *out, const char *text)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";
    int rc = 0;

    for (; *text && rc == 0; text++)
        rc = strchr(unreserved, *text) ? buf_append(out, text, 1)
                                       : buf_printf(out, "%%%02X", (unsigned char)*text);
    return rc;
}
