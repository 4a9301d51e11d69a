/* SPDX-License-Identifier: Apache-2.0 */
#include "registration-cas-api/api.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/text.h"
#include "base/tls.h"

#include <string.h>

#define ANSWER_BYTES  (64 * 1024)
#define BACKOFF_BASE  (500 * CLOCK_MS)
#define BACKOFF_CAP   (10 * CLOCK_S)
#define MESSAGE_BYTES 1024
#define URL_BYTES     2048

/* One side of the talk. */
struct side {
    struct http_client *client;
    const char *who;
};

static enum casb_code class_of(int status)
{
    switch (status) {
    case 401:
    case 403:
        return CASB_EDENIED;
    case 404:
        return CASB_ENOTFOUND;
    case 409:
        return CASB_ECONFLICT;
    default:
        return status >= 500 ? CASB_EUNREACHABLE : CASB_EFAILED;
    }
}

static void join_messages(const json_t *list, struct buf *out)
{
    const json_t *each;
    size_t i;

    json_array_foreach (list, i, each) {
        if (!json_is_string(each))
            continue;
        if (out->len > 0)
            buf_append_cut(out, ": ", 2);
        buf_append_cut(out, json_string_value(each), json_string_length(each));
    }
}

int api_refusal(const char *who, int status, const char *body, size_t len, struct casb_error *err)
{
    _cleanup_(buf_free) struct buf joined = BUF_INIT(MESSAGE_BYTES);
    json_auto_t *tree = json_loadb(body, len, 0, NULL);
    char said[CASB_ERROR_TEXT_BYTES];
    int r;

    join_messages(json_object_get(tree, "msg"), &joined);
    text_clean(said, sizeof said, buf_text(&joined));
    r = err_set(err, class_of(status), "%s answered with HTTP status %d%s%s", who, status,
                said[0] ? ": " : "", said);
    if (err)
        err->http = status;
    return r;
}

json_t *api_fill(const json_t *template, const char *certificate, const json_t *tolerate)
{
    const char *text = json_string_value(template), *key;
    json_t *copy, *each;
    size_t i;
    int r = 0;

    if (text_equal(text, "{certificate}"))
        return json_string(certificate);
    if (text_equal(text, "{tolerate}"))
        return tolerate ? json_deep_copy(tolerate) : json_array();
    copy = json_copy((json_t *)(uintptr_t) template);
    json_array_foreach (copy, i, each)
        r |= json_array_set_new(copy, i, api_fill(each, certificate, tolerate));
    json_object_foreach (copy, key, each)
        r |= json_object_set_new(copy, key, api_fill(each, certificate, tolerate));
    if (r == 0)
        return copy;
    json_decref(copy);
    return NULL;
}

/* One exchange: 0 where the answer was 2xx. */
static int exchange(const struct side *side, const struct casb_call *call,
                    const struct http_request *request, struct http_response *ret,
                    struct casb_error *err)
{
    int r;

    r = http_perform(side->client, call, request, ret, err);
    if (r < 0)
        return err_wrap(err, r, "%s", side->who);
    if (ret->status / 100 == 2)
        return 0;
    return api_refusal(side->who, ret->status, buf_text(&ret->body), ret->body.len, err);
}

/*
 * Is it worth another try? A GET hands the certificate out once: an answer that began and broke
 * off cannot be had again.
 */
static bool is_passing(const struct http_request *request, const struct http_response *response,
                       int r)
{
    bool lost = response->answered && response->status / 100 == 2 && !request->body;

    return r == CASB_EUNREACHABLE && !lost;
}

/* How long to wait before the next try: at least as long as the CAS asks for. */
static int64_t pause_ns(unsigned attempt, const struct http_response *response)
{
    int64_t wait_ns = clock_backoff(attempt, BACKOFF_BASE, BACKOFF_CAP);

    return response->retry_after_ns > wait_ns ? response->retry_after_ns : wait_ns;
}

/*
 * The exchange with retries. Where time runs out before a later one ends, what went wrong before is
 * the error: it says why there were retries at all.
 */
static int persist(const struct side *side, const struct casb_call *call,
                   const struct http_request *request, struct http_response *ret,
                   struct casb_error *err)
{
    struct casb_error earlier = {0};

    for (unsigned attempt = 1;; attempt++) {
        struct http_response response = {.retry_after_ns = -1};
        struct casb_error failure = {0};
        int64_t wait_ns;
        bool passing;
        int r;

        r = exchange(side, call, request, &response, &failure);
        if (r == 0) {
            *ret = response;
            return 0;
        }
        wait_ns = pause_ns(attempt, &response);
        passing = is_passing(request, &response, r);
        http_response_free(&response);
        if (r == CASB_ETIMEOUT && earlier.code)
            return err_pass(err, &earlier);
        earlier = failure;
        if (!passing || wait_ns >= call->deadline_ns - clock_now_ns())
            return err_pass(err, &failure);
        r = clock_sleep(call, wait_ns);
        if (r == CASB_ECANCELLED)
            return err_set(err, r, "%s: cancelled between two tries", side->who);
        if (r < 0)
            return err_pass(err, &failure);
    }
}

/* Takes the DB certificate out of the answer. Its form is checked; the primary judges the rest. */
static int read_certificate(const struct http_response *response, const char *key, char **ret,
                            struct casb_error *err)
{
    json_auto_t *tree = NULL;
    const char *certificate;
    char digest[65];
    int r;

    r = jsonx_parse(buf_text(&response->body), response->body.len, "answer of the backup CAS",
                    &tree, err);
    if (r < 0)
        return r;
    certificate = jsonx_string(tree, key);
    if (!certificate)
        return err_set(err, CASB_EINVALID, "answer of the backup CAS: no text at '%s'", key);
    r = tls_chain_sha256(certificate, digest, err);
    if (r < 0)
        return err_wrap(err, r, "answer of the backup CAS: DB certificate");
    return text_dup(certificate, ret) < 0 ? err_nomem(err) : 0;
}

static int fetch_certificate(const struct api *api, const struct casb_call *call,
                             const char *address, char **ret, struct casb_error *err)
{
    _cleanup_(buf_free) struct buf url = BUF_INIT(URL_BYTES);
    _cleanup_(http_response_free) struct http_response response = {0};
    const struct side side = {api->backup, "the backup CAS"};
    struct http_request request = {.method = "GET", .limit_bytes = ANSWER_BYTES};
    int r;

    r = buf_printf(&url, "https://%s%s", address, api->settings->certificate_path);
    if (r < 0)
        return err_set(err, r, "certificate_path is too long");
    request.url = buf_text(&url);
    r = persist(&side, call, &request, &response, err);
    return r < 0 ? r : read_certificate(&response, api->settings->certificate_key, ret, err);
}

static int make_body(const struct api_settings *settings, const char *certificate, char **ret,
                     struct casb_error *err)
{
    json_auto_t *usual = NULL;
    json_auto_t *body = NULL;

    if (!settings->register_body)
        usual = json_pack("{s:s, s:s}", "certificate", "{certificate}", "tolerate", "{tolerate}");
    body = api_fill(usual ? usual : settings->register_body, certificate, settings->tolerate);
    return body ? jsonx_dump(body, ret, err) : err_nomem(err);
}

/* A page of a proxy in between is no success: what a CAS answers is JSON, or nothing. */
static int check_accepted(const struct http_response *response, struct casb_error *err)
{
    json_auto_t *tree = NULL;

    if (response->body.len == 0)
        return 0;
    return jsonx_parse(buf_text(&response->body), response->body.len, "answer of the primary CAS",
                       &tree, err);
}

static int hand_in(const struct api *api, const struct casb_call *call, const char *certificate,
                   struct casb_error *err)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    _cleanup_(buf_free) struct buf url = BUF_INIT(URL_BYTES);
    _cleanup_(http_response_free) struct http_response response = {0};
    const struct side side = {api->primary, "the primary CAS"};
    _cleanup_(freep) char *body = NULL;
    struct http_request request = {
        .method = "POST", .headers = headers, .limit_bytes = ANSWER_BYTES};
    int r;

    r = make_body(api->settings, certificate, &body, err);
    if (r < 0)
        return r;
    r = buf_printf(&url, "%s%s", api->config->url, api->settings->register_path);
    if (r < 0)
        return err_set(err, r, "register_path is too long");
    request.url = buf_text(&url);
    request.body = body;
    request.body_len = strlen(body);
    r = persist(&side, call, &request, &response, err);
    return r < 0 ? r : check_accepted(&response, err);
}

int api_register(const struct api *api, const struct casb_call *call, const char *address,
                 struct casb_error *err)
{
    _cleanup_(freep) char *certificate = NULL;
    int r;

    r = cas_config_check_chain(api->config, clock_wall_ms() / 1000, err);
    if (r < 0)
        return r;
    r = fetch_certificate(api, call, address, &certificate, err);
    return r < 0 ? r : hand_in(api, call, certificate, err);
}

int api_probe(const struct api *api, const struct casb_call *call, struct casb_error *err)
{
    _cleanup_(buf_free) struct buf url = BUF_INIT(URL_BYTES);
    _cleanup_(http_response_free) struct http_response response = {0};
    const struct side side = {api->primary, "the primary CAS"};
    struct http_request request = {.method = "GET", .limit_bytes = ANSWER_BYTES};

    if (buf_printf(&url, "%s/v1/version", api->config->url) < 0)
        return err_set(err, CASB_EINVALID, "the primary's URL is too long");
    request.url = buf_text(&url);
    return exchange(&side, call, &request, &response, err);
}
