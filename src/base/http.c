/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/tls.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#define CONNECT_TIMEOUT_NS (10 * CLOCK_S)
#define BODY_LIMIT_BYTES   (64 * 1024 * 1024)
#define URL_HOST_BYTES     300

/* One connection's handles: a multi of its own keeps the connection and can be polled. */
struct handle {
    struct handle *next;
    CURL *easy;
    CURLM *multi;
};

struct http_client {
    struct http_config config; /* with strings of its own */
    pthread_mutex_t lock;      /* guards `idle` */
    struct handle *idle;
};

/* ---- the client */

static void handle_free(struct handle *handle)
{
    if (!handle)
        return;
    curl_easy_cleanup(handle->easy);
    curl_multi_cleanup(handle->multi);
    free(handle);
}
DEFINE_FREEP(struct handle *, handle_free)

static struct handle *handle_new(void)
{
    _cleanup_(handle_freep) struct handle *handle = calloc(1, sizeof *handle);

    if (!handle)
        return NULL;
    handle->easy = curl_easy_init();
    handle->multi = curl_multi_init();
    return handle->easy && handle->multi ? TAKE_PTR(handle) : NULL;
}

static struct handle *take_handle(struct http_client *client)
{
    struct handle *handle;

    pthread_mutex_lock(&client->lock);
    handle = client->idle;
    if (handle)
        client->idle = handle->next;
    pthread_mutex_unlock(&client->lock);
    return handle ? handle : handle_new();
}

static void give_handle(struct http_client *client, struct handle *handle)
{
    pthread_mutex_lock(&client->lock);
    handle->next = client->idle;
    client->idle = handle;
    pthread_mutex_unlock(&client->lock);
}

static int copy_strings(struct http_config *config)
{
    const char **strings[] = {
        &config->ca_pem,      &config->client_cert_pem, &config->client_key_pem,
        &config->server_name, &config->connect_to,      &config->proxy,
        &config->user,        &config->password,        &config->user_agent};
    char *copy;
    int r = 0;

    /* all are replaced even after a failure: what is freed must be ours */
    for (size_t i = 0; i < ELEMENTS(strings); i++) {
        r = text_dup(*strings[i], &copy) || r ? CASB_ENOMEM : 0;
        *strings[i] = copy;
    }
    return r;
}

static void free_strings(struct http_config *config)
{
    const char *const plain[] = {config->ca_pem,     config->client_cert_pem, config->server_name,
                                 config->connect_to, config->proxy,           config->user,
                                 config->user_agent};

    for (size_t i = 0; i < ELEMENTS(plain); i++)
        free((char *)plain[i]);
    tls_secret_free((char *)config->client_key_pem);
    tls_secret_free((char *)config->password);
}

static int check_certificates(const struct http_config *config, struct casb_error *err)
{
    char hex[65];
    int r = 0;

    if (config->ca_pem)
        r = tls_chain_sha256(config->ca_pem, hex, err);
    if (r)
        return err_wrap(err, r, "CA certificates");
    if (!config->client_cert_pem != !config->client_key_pem)
        return err_set(err, CASB_EINVALID,
                       "a client certificate needs its key, and a key its certificate");
    return config->client_cert_pem
               ? tls_check_pair(config->client_cert_pem, config->client_key_pem, err)
               : 0;
}

int http_client_new(const struct http_config *config, struct http_client **ret,
                    struct casb_error *err)
{
    _cleanup_(http_client_freep) struct http_client *client = NULL;
    int r = check_certificates(config, err);

    if (r)
        return r;
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        return err_set(err, CASB_EFAILED, "libcurl cannot be used");
    client = calloc(1, sizeof *client);
    if (!client) {
        curl_global_cleanup();
        return err_nomem(err);
    }
    pthread_mutex_init(&client->lock, NULL);
    client->config = *config;
    if (copy_strings(&client->config))
        return err_nomem(err);
    *ret = TAKE_PTR(client);
    return 0;
}

void http_client_free(struct http_client *client)
{
    struct handle *handle;

    if (!client)
        return;
    while ((handle = client->idle)) {
        client->idle = handle->next;
        handle_free(handle);
    }
    free_strings(&client->config);
    pthread_mutex_destroy(&client->lock);
    free(client);
    curl_global_cleanup();
}

/* ---- one exchange */

struct exchange {
    const struct http_client *client;
    const struct casb_call *call;
    const struct http_request *request;
    struct http_response *response;
    struct casb_error *err;
    struct handle *handle;
    struct curl_slist *headers, *connect_to;
    int64_t deadline_ns;
    int body_result; /* why the body was not taken further */
    int verify;      /* X509_V_ERR_...: why the server's certificate was not accepted */
    char verify_detail[160];
    size_t sent; /* bytes of the body handed to libcurl */
    char url[2048];
    char error[CURL_ERROR_SIZE];
};

static size_t take_body(char *data, size_t size, size_t count, void *arg)
{
    struct exchange *x = arg;
    size_t len = size * count;
    long status = 0;

    curl_easy_getinfo(x->handle->easy, CURLINFO_RESPONSE_CODE, &status);
    if (x->request->on_body && status >= 200 && status < 300)
        x->body_result = x->request->on_body(data, len, x->request->arg);
    else
        x->body_result = buf_append(&x->response->body, data, len);
    return x->body_result ? CURL_WRITEFUNC_ERROR : len;
}

static size_t give_body(char *out, size_t size, size_t count, void *arg)
{
    struct exchange *x = arg;
    size_t len = x->request->body_len - x->sent;

    if (len > size * count)
        len = size * count;
    memcpy(out, x->request->body + x->sent, len);
    x->sent += len;
    return len;
}

/*
 * libcurl repeats a request by itself where a kept connection was closed without an answer. Only
 * the caller knows whether it can be repeated; so a body that was sent is not given again.
 */
static int refuse_repeat(void *arg, curl_off_t offset, int origin)
{
    (void)arg;
    (void)offset;
    (void)origin;
    return CURL_SEEKFUNC_FAIL;
}

static int append_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (!longer)
        return CASB_ENOMEM;
    *list = longer;
    return 0;
}

static int add_headers(struct exchange *x)
{
    int r = 0;

    for (size_t i = 0; r == 0 && x->request->headers && x->request->headers[i]; i++)
        r = append_line(&x->headers, x->request->headers[i]);
    /* libcurl would wait for a 100-continue that no server here sends */
    if (r == 0 && x->request->body)
        r = append_line(&x->headers, "Expect:");
    return r;
}

/*
 * Has the certificate checked against, and SNI sent for, another name than the URL's: libcurl takes
 * both from the URL, so the name goes there, and the URL's host to the Host header and the
 * connection.
 */
static int replace_server_name(struct exchange *x)
{
    char line[2 * URL_HOST_BYTES + 32], header[URL_HOST_BYTES + 16];
    CURLU *url = curl_url();
    char *host = NULL, *port = NULL, *changed = NULL;
    int r = CASB_EINVALID;

    if (url && !curl_url_set(url, CURLUPART_URL, x->request->url, 0) &&
        !curl_url_get(url, CURLUPART_HOST, &host, 0) &&
        !curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) &&
        !curl_url_set(url, CURLUPART_HOST, x->client->config.server_name, 0) &&
        !curl_url_get(url, CURLUPART_URL, &changed, 0) && strlen(changed) < sizeof x->url &&
        strlen(host) < URL_HOST_BYTES) {
        snprintf(header, sizeof header, "Host: %s:%s", host, port);
        snprintf(line, sizeof line, "::%s:%s", host, port);
        memcpy(x->url, changed, strlen(changed) + 1);
        r = append_line(&x->headers, header);
        if (r == 0)
            r = append_line(&x->connect_to, line);
    }
    curl_free(host);
    curl_free(port);
    curl_free(changed);
    curl_url_cleanup(url);
    return r;
}

static int choose_target(struct exchange *x)
{
    char line[URL_HOST_BYTES + 32];

    if (strlen(x->request->url) >= sizeof x->url)
        return CASB_EINVALID;
    memcpy(x->url, x->request->url, strlen(x->request->url) + 1);
    if (x->client->config.connect_to) {
        snprintf(line, sizeof line, "::%s", x->client->config.connect_to);
        return append_line(&x->connect_to, line);
    }
    return x->client->config.server_name ? replace_server_name(x) : 0;
}

/* Sets an option and remembers the first failure. */
#define SET(x, failed, option, value)                                                              \
    ((failed) = (failed) ? (failed) : curl_easy_setopt((x)->handle->easy, option, value))

static struct curl_blob blob(const char *text)
{
    return (struct curl_blob){.data = (char *)text, .len = strlen(text), .flags = CURL_BLOB_NOCOPY};
}

/*
 * Notes what OpenSSL objects to: libcurl only knows it where the error queue is as it expects, and
 * never says since when a certificate is expired.
 */
static int note_verification(int good, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct exchange *x = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    X509 *cert = X509_STORE_CTX_get_current_cert(store);
    char end[CLOCK_RFC3339_BYTES];
    struct tm tm;

    if (good)
        return good;
    x->verify = X509_STORE_CTX_get_error(store);
    if (x->verify == X509_V_ERR_CERT_HAS_EXPIRED && cert &&
        ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm))
        snprintf(x->verify_detail, sizeof x->verify_detail, " (on %s)",
                 clock_format(end, (int64_t)timegm(&tm) * 1000, false));
    return good;
}

static CURLcode watch_verification(CURL *easy, void *ctx, void *arg)
{
    (void)easy;
    SSL_CTX_set_app_data(ctx, arg);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION); /* `arg` lives for one exchange */
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, note_verification);
    return CURLE_OK;
}

static CURLcode set_tls(struct exchange *x)
{
    const struct http_config *config = &x->client->config;
    CURLcode failed = CURLE_OK;

    SET(x, failed, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(x, failed, CURLOPT_SSL_VERIFYPEER, config->insecure ? 0L : 1L);
    SET(x, failed, CURLOPT_SSL_VERIFYHOST, config->insecure ? 0L : 2L);
    if (!config->insecure) {
        SET(x, failed, CURLOPT_SSL_CTX_FUNCTION, watch_verification);
        SET(x, failed, CURLOPT_SSL_CTX_DATA, x);
    }
    if (!config->partial_chain)
        SET(x, failed, CURLOPT_SSL_OPTIONS, (long)CURLSSLOPT_NO_PARTIALCHAIN);
    if (config->ca_pem) {
        struct curl_blob ca = blob(config->ca_pem);

        SET(x, failed, CURLOPT_CAPATH, NULL);
        SET(x, failed, CURLOPT_CAINFO_BLOB, &ca);
    }
    if (config->client_cert_pem) {
        struct curl_blob cert = blob(config->client_cert_pem), key = blob(config->client_key_pem);

        SET(x, failed, CURLOPT_SSLCERTTYPE, "PEM");
        SET(x, failed, CURLOPT_SSLCERT_BLOB, &cert);
        SET(x, failed, CURLOPT_SSLKEYTYPE, "PEM");
        SET(x, failed, CURLOPT_SSLKEY_BLOB, &key);
    }
    return failed;
}

static CURLcode set_timeouts(struct exchange *x)
{
    const struct http_config *config = &x->client->config;
    int64_t connect_ns =
        config->connect_timeout_ns ? config->connect_timeout_ns : CONNECT_TIMEOUT_NS;
    CURLcode failed = CURLE_OK;

    /* without signals, which a program with threads cannot have libcurl use */
    SET(x, failed, CURLOPT_NOSIGNAL, 1L);
    SET(x, failed, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect_ns / CLOCK_MS));
    if (x->request->idle_timeout_ns) {
        SET(x, failed, CURLOPT_LOW_SPEED_LIMIT, 1L);
        SET(x, failed, CURLOPT_LOW_SPEED_TIME,
            (long)((x->request->idle_timeout_ns - 1) / CLOCK_S + 1));
    }
    return failed;
}

static CURLcode set_request(struct exchange *x)
{
    const struct http_config *config = &x->client->config;
    const struct http_request *request = x->request;
    CURLcode failed = CURLE_OK;

    SET(x, failed, CURLOPT_URL, x->url);
    SET(x, failed, CURLOPT_PROTOCOLS_STR, config->allow_http ? "https,http" : "https");
    SET(x, failed, CURLOPT_CUSTOMREQUEST, request->method);
    SET(x, failed, CURLOPT_HTTPHEADER, x->headers);
    SET(x, failed, CURLOPT_CONNECT_TO, x->connect_to);
    SET(x, failed, CURLOPT_ERRORBUFFER, x->error);
    SET(x, failed, CURLOPT_WRITEFUNCTION, take_body);
    SET(x, failed, CURLOPT_WRITEDATA, x);
    if (request->body) {
        SET(x, failed, CURLOPT_POST, 1L);
        SET(x, failed, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
        SET(x, failed, CURLOPT_READFUNCTION, give_body);
        SET(x, failed, CURLOPT_READDATA, x);
        SET(x, failed, CURLOPT_SEEKFUNCTION, refuse_repeat);
    }
    if (config->user_agent)
        SET(x, failed, CURLOPT_USERAGENT, config->user_agent);
    if (config->proxy)
        SET(x, failed, CURLOPT_PROXY, config->proxy);
    if (config->user) {
        SET(x, failed, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        SET(x, failed, CURLOPT_USERNAME, config->user);
        SET(x, failed, CURLOPT_PASSWORD, config->password ? config->password : "");
    }
    return failed;
}

static int prepare(struct exchange *x)
{
    CURLcode failed;
    int r = add_headers(x);

    if (!r)
        r = choose_target(x);
    if (r == CASB_ENOMEM)
        return err_nomem(x->err);
    if (r)
        return err_set(x->err, r, "the URL cannot be used");
    curl_easy_reset(x->handle->easy);
    failed = set_request(x);
    if (!failed)
        failed = set_tls(x);
    if (!failed)
        failed = set_timeouts(x);
    return failed ? err_set(x->err, CASB_EFAILED, "libcurl: %s", curl_easy_strerror(failed)) : 0;
}

/* ---- running and judging it */

static int check_time(const struct exchange *x)
{
    int r = clock_check(x->call);

    if (r)
        return r;
    return clock_now_ns() >= x->deadline_ns ? CASB_ETIMEOUT : 0;
}

/* Runs the transfer. 0 where it came to an end of its own, with libcurl's result. */
static int transfer(struct exchange *x, CURLcode *ret)
{
    struct curl_waitfd cancel = {.fd = x->call->cancel_fd, .events = CURL_WAIT_POLLIN};
    unsigned n_fds = x->call->cancel_fd >= 0;
    CURLMsg *message;
    int running = 1, left, r = 0;

    while (r == 0 && running) {
        if (curl_multi_perform(x->handle->multi, &running))
            return CASB_EFAILED;
        if (running &&
            curl_multi_poll(x->handle->multi, &cancel, n_fds, clock_poll_ms(x->deadline_ns), NULL))
            return CASB_EFAILED;
        if (running)
            r = check_time(x);
    }
    if (r)
        return r;
    message = curl_multi_info_read(x->handle->multi, &left);
    *ret = message && message->msg == CURLMSG_DONE ? message->data.result : CURLE_FAILED_INIT;
    return 0;
}

static enum casb_code class_of(CURLcode result)
{
    switch (result) {
    case CURLE_OUT_OF_MEMORY:
        return CASB_ENOMEM;
    case CURLE_OPERATION_TIMEDOUT:
        return CASB_ETIMEOUT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_LOGIN_DENIED:
        return CASB_EDENIED;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
        return CASB_EINVALID;
    default:
        return CASB_EUNREACHABLE;
    }
}

static int judge(struct exchange *x, CURLcode result)
{
    const char *text = x->error[0] ? x->error : curl_easy_strerror(result);

    if (result == CURLE_OK)
        return 0;
    if (result == CURLE_WRITE_ERROR && x->body_result > 0)
        return 0;
    if (result == CURLE_WRITE_ERROR && x->body_result == CASB_EINVALID && !x->request->on_body)
        return err_set(x->err, CASB_EINVALID, "the answer is larger than %zu bytes",
                       x->response->body.limit);
    if (result == CURLE_WRITE_ERROR && x->body_result)
        return err_set(x->err, x->body_result, "the answer was not taken");
    if (x->verify != X509_V_OK)
        return err_set(x->err, CASB_EDENIED, "the server's certificate is not accepted: %s%s",
                       X509_verify_cert_error_string(x->verify), x->verify_detail);
    if (result == CURLE_PEER_FAILED_VERIFICATION)
        return err_set(x->err, CASB_EDENIED, "the server's certificate is for another name: %s",
                       text);
    return err_set(x->err, class_of(result), "%s", text);
}

static void read_answer(struct exchange *x)
{
    curl_off_t retry_after_s = 0;
    long status = 0;

    curl_easy_getinfo(x->handle->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(x->handle->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    x->response->status = (int)status;
    x->response->answered = status > 0;
    x->response->retry_after_ns = retry_after_s > 0 ? (int64_t)retry_after_s * CLOCK_S : -1;
}

static int run(struct exchange *x)
{
    CURLcode result = CURLE_FAILED_INIT;
    int r;

    if (curl_multi_add_handle(x->handle->multi, x->handle->easy))
        return err_set(x->err, CASB_EFAILED, "libcurl cannot begin");
    r = transfer(x, &result);
    read_answer(x);
    if (r)
        err_set(x->err, r, "%s", r == CASB_EFAILED ? "libcurl failed" : err_class_name(r));
    else
        r = judge(x, result);
    curl_multi_remove_handle(x->handle->multi, x->handle->easy);
    return r;
}

int http_perform(struct http_client *client, const struct casb_call *call,
                 const struct http_request *request, struct http_response *ret,
                 struct casb_error *err)
{
    struct exchange x = {.client = client,
                         .call = call,
                         .request = request,
                         .response = ret,
                         .err = err,
                         .handle = take_handle(client),
                         .deadline_ns = call->deadline_ns};
    int r;

    *ret = (struct http_response){
        .retry_after_ns = -1,
        .body = BUF_INIT(request->limit_bytes ? request->limit_bytes : BODY_LIMIT_BYTES),
    };
    if (!x.handle)
        return err_nomem(err);
    if (request->timeout_ns)
        x.deadline_ns = clock_deadline(call, request->timeout_ns);
    r = prepare(&x);
    if (!r)
        r = run(&x);
    curl_slist_free_all(x.headers);
    curl_slist_free_all(x.connect_to);
    /* a connection in an unknown state is not for the next exchange */
    if (r)
        handle_free(x.handle);
    else
        give_handle(client, x.handle);
    return r;
}

void http_response_free(struct http_response *response)
{
    buf_free(&response->body);
}

int http_encode(struct buf *out, const char *text)
{
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    int r = 0;

    for (; r == 0 && *text; text++)
        r = strchr(unreserved, *text) ? buf_append(out, text, 1)
                                      : buf_printf(out, "%%%02X", (unsigned char)*text);
    return r;
}
