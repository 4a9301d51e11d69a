/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "fake_api.h"

#include "base/clock.h"
#include "common/kube/client.h"
#include "common/kube/watch.h"

#define EVENT(type, name, version)                                                                 \
    "{\"type\":\"" type "\",\"object\":{\"metadata\":{\"name\":\"" name                            \
    "\",\"resourceVersion\":\"" version "\"}}}\n"
#define FAILURE(code, reason, details)                                                             \
    "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":" #code ",\"reason\":\"" reason  \
    "\",\"message\":\"said so\"" details "}}\n"
#define STOP EVENT("ADDED", "stop", "99")

static int64_t waits[32];
static size_t wait_count;

int __wrap_clock_sleep(const struct casb_call *call, int64_t ns);
int __wrap_clock_sleep(const struct casb_call *call, int64_t ns)
{
    assert_true(wait_count < ELEMENTS(waits));
    waits[wait_count++] = ns;
    return clock_check(call);
}

static int reset(void **state)
{
    (void)state;
    wait_count = 0;
    return 0;
}

/* The names of the objects; "-" in front of a deleted one. "stop" ends the watch with 7. */
static int take(const json_t *object, bool deleted, void *arg)
{
    const char *name =
        json_string_value(json_object_get(json_object_get(object, "metadata"), "name"));
    size_t len = strlen(arg);

    assert_non_null(name);
    if (!strcmp(name, "stop"))
        return 7;
    snprintf((char *)arg + len, 256 - len, "%s%s ", deleted ? "-" : "", name);
    return 0;
}

struct trial {
    int result;
    const char *names;
    size_t requests;
    const char *versions[8]; /* each request's resourceVersion */
    const char *text;
};

static void check_request(struct fake_api *api, size_t i, const char *version)
{
    const char *line = fake_api_request(api, i)->line;
    const char *timeout = strstr(line, "timeoutSeconds=");
    char want[96];

    snprintf(want, sizeof want,
             "GET /api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion=%s&", version);
    if (strncmp(line, want, strlen(want)))
        fail_msg("'%s' does not start with '%s'", line, want);
    assert_non_null(timeout);
    assert_in_range(atol(timeout + 15), 12, 25);
}

static void try_script(const struct fake_reply *script, size_t count, const struct trial *want)
{
    struct fake_api *api = fake_api_start(script, count);
    struct kube *kube = fake_api_client(api, "{token: t0ken}");
    struct casb_call call = fake_call();
    struct casb_error err = {0};
    char names[256] = "";
    int r = kube_watch(kube, &call, "/api/v1/pods", NULL, "1", take, names, &err);

    if (r != want->result || strcmp(names, want->names) || fake_api_count(api) != want->requests ||
        (want->text && !strstr(err.text, want->text)))
        fail_msg("got %d '%s', %zu requests: %s", r, names, fake_api_count(api), err.text);
    for (size_t i = 0; i < want->requests; i++)
        check_request(api, i, want->versions[i]);
    kube_close(kube);
    fake_api_stop(api);
}

#define TRY(script, ...) try_script(script, ELEMENTS(script), &(struct trial){__VA_ARGS__})

static void events_come_in_order(void **state)
{
    static const struct fake_reply script[] = {
        {200, EVENT("ADDED", "a", "2") EVENT("MODIFIED", "a", "3")
                  EVENT("DELETED", "a", "4") "\r\n" STOP EVENT("ADDED", "z", "100")}};

    (void)state;
    TRY(script, 7, "a a -a ", 1, {"1"});
    assert_int_equal(wait_count, 0);
}

static void events_may_come_in_any_pieces(void **state)
{
    static const struct fake_reply script[] = {
        {.status = 200,
         .body = EVENT("ADDED", "a", "2") EVENT("DELETED", "b", "3") STOP,
         .chop = true}};

    (void)state;
    TRY(script, 7, "a -b ", 1, {"1"});
}

/* What a container wrote, a termination message say, may hold any character. */
static void a_nul_in_an_object_ends_nothing(void **state)
{
    static const struct fake_reply script[] = {
        {200, EVENT("ADDED", "a\\u0000b", "2") EVENT("MODIFIED", "c", "3") STOP}};

    (void)state;
    TRY(script, 7, "a c ", 1, {"1"});
}

static void a_closed_watch_resumes_from_the_last_version(void **state)
{
    static const struct fake_reply script[] = {
        {200, EVENT("ADDED", "a", "2")}, {200, EVENT("ADDED", "b", "3")}, {200, STOP}};

    (void)state;
    TRY(script, 7, "a b ", 3, {"1", "2", "3"});
    assert_int_equal(wait_count, 2);
    assert_int_equal(waits[0], 0);
    assert_int_equal(waits[1], 0);
}

static void a_cut_watch_resumes_and_drops_the_half_event(void **state)
{
    static const struct fake_reply script[] = {
        {.status = 200, .body = EVENT("ADDED", "a", "2") "{\"type\":\"ADD", .cut = true},
        {0},
        {200, STOP}};

    (void)state;
    TRY(script, 7, "a ", 3, {"1", "2", "2"});
    assert_true(waits[0] > 0 && waits[1] > 0);
    assert_non_null(strstr(fake_log, "watch broke and is taken up again"));
}

#define BOOKMARK "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"50\"}}}\n"

static void a_bookmark_moves_the_version_only(void **state)
{
    static const struct fake_reply script[] = {{200, EVENT("ADDED", "a", "2") BOOKMARK},
                                               {200, STOP}};

    (void)state;
    TRY(script, 7, "a ", 2, {"1", "50"});
}

static void an_open_watch_without_an_event_is_a_reason_to_list(void **state)
{
    static const struct fake_reply empty[] = {{200, ""}, {200, STOP}};
    static const struct fake_reply bookmark[] = {{200, BOOKMARK}, {200, STOP}};
    static const struct fake_reply later[] = {
        {200, EVENT("ADDED", "a", "2")}, {500, ""}, {200, ""}, {200, STOP}};
    static const struct fake_reply cut[] = {{.status = 200, .body = "{\"type", .cut = true},
                                            {200, STOP}};

    (void)state;
    TRY(empty, CASB_ECONFLICT, "", 1, {"1"}, "list again");
    TRY(bookmark, CASB_ECONFLICT, "", 1, {"1"}, "list again");
    TRY(later, CASB_ECONFLICT, "a ", 3, {"1", "2", "2"}, "list again");
    TRY(cut, CASB_ECONFLICT, "", 1, {"1"}, "list again");
}

static void an_event_resets_the_back_off(void **state)
{
    static const struct fake_reply script[] = {
        {500, ""}, {500, ""}, {200, EVENT("ADDED", "a", "2")}, {500, ""}, {200, STOP}};

    (void)state;
    TRY(script, 7, "a ", 5, {"1", "1", "1", "2", "2"});
    assert_in_range(waits[1], 800 * CLOCK_MS, 1600 * CLOCK_MS);
    assert_int_equal(waits[2], 0);
    assert_in_range(waits[3], 400 * CLOCK_MS, 800 * CLOCK_MS);
}

static void a_version_that_is_too_old_is_the_callers(void **state)
{
    static const struct fake_reply at_once[] = {
        {410, "{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\",\"message\":\"too old\"}"}};
    static const struct fake_reply event[] = {
        {200, EVENT("ADDED", "a", "2") FAILURE(410, "Expired", "")}};
    static const struct fake_reply gone[] = {{200, FAILURE(0, "Gone", "")}};

    (void)state;
    TRY(at_once, CASB_ECONFLICT, "", 1, {"1"}, "too old (Expired, HTTP 410)");
    TRY(event, CASB_ECONFLICT, "a ", 1, {"1"}, "said so (Expired, HTTP 410)");
    TRY(gone, CASB_ECONFLICT, "", 1, {"1"}, "said so");
}

static void errors_in_the_stream_back_off_and_resume(void **state)
{
    static const struct fake_reply script[] = {
        {200, EVENT("ADDED", "a", "2") FAILURE(429, "TooManyRequests", "")},
        {200, FAILURE(500, "InternalError", ",\"details\":{\"retryAfterSeconds\":9}")},
        {200, FAILURE(666, "Odd", "")},
        {200, "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Pod\"}}\n"},
        {200, STOP}};

    (void)state;
    TRY(script, 7, "a ", 5, {"1", "2", "2", "2", "2"});
    assert_int_equal(waits[1], 9 * CLOCK_S);
    for (size_t i = 0; i < wait_count; i++)
        assert_true(waits[i] >= 400 * CLOCK_MS);
}

static void refused_connections_back_off_and_resume(void **state)
{
    static const struct fake_reply script[] = {
        {429, "", "5"}, {500, ""}, {503, ""}, {200, EVENT("ADDED", "a", "2") STOP}};

    (void)state;
    TRY(script, 7, "a ", 4, {"1", "1", "1", "1"});
    assert_true(waits[0] >= 5 * CLOCK_S);
}

/* A list tells what a watch that is to come back in ten minutes does not. */
static void nobody_waits_for_longer_than_a_watch_is_trusted(void **state)
{
    static const struct fake_reply script[] = {
        {503, "", "600"},
        {200, EVENT("ADDED", "a", "2")
                  FAILURE(429, "TooManyRequests", ",\"details\":{\"retryAfterSeconds\":600}")},
        {200, STOP}};

    (void)state;
    TRY(script, 7, "a ", 3, {"1", "1", "2"});
    for (size_t i = 0; i < 2; i++)
        assert_in_range(waits[i], 10 * CLOCK_S, 24 * CLOCK_S);
}

static void refusals_are_final(void **state)
{
    static const int statuses[] = {401, 403};
    static const int missing[] = {404};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(statuses); i++)
        try_script(&(struct fake_reply){statuses[i], ""}, 1,
                   &(struct trial){CASB_EDENIED, "", 1, {"1"}, "GET /api/v1/pods"});
    try_script(&(struct fake_reply){missing[0], ""}, 1,
               &(struct trial){CASB_ENOTFOUND, "", 1, {"1"}, "GET /api/v1/pods"});
}

static void what_is_no_event_is_an_error(void **state)
{
    static const char *const bodies[] = {
        "<html>\n",
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":{}}}\n",
        "{\"type\":\"ADDED\"}\n",
        "{\"object\":{\"metadata\":{\"resourceVersion\":\"2\"}}}\n",
        EVENT("RENAMED", "a", "2"),
        "[]\n",
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(bodies); i++)
        try_script(&(struct fake_reply){200, bodies[i]}, 1,
                   &(struct trial){CASB_EINVALID, "", 1, {"1"}, "GET /api/v1/pods: "});
}

static void the_call_ends_the_watch(void **state)
{
    static const struct fake_reply script[] = {{200, ""}};
    struct fake_api *api = FAKE_API(script);
    struct kube *kube = fake_api_client(api, "{token: t0ken}");
    struct casb_call call = fake_call();
    struct casb_error err = {0};
    char names[256] = "";
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "", 1), 1);
    call.cancel_fd = fds[0];
    assert_int_equal(kube_watch(kube, &call, "/api/v1/pods", NULL, "1", take, names, &err),
                     CASB_ECANCELLED);
    assert_int_equal(err.code, CASB_ECANCELLED);
    close(fds[0]);
    close(fds[1]);
    kube_close(kube);
    fake_api_stop(api);
}

static void lines_have_a_limit(void **state)
{
    struct watch_stream stream = {.version = "1", .pending = BUF_INIT(64), .retry_ns = -1};
    char piece[40];

    (void)state;
    memset(piece, 'x', sizeof piece);
    assert_int_equal(watch_stream_feed(&stream, piece, sizeof piece), 0);
    assert_int_equal(watch_stream_feed(&stream, piece, sizeof piece), 1);
    assert_true(stream.ended);
    assert_int_equal(stream.result, CASB_EINVALID);
    assert_string_equal(stream.err.text, "an event of the watch is too long");
    assert_int_equal(watch_stream_feed(&stream, "\n", 1), 1);
    buf_free(&stream.pending);
}

static int count(const json_t *object, bool deleted, void *arg)
{
    int *events = arg;

    assert_non_null(json_object_get(json_object_get(object, "status"), "phase"));
    assert_null(json_object_get(json_object_get(object, "metadata"), "labels"));
    *events += deleted ? 100 : 1;
    return 0;
}

/* tests/unit/data/watch/protobuf came from an API server: 8 changes, 2 deletions, 2 bookmarks. */
static void protobuf_comes_in_frames(void **state)
{
    char path[400], data[32 * 1024];
    FILE *file = fopen(unit_data(path, sizeof path, "watch/protobuf"), "rb");
    size_t len = fread(data, 1, sizeof data, file);

    (void)state;
    fclose(file);
    for (size_t piece = 1; piece < sizeof data; piece = piece * 3 + 1) {
        int events = 0;
        struct watch_stream stream = {.version = "1",
                                      .event = count,
                                      .arg = &events,
                                      .pending = BUF_INIT(sizeof data),
                                      .retry_ns = -1};

        for (size_t at = 0; at < len; at += piece)
            assert_int_equal(
                watch_stream_feed(&stream, data + at, len - at < piece ? len - at : piece), 0);
        assert_int_equal(events, 208);
        assert_int_equal(stream.pending.len, 0);
        assert_true(strtol(stream.version, NULL, 10) > 1000);
        buf_free(&stream.pending);
    }
}

static void frames_that_are_none_end_the_watch(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *want;
    } cases[] = {
        {"\0\xff\xff\xff", 4, "too long"},
        {"\0\0\0\2\x0a\5", 6, "cannot be decoded"},
        {"\0\0\0\0", 4, "cannot be decoded"},
        {"\0\0\0\7\x0a\5ADDED", 11, "cannot be decoded"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct watch_stream stream = {
            .version = "1", .pending = BUF_INIT(CLIENT_OBJECT_BYTES), .retry_ns = -1};

        assert_int_equal(watch_stream_feed(&stream, cases[i].text, cases[i].len), 1);
        assert_int_equal(stream.result, CASB_EINVALID);
        assert_non_null(strstr(stream.err.text, cases[i].want));
        buf_free(&stream.pending);
    }
}

#define TEST(f) cmocka_unit_test_setup(f, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(events_come_in_order),
        TEST(events_may_come_in_any_pieces),
        TEST(a_nul_in_an_object_ends_nothing),
        TEST(a_closed_watch_resumes_from_the_last_version),
        TEST(a_cut_watch_resumes_and_drops_the_half_event),
        TEST(a_bookmark_moves_the_version_only),
        TEST(an_open_watch_without_an_event_is_a_reason_to_list),
        TEST(an_event_resets_the_back_off),
        TEST(a_version_that_is_too_old_is_the_callers),
        TEST(errors_in_the_stream_back_off_and_resume),
        TEST(refused_connections_back_off_and_resume),
        TEST(nobody_waits_for_longer_than_a_watch_is_trusted),
        TEST(refusals_are_final),
        TEST(what_is_no_event_is_an_error),
        TEST(the_call_ends_the_watch),
        TEST(protobuf_comes_in_frames),
        TEST(frames_that_are_none_end_the_watch),
        TEST(lines_have_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
