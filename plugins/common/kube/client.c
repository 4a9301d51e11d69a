/* SPDX-License-Identifier: Apache-2.0 */
#include "common/kube/client.h"

#include "common/kube/access.h"
#include "common/kube/kinds.h"
#include "common/kube/kubeconfig.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/label.h"
#include "base/plog.h"
#include "base/process.h"
#include "base/text.h"

#include <string.h>

#define ACCOUNT_DIR   "/var/run/secrets/kubernetes.io/serviceaccount"
#define URL_BYTES     (64 * 1024)
#define STATUS_BYTES  (64 * 1024) /* no Status has more */
#define TIMEOUT       (30 * CLOCK_S)
#define BACKOFF_BASE  (500 * CLOCK_MS)
#define BACKOFF_CAP   (10 * CLOCK_S)
#define TRIES         4  /* where nobody asked us to come back */
#define TRIES_INVITED 11 /* where the API did, by Retry-After (client-go: 10 retries) */

#define JSON        "application/json"
#define PROTOBUF    "application/vnd.kubernetes.protobuf"
#define AS_METADATA ";as=PartialObjectMetadata;v=v1;g=meta.k8s.io"

/*
 * The answer to a change is the whole object; where it is changed all the time that is the most. Of
 * what is left, managedFields, nothing is decoded.
 */
static const char *const accepts[] = {
    [CLIENT_JSON] = "Accept: " JSON ", */*",
    [CLIENT_METADATA] = "Accept: " PROTOBUF AS_METADATA ", " JSON AS_METADATA ", " JSON ", */*",
    [CLIENT_PROTOBUF] = "Accept: " PROTOBUF ", " JSON ", */*",
};

/* What one of its users has of an access. */
struct kube {
    const struct casb_host *host;
    struct access *access;
    char namespace[LABEL_BYTES];
};

static int set_namespace(struct kube *kube, const char *wanted, struct casb_error *err)
{
    const char *name = text_empty(wanted) ? kube->access->context->namespace : wanted;

    if (!label_is_valid(name))
        return err_set(err, CASB_EINVALID, "'%s' is not a valid namespace", name);
    snprintf(kube->namespace, sizeof kube->namespace, "%s", name);
    return 0;
}

int client_open(const struct casb_host *host, const struct kube_settings *settings,
                const struct kubeconfig_env *env, struct kube **ret, struct casb_error *err)
{
    _cleanup_(kube_closep) struct kube *kube = calloc(1, sizeof *kube);
    int r;

    if (!kube)
        return err_nomem(err);
    kube->host = host;
    r = access_take(host, settings, env, &kube->access, err);
    if (!r)
        r = set_namespace(kube, settings->namespace, err);
    if (r)
        return r;
    *ret = TAKE_PTR(kube);
    return 0;
}

int kube_open(const struct casb_host *host, const struct kube_settings *settings, struct kube **ret,
              struct casb_error *err)
{
    const struct kubeconfig_env env = {
        .kubeconfig = process_env("KUBECONFIG"),
        .home = process_env("HOME"),
        .service_host = process_env("KUBERNETES_SERVICE_HOST"),
        .service_port = process_env("KUBERNETES_SERVICE_PORT"),
        .pod_namespace = process_env("POD_NAMESPACE"),
        .account_dir = ACCOUNT_DIR,
    };

    return client_open(host, settings, &env, ret, err);
}

void kube_close(struct kube *kube)
{
    if (kube && kube->access)
        access_give_back(kube->host, kube->access);
    free(kube);
}

const char *kube_namespace(const struct kube *kube)
{
    return kube->namespace;
}

bool kube_is_in_cluster(const struct kube *kube)
{
    return kube->access->context->in_cluster;
}

const struct casb_host *client_host(const struct kube *kube)
{
    return kube->host;
}

static int add_query(struct buf *url, const struct kube_query *query, bool *first)
{
    int r = 0;

    for (; query && query->name && !r; query++) {
        r = buf_puts(url, *first ? "?" : "&");
        *first = false;
        if (!r)
            r = http_encode(url, query->name);
        if (!r)
            r = buf_puts(url, "=");
        if (!r)
            r = http_encode(url, query->value);
    }
    return r;
}

static int build_url(const struct kube *kube, const struct exchange *exchange, struct buf *url,
                     struct casb_error *err)
{
    bool first = true;
    int r = buf_printf(url, "%s%s", kube->access->context->server, exchange->path);

    if (!r)
        r = add_query(url, exchange->query, &first);
    if (!r)
        r = add_query(url, exchange->more_query, &first);
    return r ? err_set(err, r, "no URL can be made for %s", exchange->path) : 0;
}

/* Header lines, NULL-terminated: borrowed texts in an array that the caller frees. */
static const char **build_headers(const struct kube *kube, const struct exchange *exchange,
                                  enum client_accept accept, const struct auth_ticket *ticket)
{
    const json_t *fixed = kube->access->context->headers;
    const char **list = calloc(json_array_size(fixed) + 4, sizeof *list);
    json_t *line;
    size_t i, n = 0;

    if (!list)
        return NULL;
    list[n++] = accepts[accept];
    if (exchange->content_type)
        list[n++] = exchange->content_type;
    if (ticket->authorization)
        list[n++] = ticket->authorization;
    json_array_foreach (fixed, i, line)
        list[n++] = json_string_value(line);
    return list;
}

static int perform(struct kube *kube, const struct casb_call *call, const struct exchange *exchange,
                   enum client_accept accept, const struct auth_ticket *ticket,
                   struct http_response *ret, struct casb_error *err)
{
    _cleanup_(buf_free) struct buf url = BUF_INIT(URL_BYTES);
    _cleanup_(freep) const char **headers = build_headers(kube, exchange, accept, ticket);
    char name[CALLS_NAME_BYTES];
    int r = build_url(kube, exchange, &url, err);

    if (r)
        return r;
    if (!headers)
        return err_nomem(err);
    if (exchange->restart)
        exchange->restart(exchange->arg);
    calls_add(&kube->access->calls,
              calls_name(name, exchange->method, exchange->path, exchange->watch), 1);
    r = http_perform(
        ticket->http, call,
        &(struct http_request){
            .method = exchange->method,
            .url = buf_text(&url),
            .headers = headers,
            .body = exchange->body,
            .body_len = exchange->body ? strlen(exchange->body) : 0,
            .limit_bytes = exchange->limit_bytes ? exchange->limit_bytes : CLIENT_OBJECT_BYTES,
            .timeout_ns = exchange->timeout_ns ? exchange->timeout_ns : TIMEOUT,
            .idle_timeout_ns = exchange->idle_timeout_ns,
            .lasting = exchange->watch,
            .once = exchange->once,
            .on_body = exchange->on_body,
            .arg = exchange->arg,
        },
        ret, err);
    calls_add(&kube->access->calls, "connections", ret->connections);
    return r;
}

static int status_class(int http)
{
    switch (http) {
    case 401:
    case 403:
        return CASB_EDENIED;
    case 404:
        return CASB_ENOTFOUND;
    case 409:
    case 410:
        return CASB_ECONFLICT;
    case 429:
        return CASB_EUNREACHABLE;
    default:
        return http >= 500 ? CASB_EUNREACHABLE : http >= 400 ? CASB_EINVALID : CASB_EFAILED;
    }
}

int client_status_error(int http, const json_t *status, const char *body, struct casb_error *err)
{
    const char *message = jsonx_string(status, "message");
    const char *reason = jsonx_string(status, "reason");
    char text[360], clean_reason[48];
    int r = status_class(http);

    text_clean(text, sizeof text, !text_empty(message) ? message : body ? body : "");
    text_clean(clean_reason, sizeof clean_reason, reason ? reason : "");
    r = err_set(err, (enum casb_code)r, "%s%s(%s%sHTTP %d)", text, text[0] ? " " : "", clean_reason,
                clean_reason[0] ? ", " : "", http);
    if (err && !err->http)
        err->http = http;
    return r;
}

static int decode(struct wire_bytes bytes, json_t **ret, struct casb_error *err)
{
    int r = kinds_decode(bytes, ret);

    if (r == CASB_ENOMEM)
        return err_nomem(err);
    return r ? err_set(err, r, "answer of the API server cannot be decoded") : 0;
}

/* A gateway may answer with a page of its own, or with nothing. */
int client_parse(const struct http_response *response, json_t **ret, struct casb_error *err)
{
    const char *body = buf_text(&response->body);
    const struct wire_bytes bytes = {(const unsigned char *)body, response->body.len};
    struct casb_error why = {0};
    char first = body[strspn(body, " \t\r\n")], page[80];
    int r;

    if (kinds_is_encoded(bytes))
        return decode(bytes, ret, err);
    r = jsonx_parse(body, bytes.len, "answer of the API server", ret, &why);
    if (r != CASB_EINVALID || first == '{' || first == '[')
        return r ? err_pass(err, &why) : 0;
    return err_set(err, CASB_EINVALID, "answer of the API server is no JSON: '%s' (HTTP %d)",
                   text_clean(page, sizeof page, body), response->status);
}

/* Only a Status that says failure speaks for itself (client-go rest/request.go). */
json_t *client_status(const struct http_response *response)
{
    json_auto_t *status = NULL;

    if (client_parse(response, &status, NULL) ||
        !text_equal(jsonx_string(status, "kind"), "Status") ||
        text_equal(jsonx_string(status, "status"), "Success"))
        return NULL;
    return TAKE_PTR(status);
}

static int answer_error(const struct http_response *response, struct casb_error *err)
{
    json_auto_t *status = client_status(response);
    char cut[120];

    text_clean(cut, sizeof cut, buf_text(&response->body));
    return client_status_error(response->status, status, cut, err);
}

/*
 * A gateway may send a failure as 200: then its Status is what counts, as for client-go
 * (rest/request.go). Whatever does not look like one is not decoded for that.
 */
static int status_of(const struct http_response *response)
{
    const struct buf *body = &response->body;
    const struct wire_bytes bytes = {(const unsigned char *)buf_text(body), body->len};
    const char *mark = kinds_is_encoded(bytes) ? "\x12\x06Status" : "\"Status\"";
    json_auto_t *status = NULL;
    int64_t code;

    if (response->status / 100 == 2 && body->len <= STATUS_BYTES &&
        memmem(bytes.data, bytes.len, mark, strlen(mark)))
        status = client_status(response);
    if (!status)
        return response->status;
    code = jsonx_int(status, "code", 500);
    return code >= 400 && code < 600 ? (int)code : 500;
}

/* In the form that is wanted; in JSON once and for all where something on the way has no other. */
static int ask(struct kube *kube, const struct casb_call *call, const struct exchange *exchange,
               const struct auth_ticket *ticket, struct http_response *ret, struct casb_error *err)
{
    atomic_bool *json_only = &kube->access->json_only;
    enum client_accept accept = atomic_load(json_only) ? CLIENT_JSON : exchange->accept;
    int r = perform(kube, call, exchange, accept, ticket, ret, err);

    if (r || ret->status != 406 || accept == CLIENT_JSON)
        return r;
    if (!atomic_exchange(json_only, true))
        plog(kube->host, CASB_INFO, NULL, "the API is asked for JSON only: HTTP 406 to %s %s",
             exchange->method, exchange->path);
    http_response_free(ret);
    return perform(kube, call, exchange, CLIENT_JSON, ticket, ret, err);
}

static int once(struct kube *kube, const struct casb_call *call, const struct exchange *exchange,
                bool *may_renew, struct http_response *ret, struct casb_error *err)
{
    struct auth_ticket ticket = {0};
    int r = auth_take(kube->access->auth, kube->host, call, &ticket, err);

    if (!r)
        r = ask(kube, call, exchange, &ticket, ret, err);
    if (!r)
        ret->status = status_of(ret);
    *may_renew =
        !r && ret->status == 401 && *may_renew && auth_refused(kube->access->auth, &ticket);
    auth_ticket_free(kube->access->auth, &ticket);
    return r;
}

/* A timeout that is not the call's own says that this connection, or this server, is dead. */
static int unless_over(const struct casb_call *call, int code, struct casb_error *err)
{
    if (code != CASB_ETIMEOUT || clock_check(call))
        return code;
    if (err) {
        err->code = CASB_EUNREACHABLE;
        err->retry = true;
    }
    return CASB_EUNREACHABLE;
}

int client_once(struct kube *kube, const struct casb_call *call, const struct exchange *exchange,
                struct http_response *ret, struct casb_error *err)
{
    struct casb_error why = {0}, refusal = {0};
    bool again = true;
    int r = once(kube, call, exchange, &again, ret, &why);

    if (again) {
        again = false;
        answer_error(ret, &refusal);
        http_response_free(ret);
        *ret = (struct http_response){0};
        r = once(kube, call, exchange, &again, ret, &why);
    }
    if (!r && (ret->status < 200 || ret->status > 299))
        r = answer_error(ret, &why);
    if (!exchange->final)
        r = unless_over(call, r, &why);
    if (!r)
        return 0;
    err_pass_after(err, &why, &refusal);
    return err_wrap(err, r, "%s %s", exchange->method, exchange->path);
}

/* PUT, PATCH and DELETE carry their own guards (resourceVersion, uid, one writer a key). */
static bool is_repeatable(const struct exchange *exchange)
{
    return strcmp(exchange->method, "POST") != 0;
}

/* Refused before it was done, so that even a POST may be repeated. */
static bool is_refused(const struct http_response *response)
{
    return response->status == 429 || (response->status == 503 && response->retry_after_ns >= 0);
}

/*
 * As long as the API asks for and a little more, but never less, for everybody was told the same
 * second. Negative: there is not so much time left.
 */
static int64_t invited_wait(int64_t invited, int64_t left)
{
    int64_t spare = (left - invited < invited ? left - invited : invited) / 2;

    return spare > 0 ? invited + clock_backoff(1, spare, spare) : -1;
}

/*
 * How long to wait before try number `tries` + 1; negative: there is none. Where the API asks for
 * more time than there is, it is tried all the same: nobody comes back for a pod that must go now.
 */
static int64_t retry_wait(const struct casb_call *call, const struct exchange *exchange,
                          const struct http_response *response, int code, unsigned tries)
{
    int64_t invited = response->status >= 300 ? response->retry_after_ns : -1;
    int64_t left = call->deadline_ns - clock_now_ns();
    unsigned uninvited = exchange->final && response->answered ? 1 : TRIES;
    int64_t wait = -1;

    if (code != CASB_EUNREACHABLE || tries >= (invited < 0 ? uninvited : TRIES_INVITED))
        return -1;
    if (!is_repeatable(exchange) && !is_refused(response))
        return -1;
    if (invited > 0)
        wait = invited_wait(invited, left);
    if (wait < 0)
        wait = clock_backoff(tries, BACKOFF_BASE, BACKOFF_CAP);
    return wait < left ? wait : -1;
}

static bool is_unknown(const struct exchange *exchange, const struct http_response *response,
                       int code)
{
    if (is_repeatable(exchange) || !code)
        return false;
    if (response->status >= 300)
        return response->status >= 500 && !is_refused(response);
    return code == CASB_EUNREACHABLE || code == CASB_ETIMEOUT || code == CASB_ECANCELLED;
}

/* How often it was tried; and what nobody could wait for. */
static int tell_tries(const struct casb_call *call, const struct http_response *response,
                      unsigned tries, int code, struct casb_error *err)
{
    int64_t asked = response->status >= 300 ? response->retry_after_ns : -1;

    if (asked > 0 && asked > call->deadline_ns - clock_now_ns())
        return err_wrap(err, code, "after %u tries, asked to wait for %lld s", tries,
                        (long long)(asked / CLOCK_S));
    return tries > 1 ? err_wrap(err, code, "after %u tries", tries) : code;
}

int client_exchange(struct kube *kube, const struct casb_call *call,
                    const struct exchange *exchange, struct http_response *ret, bool *ret_unknown,
                    struct casb_error *err)
{
    struct casb_error last = {0}, first = {0};
    unsigned tries = 0;
    int64_t wait = 0;
    int r = 0;

    while (wait >= 0) {
        last = (struct casb_error){0};
        r = client_once(kube, call, exchange, ret, &last);
        if (!r)
            break;
        err_pass(&first, &last);
        wait = retry_wait(call, exchange, ret, r, ++tries);
        if (wait < 0)
            break;
        r = clock_sleep(call, wait);
        if (r) {
            last.code = r;
            break;
        }
        http_response_free(ret);
        *ret = (struct http_response){0};
    }
    if (ret_unknown)
        *ret_unknown = is_unknown(exchange, ret, r);
    if (!r)
        return 0;
    err_pass_after(err, &last, &first);
    return tell_tries(call, ret, tries, r, err);
}
