/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "fake_api.h"

#include "base/clock.h"
#include "common/kube/calls.h"
#include "common/kube/client.h"

#define TOKEN "{token: t0ken}"

#define STATUS(code, reason, message)                                                              \
    "{\"kind\":\"Status\",\"status\":\"Failure\",\"code\":" #code ",\"reason\":\"" reason          \
    "\",\"message\":\"" message "\"}"

/* The client's waits, which nobody waits for here: clock_sleep() is wrapped by the linker. */
static int64_t waits[32];
static size_t wait_count;
static int sleep_result;

int __wrap_clock_sleep(const struct casb_call *call, int64_t ns);
int __wrap_clock_sleep(const struct casb_call *call, int64_t ns)
{
    (void)call;
    assert_true(wait_count < ELEMENTS(waits));
    waits[wait_count++] = ns;
    return sleep_result;
}

/* How long the last try might have taken: http_perform() is wrapped as well. */
static int64_t last_timeout_ns, last_idle_timeout_ns;
static bool stalled; /* no try comes to an end */
static size_t tries;

int __real_http_perform(struct http_client *client, const struct casb_call *call,
                        const struct http_request *request, struct http_response *ret,
                        struct casb_error *err);
int __wrap_http_perform(struct http_client *client, const struct casb_call *call,
                        const struct http_request *request, struct http_response *ret,
                        struct casb_error *err);
int __wrap_http_perform(struct http_client *client, const struct casb_call *call,
                        const struct http_request *request, struct http_response *ret,
                        struct casb_error *err)
{
    last_timeout_ns = request->timeout_ns;
    last_idle_timeout_ns = request->idle_timeout_ns;
    tries++;
    *ret = (struct http_response){.retry_after_ns = -1};
    if (stalled)
        return err_set(err, CASB_ETIMEOUT, "no answer in time");
    return __real_http_perform(client, call, request, ret, err);
}

static int reset(void **state)
{
    (void)state;
    wait_count = 0;
    sleep_result = 0;
    stalled = false;
    tries = 0;
    return 0;
}

/* One request against a script. */
struct trial {
    enum kube_verb verb;
    int result;
    int http;
    bool unknown;
    size_t requests;
    const char *text; /* part of the message */
};

static void try_script(const struct fake_reply *script, size_t count, const struct trial *want)
{
    struct fake_api *api = fake_api_start(script, count);
    struct kube *kube = fake_api_client(api, TOKEN);
    struct casb_call call = fake_call();
    struct casb_error err = {0};
    json_t *answer = NULL;
    json_t *body = json_pack("{s:s}", "a", "b");
    bool unknown = false;
    int r = kube_request(kube, &call,
                         &(struct kube_request){
                             .verb = want->verb,
                             .path = "/api/v1/namespaces/ns/pods",
                             .body = want->verb == KUBE_GET ? NULL : body,
                         },
                         &answer, &unknown, &err);

    if (r != want->result || err.http != want->http || unknown != want->unknown ||
        fake_api_count(api) != want->requests || (want->text && !strstr(err.text, want->text)))
        fail_msg("got %d, http %d, unknown %d, %zu requests: %s", r, err.http, unknown,
                 fake_api_count(api), err.text);
    for (size_t i = 0; i < fake_api_count(api); i++)
        assert_string_equal(fake_api_request(api, i)->body,
                            want->verb == KUBE_GET ? "" : "{\"a\":\"b\"}");
    assert_true(!answer == !!r);
    json_decref(answer);
    json_decref(body);
    kube_close(kube);
    fake_api_stop(api);
}

#define TRY(script, ...) try_script(script, ELEMENTS(script), &(struct trial){__VA_ARGS__})

static void a_request_carries_token_query_and_body(void **state)
{
    static const struct fake_reply script[] = {{201, "{\"kind\":\"Pod\"}"}};
    struct fake_api *api = FAKE_API(script);
    struct kube *kube = fake_api_client(api, "{token: t0ken, as: ann}");
    const struct kube_query query[] = {
        {"labelSelector", "a!=b,c in (d)"}, {"x", "1"}, {NULL, NULL}};
    struct casb_call call = fake_call();
    json_t *body = json_pack("{s:s}", "a", "b");
    json_t *answer = NULL;

    (void)state;
    assert_int_equal(
        kube_request(kube, &call,
                     &(struct kube_request){KUBE_MERGE_PATCH, "/api/v1/x", query, body}, &answer,
                     NULL, NULL),
        0);
    assert_string_equal(json_string_value(json_object_get(answer, "kind")), "Pod");
    assert_string_equal(fake_api_request(api, 0)->line,
                        "PATCH /api/v1/x?labelSelector=a%21%3Db%2Cc%20in%20%28d%29&x=1");
    assert_string_equal(fake_api_request(api, 0)->authorization, "Bearer t0ken");
    assert_string_equal(fake_api_request(api, 0)->impersonate, "ann");
    assert_string_equal(fake_api_request(api, 0)->type, "application/merge-patch+json");
    assert_string_equal(kube_namespace(kube), "ns");
    assert_false(kube_is_in_cluster(kube));
    json_decref(answer);
    json_decref(body);
    kube_close(kube);
    fake_api_stop(api);
}

static void a_password_becomes_basic_authentication(void **state)
{
    static const struct fake_reply script[] = {{200, "{}"}};
    struct fake_api *api = FAKE_API(script);
    struct kube *kube = fake_api_client(api, "{username: ann, password: pw}");
    struct casb_call call = fake_call();

    (void)state;
    assert_int_equal(
        kube_request(kube, &call, &(struct kube_request){.path = "/version"}, NULL, NULL, NULL), 0);
    assert_string_equal(fake_api_request(api, 0)->authorization, "Basic YW5uOnB3");
    kube_close(kube);
    fake_api_stop(api);
}

static void statuses_give_classes_and_messages(void **state)
{
    static const struct {
        struct fake_reply reply;
        int result;
        const char *text;
    } cases[] = {
        {{400, STATUS(400, "BadRequest", "container is waiting")},
         CASB_EINVALID,
         "GET /api/v1/namespaces/ns/pods: container is waiting (BadRequest, HTTP 400)"},
        {{403, STATUS(403, "Forbidden", "pods is forbidden")},
         CASB_EDENIED,
         "pods is forbidden (Forbidden, HTTP 403)"},
        {{404, STATUS(404, "NotFound", "no pod")}, CASB_ENOTFOUND, "no pod (NotFound, HTTP 404)"},
        {{405, NULL}, CASB_EINVALID, "(HTTP 405)"},
        {{409, STATUS(409, "Conflict", "modified")},
         CASB_ECONFLICT,
         "modified (Conflict, HTTP 409)"},
        {{410, STATUS(410, "Expired", "too old")}, CASB_ECONFLICT, "too old (Expired, HTTP 410)"},
        {{413, "too large"}, CASB_EINVALID, "too large (HTTP 413)"},
        {{422, STATUS(422, "Invalid", "bad name")}, CASB_EINVALID, "bad name (Invalid, HTTP 422)"},
        {{302, ""}, CASB_EFAILED, "(HTTP 302)"},
        {{404, "<html>\n<b>not\x1b[31m here</b>", NULL, "text/html"},
         CASB_ENOTFOUND,
         "<html> <b>not"},
        {{401, "who are you?", NULL, "text/plain"}, CASB_EDENIED, "who are you? (HTTP 401)"},
        {{403, "{\"kind\":\"Status\",\"status\":\"Success\",\"message\":\"fine\"}"},
         CASB_EDENIED,
         "(HTTP 403)"},
        {{404, "{\"message\":\"no kind\"}"}, CASB_ENOTFOUND, "(HTTP 404)"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++)
        try_script(&cases[i].reply, 1,
                   &(struct trial){KUBE_GET, cases[i].result, cases[i].reply.status, false, 1,
                                   cases[i].text});
    assert_int_equal(wait_count, 0);
}

static void an_invited_retry_waits_as_long_as_asked_and_a_little_more(void **state)
{
    static const struct fake_reply script[] = {
        {429, STATUS(429, "TooManyRequests", "slow down"), "7"}, {200, "{}"}};

    (void)state;
    TRY(script, KUBE_POST, 0, 0, false, 2);
    assert_int_equal(wait_count, 1);
    assert_in_range(waits[0], 7 * CLOCK_S, 7 * CLOCK_S + 7 * CLOCK_S / 2);
}

static void an_invited_retry_may_come_soon(void **state)
{
    static const struct fake_reply script[] = {{429, "", "0"}, {429, ""}, {200, "{}"}};

    (void)state;
    TRY(script, KUBE_POST, 0, 0, false, 3);
    assert_true(waits[0] < CLOCK_S && waits[1] < CLOCK_S);
}

static void invitations_end_some_time(void **state)
{
    struct fake_reply script[20];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(script); i++)
        script[i] = (struct fake_reply){429, STATUS(429, "TooManyRequests", "slow down"), "1"};
    TRY(script, KUBE_GET, CASB_EUNREACHABLE, 429, false, 11,
        "after 11 tries: GET /api/v1/namespaces/ns/pods: slow down (TooManyRequests, HTTP 429)");
}

static void a_wait_that_leaves_little_time_is_stretched_by_less(void **state)
{
    static const struct fake_reply script[] = {{429, "", "50"}, {200, "{}"}};

    (void)state;
    TRY(script, KUBE_GET, 0, 0, false, 2);
    assert_in_range(waits[0], 50 * CLOCK_S, 55 * CLOCK_S);
}

static void who_is_asked_to_wait_beyond_the_deadline_tries_as_without_being_asked(void **state)
{
    static const enum kube_verb verbs[] = {KUBE_GET, KUBE_DELETE, KUBE_POST};
    static const struct fake_reply script[] = {{429, "", "60"}, {503, "", "3600"}, {200, "{}"}};
    static const struct fake_reply unclear[] = {{502, "", "3600"}, {200, "{}"}};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(verbs); i++) {
        wait_count = 0;
        TRY(script, verbs[i], 0, 0, false, 3);
        assert_in_range(waits[0], 250 * CLOCK_MS, 500 * CLOCK_MS);
        assert_in_range(waits[1], 500 * CLOCK_MS, CLOCK_S);
    }
    TRY(unclear, KUBE_POST, CASB_EUNREACHABLE, 502, true, 1);
}

static void what_was_asked_for_in_vain_is_said(void **state)
{
    struct fake_reply script[12];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(script); i++)
        script[i] = (struct fake_reply){429, STATUS(429, "TooManyRequests", "slow down"), "3600"};
    TRY(script, KUBE_DELETE, CASB_EUNREACHABLE, 429, false, 11,
        "after 11 tries, asked to wait for 3600 s: DELETE /api/v1/namespaces/ns/pods: slow down");
}

static void a_wait_beyond_the_deadline_is_not_begun(void **state)
{
    static const struct fake_reply script[] = {{500, ""}, {200, "{}"}};
    struct fake_api *api = FAKE_API(script);
    struct kube *kube = fake_api_client(api, TOKEN);
    struct casb_call call = {clock_now_ns() + 200 * CLOCK_MS, -1};

    (void)state;
    assert_int_equal(
        kube_request(kube, &call, &(struct kube_request){.path = "/version"}, NULL, NULL, NULL),
        CASB_EUNREACHABLE);
    assert_int_equal(wait_count, 0);
    kube_close(kube);
    fake_api_stop(api);
}

static void a_wait_that_is_cancelled_ends_the_request(void **state)
{
    static const struct fake_reply script[] = {{500, ""}, {200, "{}"}};

    (void)state;
    sleep_result = CASB_ECANCELLED;
    TRY(script, KUBE_GET, CASB_ECANCELLED, 500, false, 1);
}

static void server_errors_are_tried_again_with_growing_waits(void **state)
{
    static const struct fake_reply script[] = {
        {500, ""}, {504, ""}, {502, "<html>bad gateway"}, {200, "{}"}};

    (void)state;
    TRY(script, KUBE_GET, 0, 0, false, 4);
    assert_int_equal(wait_count, 3);
    assert_in_range(waits[0], 250 * CLOCK_MS, 500 * CLOCK_MS);
    assert_in_range(waits[1], 500 * CLOCK_MS, CLOCK_S);
    assert_in_range(waits[2], CLOCK_S, 2 * CLOCK_S);
}

static void server_errors_without_end_are_an_error(void **state)
{
    static const struct fake_reply script[] = {
        {500, ""}, {500, ""}, {500, ""}, {500, STATUS(500, "InternalError", "boom")}, {200, "{}"}};

    (void)state;
    TRY(script, KUBE_DELETE, CASB_EUNREACHABLE, 500, false, 4, "boom (InternalError, HTTP 500)");
}

static void the_first_cause_is_said_beside_the_last(void **state)
{
    static const struct fake_reply script[] = {
        {500, STATUS(500, "InternalError", "first")}, {502, "x"}, {502, "y"}, {403, "last"}};

    (void)state;
    TRY(script, KUBE_DELETE, CASB_EDENIED, 403, false, 4,
        "after 4 tries: DELETE /api/v1/namespaces/ns/pods: last (HTTP 403); "
        "before that: first (InternalError, HTTP 500)");
}

static void a_cut_connection_is_tried_again_where_it_can_be_repeated(void **state)
{
    static const struct fake_reply script[] = {
        {0}, {.status = 200, .body = "{\"a\"", .cut = true}, {200, "{}"}};

    (void)state;
    TRY(script, KUBE_GET, 0, 0, false, 3);
    TRY(script, KUBE_PUT, 0, 0, false, 3);
    TRY(script, KUBE_DELETE, 0, 0, false, 3);
    TRY(script, KUBE_MERGE_PATCH, 0, 0, false, 3);
}

static void a_lost_post_is_never_repeated(void **state)
{
    static const struct fake_reply closed[] = {{0}, {201, "{}"}};
    static const struct fake_reply cut[] = {{.status = 201, .body = "{\"a\"", .cut = true},
                                            {201, "{}"}};
    static const struct fake_reply failed[] = {
        {500, STATUS(500, "InternalError", "etcdserver: request timed out")}, {201, "{}"}};
    static const struct fake_reply garbage[] = {{201, "<html>"}, {201, "{}"}};

    (void)state;
    TRY(closed, KUBE_POST, CASB_EUNREACHABLE, 0, true, 1);
    TRY(cut, KUBE_POST, CASB_EUNREACHABLE, 0, true, 1);
    TRY(failed, KUBE_POST, CASB_EUNREACHABLE, 500, true, 1);
    TRY(garbage, KUBE_POST, CASB_EINVALID, 0, true, 1);
}

static void what_nobody_reads_of_an_answer_is_not_asked_for(void **state)
{
    static const struct fake_reply script[] = {{200, "{}"}, {200, "{}"}, {200, "{}"}};
    static const struct {
        bool metadata, answer, whole;
    } cases[] = {{false, true, true}, {true, true, false}, {false, false, false}};
    struct fake_api *api = FAKE_API(script);
    struct kube *kube = fake_api_client(api, TOKEN);
    struct casb_call call = fake_call();

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        const struct kube_request request = {
            .verb = KUBE_DELETE, .path = "/api/v1/x", .metadata = cases[i].metadata};
        json_auto_t *answer = NULL;

        assert_int_equal(
            kube_request(kube, &call, &request, cases[i].answer ? &answer : NULL, NULL, NULL), 0);
        assert_string_equal(
            fake_api_request(api, i)->accept,
            cases[i].whole ? "application/json, */*"
                           : "application/"
                             "vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io, "
                             "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io, "
                             "application/json, */*");
    }
    kube_close(kube);
    fake_api_stop(api);
}

/* Also a POST: it was refused for what it accepts. */
static void who_refuses_protobuf_is_asked_for_json_from_then_on(void **state)
{
    static const struct fake_reply script[] = {
        {200, "{}"}, {406, STATUS(406, "NotAcceptable", "json")}, {201, "{}"}, {200, "{}"}};
    static const char json[] = "application/json, */*";
    static const char protobuf[] = "application/vnd.kubernetes.protobuf";
    const struct kube_request get = {.path = "/version"}, post = {KUBE_POST, "/api/v1/x"};
    struct fake_api *api = FAKE_API(script);
    struct kube *kube = fake_api_client(api, TOKEN);
    struct casb_call call = fake_call();

    (void)state;
    assert_int_equal(kube_request(kube, &call, &get, NULL, NULL, NULL), 0);
    assert_int_equal(kube_request(kube, &call, &post, NULL, NULL, NULL), 0);
    assert_int_equal(kube_request(kube, &call, &get, NULL, NULL, NULL), 0);
    assert_int_equal(fake_api_count(api), 4);
    for (size_t i = 0; i < 2; i++)
        assert_non_null(strstr(fake_api_request(api, i)->accept, protobuf));
    for (size_t i = 2; i < 4; i++)
        assert_string_equal(fake_api_request(api, i)->accept, json);
    assert_int_equal(wait_count, 0);
    kube_close(kube);
    fake_api_stop(api);
}

static void a_406_to_a_request_for_json_is_final(void **state)
{
    static const struct fake_reply script[] = {{406, STATUS(406, "NotAcceptable", "nothing")}};

    (void)state;
    TRY(script, KUBE_GET, CASB_EINVALID, 406, false, 1, "nothing (NotAcceptable, HTTP 406)");
}

static void a_kept_connection_that_broke_repeats_what_is_not_sent_once(void **state)
{
    static const struct fake_reply script[] = {{200, "{}"}, {0}, {201, "{}"}};

    (void)state;
    for (int once = 0; once < 2; once++) {
        struct fake_api *api = FAKE_API(script);
        struct kube *kube = fake_api_client(api, TOKEN);
        struct casb_call call = fake_call();
        json_t *body = json_object();
        const struct kube_request get = {KUBE_GET, "/api/v1/nodes/a"};
        const struct kube_request post = {KUBE_POST, "/api/v1/x", NULL, body, once};
        bool unknown = false;

        assert_int_equal(kube_request(kube, &call, &get, NULL, NULL, NULL), 0);
        assert_int_equal(kube_request(kube, &call, &post, NULL, &unknown, NULL),
                         once ? CASB_EUNREACHABLE : 0);
        assert_int_equal(unknown, once);
        assert_int_equal(fake_api_count(api), once ? 2 : 3);
        json_decref(body);
        kube_close(kube);
        fake_api_stop(api);
    }
}

static void a_refused_post_is_certain(void **state)
{
    static const struct fake_reply script[] = {{409, STATUS(409, "AlreadyExists", "there")}};

    (void)state;
    TRY(script, KUBE_POST, CASB_ECONFLICT, 409, false, 1, "there (AlreadyExists, HTTP 409)");
}

static void garbage_is_no_answer(void **state)
{
    static const struct fake_reply script[] = {{200, "{\"a\":"}};

    (void)state;
    TRY(script, KUBE_GET, CASB_EINVALID, 0, false, 1, "answer of the API server");
}

/* A gateway's, which says 200 to everything. */
static void a_status_that_says_failure_counts_whatever_http_says(void **state)
{
    /* Status {status "Failure", message "m", code 503} */
    static const char encoded[] = "k8s\0\n\x0c\n\2v1\x12\6Status"
                                  "\x12\x0f\x12\7Failure\x1a\1m0\xf7\3";
    static const struct {
        struct fake_reply reply;
        enum kube_verb verb;
        int result, http;
        bool unknown;
        size_t requests;
        const char *text;
    } cases[] = {
        {{200, STATUS(401, "Unauthorized", "who?")}, KUBE_GET, CASB_EDENIED, 401, false, 1, "who?"},
        {{200, STATUS(403, "Forbidden", "no")}, KUBE_POST, CASB_EDENIED, 403, false, 1, "no"},
        {{200, STATUS(409, "Conflict", "x")}, KUBE_PUT, CASB_ECONFLICT, 409, false, 1, NULL},
        {{202, STATUS(503, "", "busy")}, KUBE_DELETE, CASB_EUNREACHABLE, 503, false, 4, "busy"},
        {{201, STATUS(503, "", "busy")}, KUBE_POST, CASB_EUNREACHABLE, 503, true, 1, "busy"},
        {{200, STATUS(200, "", "odd")}, KUBE_MERGE_PATCH, CASB_EUNREACHABLE, 500, false, 4, "odd"},
        {{200, "{\"kind\": \"Status\"}"}, KUBE_GET, CASB_EUNREACHABLE, 500, false, 4, "HTTP 500"},
        {{200, encoded, .len = sizeof encoded - 1},
         KUBE_GET,
         CASB_EUNREACHABLE,
         503,
         false,
         4,
         "m (HTTP 503)"},
        {{200, "{\"kind\":\"Status\",\"status\":\"Success\"}"}, KUBE_DELETE, 0, 0, false, 1, NULL},
        {{200, "{\"kind\":\"Pod\",\"reason\":\"Status\"}"}, KUBE_GET, 0, 0, false, 1, NULL},
    };
    struct fake_reply script[4];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        for (size_t n = 0; n < ELEMENTS(script); n++)
            script[n] = cases[i].reply;
        try_script(script, ELEMENTS(script),
                   &(struct trial){cases[i].verb, cases[i].result, cases[i].http, cases[i].unknown,
                                   cases[i].requests, cases[i].text});
    }
}

/* Nobody wants what a deletion answers, but whether it says no. */
static void a_failure_is_seen_where_no_answer_is_wanted(void **state)
{
    static const struct fake_reply script[] = {{200, STATUS(403, "Forbidden", "no")}};
    struct fake_api *api = FAKE_API(script);
    struct kube *kube = fake_api_client(api, TOKEN);
    const struct kube_request request = {KUBE_DELETE, "/api/v1/x"};
    struct casb_call call = fake_call();

    (void)state;
    assert_int_equal(kube_request(kube, &call, &request, NULL, NULL, NULL), CASB_EDENIED);
    kube_close(kube);
    fake_api_stop(api);
}

static void a_page_of_a_gateway_is_no_answer_either(void **state)
{
    static const struct fake_reply page[] = {{200, " <html>\n<title>Log in"}};
    static const struct fake_reply nothing[] = {{204, ""}};

    (void)state;
    TRY(page, KUBE_GET, CASB_EINVALID, 0, false, 1,
        "answer of the API server is no JSON: '<html> <title>Log in' (HTTP 200)");
    TRY(page, KUBE_POST, CASB_EINVALID, 0, true, 1, "is no JSON: '<html> <title>Log in'");
    TRY(nothing, KUBE_GET, CASB_EINVALID, 0, false, 1, "is no JSON: '' (HTTP 204)");
}

/* PartialObjectMetadata {metadata {uid "u"}}, and what is left of it on the way. */
static void protobuf_that_is_damaged_is_no_answer(void **state)
{
    static const char whole[] =
        "k8s\0\n\x1b\n\x02v1\x12\x15PartialObjectMetadata\x12\x05\n\x03*\1u";
    struct fake_reply script[] = {{201, whole, .len = sizeof whole - 1}};

    (void)state;
    TRY(script, KUBE_POST, 0, 0, false, 1);
    for (size_t len = 5; len < sizeof whole - 1; len++) {
        if (len == 33) /* where its kind ends: an object of which nothing was sent */
            continue;
        script[0].len = len;
        TRY(script, KUBE_POST, CASB_EINVALID, 0, true, 1, "cannot be decoded");
    }
}

static void a_refused_static_token_is_final(void **state)
{
    static const struct fake_reply script[] = {{401, STATUS(401, "Unauthorized", "Unauthorized")},
                                               {200, "{}"}};

    (void)state;
    TRY(script, KUBE_GET, CASB_EDENIED, 401, false, 1, "Unauthorized (Unauthorized, HTTP 401)");
}

static void a_call_that_is_over_asks_nothing(void **state)
{
    static const struct fake_reply script[] = {{200, "{}"}};
    struct fake_api *api = FAKE_API(script);
    struct kube *kube = fake_api_client(api, TOKEN);
    const struct casb_call over = {clock_now_ns() - 1, -1};

    (void)state;
    assert_int_equal(
        kube_request(kube, &over, &(struct kube_request){.path = "/version"}, NULL, NULL, NULL),
        CASB_ETIMEOUT);
    assert_int_equal(fake_api_count(api), 0);
    kube_close(kube);
    fake_api_stop(api);
}

/* One text against a script. */
static void try_text(const struct fake_reply *script, size_t count, int result, size_t requests)
{
    struct fake_api *api = fake_api_start(script, count);
    struct kube *kube = fake_api_client(api, TOKEN);
    struct casb_call call = fake_call();
    struct casb_error err = {0};
    struct buf out = BUF_INIT(16);
    int r = kube_text(kube, &call, "/api/v1/namespaces/ns/pods/p/log", NULL, &out, &err);

    if (r != result || fake_api_count(api) != requests)
        fail_msg("got %d, %zu requests: %s", r, fake_api_count(api), err.text);
    if (r == 0)
        assert_string_equal(buf_text(&out), "abc");
    buf_free(&out);
    kube_close(kube);
    fake_api_stop(api);
}

static void an_answer_to_a_request_for_text_is_final_unless_the_api_says_later(void **state)
{
    static const struct fake_reply failed[] = {{502, "dial tcp: i/o timeout"}, {200, "abc"}};
    static const struct fake_reply cut[] = {{.status = 200, .body = "a", .cut = true},
                                            {200, "abc"}};
    static const struct fake_reply invited[] = {{429, "slow down", "1"}, {200, "abc"}};

    (void)state;
    try_text(failed, ELEMENTS(failed), CASB_EUNREACHABLE, 1);
    try_text(cut, ELEMENTS(cut), CASB_EUNREACHABLE, 1);
    try_text(invited, ELEMENTS(invited), 0, 2);
    assert_int_equal(last_timeout_ns, 10 * CLOCK_S);
}

static void a_text_is_asked_for_again_where_the_connection_broke(void **state)
{
    static const struct fake_reply closed[] = {{0}, {0}, {200, "abc"}};
    static const struct fake_reply gone[] = {{0}, {0}, {0}, {0}, {200, "abc"}};

    (void)state;
    try_text(closed, ELEMENTS(closed), 0, 3);
    assert_int_equal(wait_count, 2);
    try_text(gone, ELEMENTS(gone), CASB_EUNREACHABLE, 4);
}

static void a_text_that_takes_too_long_is_not_asked_for_again(void **state)
{
    static const struct fake_reply script[] = {{200, "abc"}};

    (void)state;
    stalled = true;
    try_text(script, ELEMENTS(script), CASB_ETIMEOUT, 0);
    assert_int_equal(tries, 1);
    TRY(script, KUBE_GET, CASB_EUNREACHABLE, 0, false, 0, "after 4 tries");
    assert_int_equal(tries, 5);
}

static int take_item(const json_t *item, void *arg)
{
    (void)item;
    (void)arg;
    return 0;
}

/* By a narrow way a page of 500 Nodes comes for longer than any other answer. */
static void a_page_of_a_list_may_take_its_time_if_it_flows(void **state)
{
    static const struct fake_reply script[] = {
        {200, "{\"kind\":\"NodeList\",\"metadata\":{},\"items\":[]}"}, {200, "{}"}};
    struct fake_api *api = FAKE_API(script);
    struct kube *kube = fake_api_client(api, TOKEN);
    const struct kube_request get = {.path = "/version"};
    struct casb_call call = fake_call();
    char version[KUBE_VERSION_BYTES];

    (void)state;
    assert_int_equal(kube_list(kube, &call, "/api/v1/nodes", NULL, take_item, NULL, version, NULL),
                     0);
    assert_int_equal(last_timeout_ns, 300 * CLOCK_S);
    assert_int_equal(last_idle_timeout_ns, 30 * CLOCK_S);
    assert_int_equal(kube_request(kube, &call, &get, NULL, NULL, NULL), 0);
    assert_int_equal(last_timeout_ns, 30 * CLOCK_S);
    kube_close(kube);
    fake_api_stop(api);
}

static void a_text_is_cut_at_its_limit(void **state)
{
    static const struct fake_reply script[] = {{.status = 200, .body = "0123456789"}};
    struct fake_api *api = FAKE_API(script);
    struct kube *kube = fake_api_client(api, TOKEN);
    struct casb_call call = fake_call();
    struct buf out = BUF_INIT(4);

    (void)state;
    assert_int_equal(kube_text(kube, &call, "/x", NULL, &out, NULL), 0);
    assert_string_equal(buf_text(&out), "0123");
    buf_free(&out);
    kube_close(kube);
    fake_api_stop(api);
}

static void a_long_refusal_is_cut(void **state)
{
    size_t len = 1024 * 1024;
    char *body = calloc(1, len + 1);
    const struct fake_reply script[] = {{403, body}, {403, body}};
    struct fake_api *api = FAKE_API(script);
    struct kube *kube = fake_api_client(api, TOKEN);
    struct casb_call call = fake_call();
    struct buf out = BUF_INIT(4);

    (void)state;
    assert_non_null(body);
    memset(body, '.', len);
    for (int text = 0; text < 2; text++) {
        const struct kube_request get = {.path = "/x"};
        struct casb_error err = {0};

        assert_int_equal(text ? kube_text(kube, &call, "/x", NULL, &out, &err)
                              : kube_request(kube, &call, &get, NULL, NULL, &err),
                         CASB_EDENIED);
        assert_non_null(strstr(err.text, "... (HTTP 403)"));
    }
    kube_close(kube);
    fake_api_stop(api);
    free(body);
}

static void a_permission_is_asked_for(void **state)
{
    static const struct fake_reply script[] = {{201, "{\"status\":{\"allowed\":true}}"},
                                               {201, "{\"status\":{}}"}};
    struct fake_api *api = FAKE_API(script);
    struct kube *kube = fake_api_client(api, TOKEN);
    struct casb_call call = fake_call();
    bool allowed = false;
    json_t *asked, *want;

    (void)state;
    assert_int_equal(kube_allowed(kube, &call, "get", "", "pods/log", "ns", NULL, &allowed, NULL),
                     0);
    assert_true(allowed);
    asked = json_loads(fake_api_request(api, 0)->body, 0, NULL);
    want = json_pack("{s:s, s:s, s:s, s:s, s:s}", "verb", "get", "group", "", "resource", "pods",
                     "subresource", "log", "namespace", "ns");
    assert_true(
        json_equal(json_object_get(json_object_get(asked, "spec"), "resourceAttributes"), want));
    json_decref(want);
    json_decref(asked);
    assert_int_equal(kube_allowed(kube, &call, "list", "", "nodes", NULL, NULL, &allowed, NULL), 0);
    assert_false(allowed);
    kube_close(kube);
    fake_api_stop(api);
}

static void calls_are_named_by_verb_and_resource(void **state)
{
    static const struct {
        const char *method, *path;
        bool watch;
        const char *want;
    } cases[] = {
        {"GET", "/api/v1/nodes", false, "list nodes"},
        {"GET", "/api/v1/nodes/a", false, "get nodes"},
        {"GET", "/api/v1/pods", true, "watch pods"},
        {"GET", "/api/v1/namespaces/x/pods", false, "list pods"},
        {"GET", "/api/v1/namespaces/x/pods/y/log", false, "get pods/log"},
        {"POST", "/api/v1/namespaces/x/pods", false, "create pods"},
        {"GET", "/api/v1/namespaces", false, "list namespaces"},
        {"GET", "/api/v1/namespaces/x", false, "get namespaces"},
        {"PUT", "/apis/coordination.k8s.io/v1/namespaces/x/leases/y", false, "update leases"},
        {"PATCH", "/api/v1/namespaces/x/configmaps/y", false, "patch configmaps"},
        {"DELETE", "/api/v1/namespaces/x/pods/y", false, "delete pods"},
        {"GET", "/version", false, "get /version"},
        {"GET", "/api", false, "get /api"},
        {"GET", "", false, "get "},
    };
    char out[CALLS_NAME_BYTES];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++)
        assert_string_equal(calls_name(out, cases[i].method, cases[i].path, cases[i].watch),
                            cases[i].want);
}

static void calls_are_counted(void **state)
{
    struct calls calls;
    char *text;

    (void)state;
    assert_int_equal(calls_init(&calls), 0);
    calls_add(&calls, "list nodes", 1);
    calls_add(&calls, "create pods", 1);
    calls_add(&calls, "list nodes", 1);
    text = calls_dump(&calls);
    assert_string_equal(text, "{\"list nodes\":2,\"create pods\":1}");
    free(text);
    calls_free(&calls);
}

#define TEST(f) cmocka_unit_test_setup(f, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_carries_token_query_and_body),
        TEST(a_password_becomes_basic_authentication),
        TEST(statuses_give_classes_and_messages),
        TEST(an_invited_retry_waits_as_long_as_asked_and_a_little_more),
        TEST(an_invited_retry_may_come_soon),
        TEST(invitations_end_some_time),
        TEST(a_wait_that_leaves_little_time_is_stretched_by_less),
        TEST(who_is_asked_to_wait_beyond_the_deadline_tries_as_without_being_asked),
        TEST(what_was_asked_for_in_vain_is_said),
        TEST(a_wait_beyond_the_deadline_is_not_begun),
        TEST(a_wait_that_is_cancelled_ends_the_request),
        TEST(server_errors_are_tried_again_with_growing_waits),
        TEST(server_errors_without_end_are_an_error),
        TEST(the_first_cause_is_said_beside_the_last),
        TEST(a_cut_connection_is_tried_again_where_it_can_be_repeated),
        TEST(a_lost_post_is_never_repeated),
        TEST(what_nobody_reads_of_an_answer_is_not_asked_for),
        TEST(who_refuses_protobuf_is_asked_for_json_from_then_on),
        TEST(a_406_to_a_request_for_json_is_final),
        TEST(a_kept_connection_that_broke_repeats_what_is_not_sent_once),
        TEST(a_refused_post_is_certain),
        TEST(garbage_is_no_answer),
        TEST(a_status_that_says_failure_counts_whatever_http_says),
        TEST(a_failure_is_seen_where_no_answer_is_wanted),
        TEST(a_page_of_a_gateway_is_no_answer_either),
        TEST(protobuf_that_is_damaged_is_no_answer),
        TEST(a_refused_static_token_is_final),
        TEST(a_call_that_is_over_asks_nothing),
        TEST(an_answer_to_a_request_for_text_is_final_unless_the_api_says_later),
        TEST(a_text_is_asked_for_again_where_the_connection_broke),
        TEST(a_text_that_takes_too_long_is_not_asked_for_again),
        TEST(a_page_of_a_list_may_take_its_time_if_it_flows),
        TEST(a_text_is_cut_at_its_limit),
        TEST(a_long_refusal_is_cut),
        TEST(a_permission_is_asked_for),
        TEST(calls_are_named_by_verb_and_resource),
        TEST(calls_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
