/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http.h"

#include "base/clock.h"
#include "base/httpclient.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

#define BODY_BYTES   (64 * 1024 * 1024)
#define HEADER_BYTES (256 * 1024)
#define PEER_SIZE    300 /* a DNS name and a port */

/* One call of http_perform(). */
struct exchange {
    const struct http_client *client;
    const struct casb_call *call;
    const struct http_request *request;
    struct http_response *response;
    struct handle *handle;
    struct casb_error *err;
    CURLU *url;
    struct curl_slist *headers, *connect_to;
    char peer[PEER_SIZE]; /* host:port of the request's URL */
    size_t header_bytes;
    int64_t deadline_ns;
    int64_t active_ns; /* when the last bytes arrived */
    int stopped;       /* what a callback wants as result, or 0 */
};

static void exchange_end(struct exchange *x)
{
    curl_slist_free_all(x->headers);
    curl_slist_free_all(x->connect_to);
    curl_url_cleanup(x->url);
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

static int read_peer(struct exchange *x)
{
    char *host = NULL, *port = NULL;
    CURLUcode code = curl_url_get(x->url, CURLUPART_HOST, &host, 0);
    int len = 0;

    if (code == CURLUE_OK)
        code = curl_url_get(x->url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    if (code == CURLUE_OK)
        len = snprintf(x->peer, sizeof x->peer, "%s:%s", host, port);
    curl_free(host);
    curl_free(port);
    if (code != CURLUE_OK)
        return err_nomem(x->err);
    if (len >= (int)sizeof x->peer)
        return err_set(x->err, CASB_EINVALID, "not a usable URL: its host is too long");
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

static int check_scheme(struct exchange *x)
{
    char *scheme = NULL;
    bool https, http;

    if (curl_url_get(x->url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
        return err_nomem(x->err);
    https = strcmp(scheme, "https") == 0;
    http = strcmp(scheme, "http") == 0;
    curl_free(scheme);
    if (!https && !(http && x->client->allow_http))
        return err_set(x->err, CASB_EINVALID, "'%s' is not https", x->request->url);
    if (http && has_header(x->request, "Authorization"))
        return err_set(x->err, CASB_EINVALID, "no credentials are sent over plain http");
    return 0;
}

/*
 * libcurl verifies the name in the URL. Another name takes its place there, and host and port of
 * the URL become the address to dial and the Host header.
 */
static int replace_name(struct exchange *x)
{
    const char *name = x->client->server_name;
    int rc;

    if (!name)
        return 0;
    if (curl_url_set(x->url, CURLUPART_HOST, name, 0) != CURLUE_OK)
        return err_set(x->err, CASB_EINVALID, "'%s' is no server name", name);
    rc = add_line(x, &x->headers, "Host: ", x->peer);
    if (rc == 0 && !x->client->connect_to)
        rc = add_line(x, &x->connect_to, "::", x->peer);
    return rc;
}

static int prepare_url(struct exchange *x)
{
    CURLUcode code;
    int rc;

    x->url = curl_url();
    if (!x->url)
        return err_nomem(x->err);
    code = curl_url_set(x->url, CURLUPART_URL, x->request->url, CURLU_DISALLOW_USER);
    if (code != CURLUE_OK) /* the text may hold a password that has no place there */
        return err_set(x->err, CASB_EINVALID, "not a usable URL: %s", curl_url_strerror(code));
    rc = check_scheme(x);
    if (rc == 0)
        rc = read_peer(x);
    if (rc == 0)
        rc = replace_name(x);
    if (rc == 0 && x->client->connect_to)
        rc = add_line(x, &x->connect_to, "::", x->client->connect_to);
    return rc;
}

/* Headers that libcurl would add by itself are emptied: it would guess a form's type. */
static int prepare_headers(struct exchange *x)
{
    int rc = add_line(x, &x->headers, "Expect:", "");

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
    x->stopped = err_set(x->err, CASB_EINVALID, "the header of '%s' is larger than %d bytes",
                         x->peer, HEADER_BYTES);
    return CURL_WRITEFUNC_ERROR;
}

static int keep_body(struct exchange *x, const char *data, size_t len)
{
    int rc = buf_append(&x->response->body, data, len);

    if (rc == CASB_EINVALID)
        err_set(x->err, rc, "the answer of '%s' is larger than %zu bytes", x->peer,
                x->response->body.limit);
    return rc;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct exchange *x = arg;
    const struct http_request *request = x->request;
    size_t len = size * count;
    long status = 0;

    curl_easy_getinfo(x->handle->easy, CURLINFO_RESPONSE_CODE, &status);
    x->stopped = request->on_body && status / 100 == 2 ? request->on_body(data, len, request->arg)
                                                       : keep_body(x, data, len);
    x->active_ns = clock_now_ns(); /* a reader's own time is no silence */
    return x->stopped ? CURL_WRITEFUNC_ERROR : len;
}

/* ---- one transfer */

/*
 * libcurl repeats a request by itself where a kept connection was closed before any answer. What
 * is not idempotent (RFC 9110, 9.2.2) may have been done all the same, so it gets a new one.
 */
static bool needs_new_connection(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PATCH") == 0;
}

static int set_request(struct exchange *x)
{
    const struct http_request *request = x->request;
    struct options o = {.easy = x->handle->easy, .err = x->err};

    SET(&o, CURLOPT_CURLU, x->url);
    SET(&o, CURLOPT_CONNECT_TO, x->connect_to);
    SET(&o, CURLOPT_HTTPHEADER, x->headers);
    SET(&o, CURLOPT_HTTPGET, 1L);
    if (request->body) {
        SET(&o, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
        SET(&o, CURLOPT_POSTFIELDS, request->body);
    }
    SET(&o, CURLOPT_CUSTOMREQUEST, request->method);
    SET(&o, CURLOPT_FRESH_CONNECT, needs_new_connection(request->method) ? 1L : 0L);
    SET(&o, CURLOPT_HEADERFUNCTION, on_header);
    SET(&o, CURLOPT_HEADERDATA, x);
    SET(&o, CURLOPT_WRITEFUNCTION, on_body);
    SET(&o, CURLOPT_WRITEDATA, x);
    return o.rc;
}

/* When to give up as things stand: at the deadline, or earlier where nothing arrives. */
static int64_t give_up_ns(const struct exchange *x)
{
    int64_t idle_ns = x->request->idle_timeout_ns;

    return idle_ns && x->deadline_ns - x->active_ns > idle_ns ? x->active_ns + idle_ns
                                                              : x->deadline_ns;
}

static int check_time(const struct exchange *x)
{
    int64_t until_ns = give_up_ns(x);

    if (clock_check(x->call) == CASB_ECANCELLED)
        return err_set(x->err, CASB_ECANCELLED, "cancelled while waiting for '%s'", x->peer);
    if (clock_now_ns() < until_ns)
        return 0;
    return err_set(x->err, CASB_ETIMEOUT,
                   until_ns < x->deadline_ns ? "'%s' fell silent" : "no answer from '%s' in time",
                   x->peer);
}

/* 0: the transfer came to an end, be it a bad one, which is *ret_code. */
static int transfer(struct exchange *x, CURLcode *ret_code)
{
    struct curl_waitfd cancel = {.fd = x->call->cancel_fd, .events = CURL_WAIT_POLLIN};
    unsigned cancels = x->call->cancel_fd >= 0;
    int running = 1, left, rc;
    const CURLMsg *message;

    for (;;) {
        rc = check_time(x);
        if (rc < 0)
            return rc;
        if (curl_multi_perform(x->handle->multi, &running) != CURLM_OK)
            break;
        if (!running)
            break;
        if (curl_multi_poll(x->handle->multi, &cancel, cancels, clock_poll_ms(give_up_ns(x)),
                            NULL) != CURLM_OK)
            break;
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
        return err_set(x->err, CASB_EDENIED, "the certificate of '%s' %s", x->peer, h->problem);
    if (h->names[0])
        return err_set(x->err, CASB_EDENIED, "the certificate of '%s' is for another name (%s): %s",
                       x->peer, h->names, reason);
    return err_set(x->err, CASB_EDENIED, "the certificate of '%s': %s", x->peer, reason);
}

static int fail_transfer(const struct exchange *x, CURLcode code)
{
    char reason[CURL_ERROR_SIZE];

    text_clean(reason, sizeof reason,
               x->handle->error[0] ? x->handle->error : curl_easy_strerror(code));
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return fail_certificate(x, reason);
    if (handshake_is_denial(x->handle->handshake.alert))
        return err_set(x->err, CASB_EDENIED, "'%s' %s: %s", x->peer,
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
        return err_set(x->err, CASB_EINVALID, "'%s': %s", x->peer, reason);
    default:
        return err_set(x->err, CASB_EUNREACHABLE, "'%s': %s", x->peer, reason);
    }
}

/* libcurl gives 0 seconds for none, or for one that it does not understand, as well. */
static bool says_at_once(CURL *easy)
{
    struct curl_header *header;

    return curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1, &header) == CURLHE_OK &&
           strcmp(header->value, "0") == 0;
}

static void read_status(const struct exchange *x)
{
    struct http_response *response = x->response;
    long status = 0;
    curl_off_t seconds = 0;

    curl_easy_getinfo(x->handle->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(x->handle->easy, CURLINFO_RETRY_AFTER, &seconds);
    response->answered = status >= 200;
    response->status = response->answered ? (int)status : 0;
    if (seconds > 0)
        response->retry_after_ns = seconds < INT64_MAX / CLOCK_S ? seconds * CLOCK_S : INT64_MAX;
    else if (says_at_once(x->handle->easy))
        response->retry_after_ns = 0;
}

static int run(struct exchange *x)
{
    struct handle *handle = x->handle;
    CURLcode code = CURLE_OK;
    int rc = set_request(x);

    if (rc < 0)
        return rc;
    handle->error[0] = '\0';
    handle->handshake = (struct handshake){0};
    x->active_ns = clock_now_ns();
    x->deadline_ns = x->request->timeout_ns ? clock_deadline(x->call, x->request->timeout_ns)
                                            : x->call->deadline_ns;
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
        return err_set(x->err, x->stopped, "the answer of '%s' was not taken", x->peer);
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
    rc = prepare_url(&x);
    if (rc == 0)
        rc = prepare_headers(&x);
    if (rc == 0)
        rc = handle_take(client, &x.handle, err);
    if (rc < 0)
        return rc;
    rc = run(&x);
    /* Where a server is gone, all its connections are dead, and with HTTP/2 libcurl would go on
     * with them even so. */
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
