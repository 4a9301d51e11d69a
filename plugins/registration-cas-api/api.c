/* SPDX-License-Identifier: Apache-2.0 */
#include "registration-cas-api/api.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/text.h"
#include "common/cas/chain.h"
#include "registration-cas-api/answer.h"

#include <string.h>

#define ANSWER_BYTES (64 * 1024)
#define BACKOFF_BASE (500 * CLOCK_MS)
#define BACKOFF_CAP  (10 * CLOCK_S)
#define URL_BYTES    2048

/* One side of the talk. */
struct side {
    struct http_client *client;
    const char *who;
};

json_t *api_fill(const json_t *template, const json_t *certificate, const json_t *tolerate)
{
    const char *text = json_string_value(template), *key;
    json_auto_t *copy = NULL;
    json_t *each;
    size_t i;
    int r = 0;

    if (text_equal(text, "{certificate}"))
        return json_incref((json_t *)(uintptr_t)certificate);
    if (text_equal(text, "{tolerate}"))
        return tolerate ? json_deep_copy(tolerate) : json_array();
    if (json_is_array(template))
        copy = json_array();
    else
        copy = json_is_object(template) ? json_object() : json_deep_copy(template);
    json_array_foreach (template, i, each)
        r |= json_array_append_new(copy, api_fill(each, certificate, tolerate));
    json_object_foreach ((json_t *)(uintptr_t) template, key, each)
        r |= json_object_set_new(copy, key, api_fill(each, certificate, tolerate));
    return r ? NULL : TAKE_PTR(copy);
}

static struct answer answer_of(const struct side *side, const struct http_response *response)
{
    return (struct answer){side->who, response->status, buf_text(&response->body),
                           response->body.len};
}

/* One exchange: 0 where the answer was 2xx. */
static int exchange(const struct side *side, const struct casb_call *call,
                    const struct http_request *request, struct http_response *ret,
                    struct casb_error *err)
{
    struct answer answer;
    int r;

    r = http_perform(side->client, call, request, ret, err);
    if (r < 0)
        return err_wrap(err, r, "%s", side->who);
    if (ret->status / 100 == 2)
        return 0;
    answer = answer_of(side, ret);
    return answer_refusal(&answer, err);
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

/* The exchange with retries. */
static int persist(const struct side *side, const struct casb_call *call,
                   const struct http_request *request, struct http_response *ret,
                   struct casb_error *err)
{
    struct casb_error first = {0};

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
        if (!passing || wait_ns >= call->deadline_ns - clock_now_ns())
            return err_pass_after(err, &failure, &first);
        err_pass(&first, &failure);
        r = clock_sleep(call, wait_ns);
        if (r < 0) {
            failure = (struct casb_error){0};
            err_set(&failure, r, "%s: %s between two tries", side->who, err_class_name(r));
            return err_pass_after(err, &failure, &first);
        }
    }
}

static int fetch_certificate(const struct api *api, const struct casb_call *call,
                             const char *address, json_t **ret, struct casb_error *err)
{
    const struct api_settings *settings = api->settings;
    _cleanup_(buf_free) struct buf url = BUF_INIT(URL_BYTES);
    _cleanup_(http_response_free) struct http_response response = {0};
    const struct side side = {api->backup, "the backup CAS"};
    struct http_request request = {.method = "GET", .limit_bytes = ANSWER_BYTES};
    struct answer answer;
    int r;

    r = buf_printf(&url, "https://%s%s", address, settings->certificate_path);
    if (r < 0)
        return err_set(err, r, "certificate_path is too long");
    request.url = buf_text(&url);
    r = persist(&side, call, &request, &response, err);
    if (r < 0)
        return r;
    answer = answer_of(&side, &response);
    return answer_certificate(&answer, settings->certificate_key,
                              text_equal(settings->certificate_form, "any"), ret, err);
}

static int make_body(const struct api_settings *settings, const json_t *certificate, char **ret,
                     struct casb_error *err)
{
    json_auto_t *usual = NULL;
    json_auto_t *body = NULL;

    if (!settings->register_body)
        usual = jsonx_new("{s:s, s:s}", "certificate", "{certificate}", "tolerate", "{tolerate}");
    body = api_fill(usual ? usual : settings->register_body, certificate, settings->tolerate);
    return body ? jsonx_dump(body, ret, err) : err_nomem(err);
}

static int hand_in(const struct api *api, const struct casb_call *call, const json_t *certificate,
                   struct casb_error *err)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    _cleanup_(buf_free) struct buf url = BUF_INIT(URL_BYTES);
    _cleanup_(http_response_free) struct http_response response = {0};
    const struct side side = {api->primary, "the primary CAS"};
    _cleanup_(freep) char *body = NULL;
    struct http_request request = {
        .method = "POST", .headers = headers, .limit_bytes = ANSWER_BYTES};
    struct answer answer;
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
    if (r < 0)
        return r;
    answer = answer_of(&side, &response);
    return answer_accepted(&answer, err);
}

int api_register(const struct api *api, const struct casb_call *call, const char *address,
                 struct casb_error *err)
{
    json_auto_t *certificate = NULL;
    int r;

    r = cas_chain_check(api->config, clock_wall_ms() / 1000, NULL, err);
    if (r < 0)
        return r;
    r = fetch_certificate(api, call, address, &certificate, err);
    return r < 0 ? r : hand_in(api, call, certificate, err);
}

int api_version(const struct api *api, const struct casb_call *call, char *ret, size_t size,
                struct casb_error *err)
{
    _cleanup_(buf_free) struct buf url = BUF_INIT(URL_BYTES);
    _cleanup_(http_response_free) struct http_response response = {0};
    const struct side side = {api->primary, "the primary CAS"};
    struct http_request request = {.method = "GET", .limit_bytes = ANSWER_BYTES};
    struct answer answer;
    int r;

    r = buf_printf(&url, "%s/v1/version", api->config->url);
    if (r < 0)
        return err_set(err, r, "the primary's URL is too long");
    request.url = buf_text(&url);
    r = exchange(&side, call, &request, &response, err);
    if (r < 0)
        return r;
    answer = answer_of(&side, &response);
    answer_version(&answer, ret, size);
    return 0;
}

char *api_doubt(char *out, size_t size, const char *verified_with, const char *version)
{
    out[0] = 0;
    if (!verified_with)
        snprintf(
            out, size,
            "the two calls that register are an assumption, and verified_with does not say that "
            "you have checked them: docs/cas-api.md says how");
    else if (!version[0])
        snprintf(
            out, size,
            "the primary CAS does not tell its version, and the two calls were checked with %s "
            "(verified_with): docs/cas-api.md says how to check them again",
            verified_with);
    else if (answer_major(version) != answer_major(verified_with))
        snprintf(out, size,
                 "the primary CAS is of version %s, and the two calls were checked with %s "
                 "(verified_with): docs/cas-api.md says how to check them again",
                 version, verified_with);
    return out;
}
