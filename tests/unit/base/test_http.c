/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/base/httppair.h"

#include <pthread.h>
#include <stdatomic.h>

/* ---- exchanges */

static void an_answer_has_status_and_body(void **state)
{
    _cleanup_(http_response_free) struct http_response response;

    (void)state;
    assert_int_equal(exchange(answer_text, OK_ANSWER, NULL, &response, NULL), 0);
    assert_int_equal(response.status, 200);
    assert_true(response.answered);
    assert_string_equal(buf_text(&response.body), "hello");
    assert_int_equal(response.retry_after_ns, -1);
}

static void a_redirect_is_an_answer_and_not_followed(void **state)
{
    _cleanup_(http_response_free) struct http_response response;
    static const char text[] = "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/\r\n"
                               "Content-Length: 0\r\n\r\n";

    (void)state;
    assert_int_equal(exchange(answer_text, text, NULL, &response, NULL), 0);
    assert_int_equal(response.status, 302);
    assert_string_equal(buf_text(&response.body), "");
}

static void connections_are_kept_for_all_but_what_is_sent_once(void **state)
{
    const struct testserver_config server = {
        .identity = &pki.good,
        .answer = answer_text,
        .arg = (void *)OK_ANSWER,
    };
    struct pair pair = pair_start(&server, &(struct http_config){.ca_pem = pki.ca_pem});
    static const struct {
        const char *method;
        bool once;
        unsigned connections;
    } steps[] = {
        {"GET", false, 1},    {"POST", false, 1},  {"PUT", false, 1}, {"PATCH", false, 1},
        {"DELETE", false, 1}, {"PATCH", false, 1}, {"POST", true, 2}, {"GET", false, 2},
        {"PUT", true, 3},     {"POST", false, 3},
    };
    long made = 0;

    (void)state;
    for (size_t i = 0; i < ELEMENTS(steps); i++) {
        _cleanup_(http_response_free) struct http_response response;
        struct casb_call call = call_of(10000);
        const struct http_request request = {
            .method = steps[i].method,
            .url = pair.url,
            .body = i ? "x" : NULL,
            .body_len = i ? 1 : 0,
            .once = steps[i].once,
        };

        assert_int_equal(http_perform(pair.client, &call, &request, &response, NULL), 0);
        made += response.connections;
        assert_int_equal(made, steps[i].connections);
        assert_int_equal(testserver_connections(pair.server), steps[i].connections);
    }
    pair_end(&pair);
}

/* Answers the first request and closes on each further one. */
static bool answer_once(struct testpeer *peer, void *arg)
{
    return atomic_fetch_add((atomic_int *)arg, 1) == 0 && testpeer_send(peer, OK_ANSWER);
}

static void a_request_is_repeated_on_a_closed_connection_unless_sent_once(void **state)
{
    static const struct {
        const char *method;
        bool once;
        int requests;
    } table[] = {
        {"GET", false, 3}, {"PUT", false, 3},   {"DELETE", false, 3}, {"POST", false, 3},
        {"POST", true, 2}, {"PATCH", false, 3}, {"PATCH", true, 2},   {"GET", true, 2},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        atomic_int requests = 0;
        const struct testserver_config server = {
            .identity = &pki.good,
            .answer = answer_once,
            .arg = &requests,
        };
        struct pair pair = pair_start(&server, &(struct http_config){.ca_pem = pki.ca_pem});
        struct casb_call call = call_of(10000);
        const struct http_request request = {
            .method = table[i].method,
            .url = pair.url,
            .body = "x",
            .body_len = 1,
            .once = table[i].once,
        };
        struct http_response response;

        assert_int_equal(get(&pair, &response, NULL), 0);
        http_response_free(&response);
        assert_int_equal(http_perform(pair.client, &call, &request, &response, NULL),
                         CASB_EUNREACHABLE);
        assert_false(response.answered);
        http_response_free(&response);
        pair_end(&pair);
        assert_int_equal(requests, table[i].requests);
    }
}

static void retry_after_is_seconds_and_no_date(void **state)
{
    static const struct {
        const char *header;
        int64_t least_s, most_s;
    } table[] = {
        {"Retry-After: 7\r\n", 7, 7},
        {"retry-after: 120\r\n", 120, 120},
        {"Retry-After: 0\r\n", 0, 0},
        {"", -1, -1},
        {"Retry-After: soon\r\n", -1, -1},
        {"Retry-After: -3\r\n", -1, -1},
        {"Retry-After: 7.5\r\n", -1, -1},
        {"Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", -1, -1},
        {"Retry-After: Tue, 01 Jan 2999 00:00:00 GMT\r\n", -1, -1},
        {"Retry-After: 9223372036854775807\r\n", 1000000000, INT64_MAX / CLOCK_S},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        _cleanup_(http_response_free) struct http_response response;
        char text[200];
        int64_t got;

        snprintf(text, sizeof text, "HTTP/1.1 429 No\r\n%sContent-Length: 4\r\n\r\nbusy",
                 table[i].header);
        assert_int_equal(exchange(answer_text, text, NULL, &response, NULL), 0);
        assert_int_equal(response.status, 429);
        assert_string_equal(buf_text(&response.body), "busy");
        got = response.retry_after_ns < 0 ? -1 : response.retry_after_ns / CLOCK_S;
        if (got < table[i].least_s || got > table[i].most_s)
            fail_msg("%s: %lld", table[i].header, (long long)got);
    }
}

static void too_large_an_answer_is_invalid(void **state)
{
    _cleanup_(http_response_free) struct http_response response;
    struct casb_error err = {0};
    const struct http_request request = {.limit_bytes = 4};

    (void)state;
    assert_int_equal(exchange(answer_text, OK_ANSWER, &request, &response, &err), CASB_EINVALID);
    assert_non_null(strstr(err.text, "is larger than 4 bytes"));
    assert_int_equal(response.status, 200);
}

/* Its header, then a body without an end. */
static bool answer_endless_body(struct testpeer *peer, void *arg)
{
    char chunk[8192 + 32] = "2000\r\n";

    memset(chunk + 6, 'x', 8192);
    memcpy(chunk + 6 + 8192, "\r\n", 3);
    testpeer_send(peer, arg);
    while (testpeer_send(peer, chunk))
        ;
    return false;
}

static void an_endless_answer_ends_at_a_limit(void **state)
{
    static const struct {
        const char *status;
        size_t limit_bytes;
        int rc;
        size_t bytes;
    } table[] = {
        {"200 OK", 100000, CASB_EINVALID, 0},
        {"200 OK", 0, CASB_EINVALID, 0},
        {"500 No", 100000, 0, 65536},
        {"500 No", 0, 0, 65536},
        {"403 No", 1000, 0, 1000},
        {"302 Found", 0, 0, 65536},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        _cleanup_(http_response_free) struct http_response response;
        const struct http_request request = {.limit_bytes = table[i].limit_bytes};
        struct casb_error err = {0};
        char text[100];

        snprintf(text, sizeof text, "HTTP/1.1 %s\r\nTransfer-Encoding: chunked\r\n\r\n",
                 table[i].status);
        assert_int_equal(exchange(answer_endless_body, text, &request, &response, &err),
                         table[i].rc);
        assert_int_equal(response.status, atoi(table[i].status));
        if (table[i].rc)
            assert_non_null(strstr(err.text, "is larger than"));
        else
            assert_int_equal(response.body.len, table[i].bytes);
    }
}

/* Nobody asks for a compressed answer, so a small one does not become a large one. */
static void an_answer_is_not_unpacked(void **state)
{
    _cleanup_(http_response_free) struct http_response response;

    (void)state;
    assert_int_equal(exchange(answer_text,
                              "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                              "Content-Length: 5\r\n\r\nhello",
                              NULL, &response, NULL),
                     0);
    assert_string_equal(buf_text(&response.body), "hello");
}

static bool answer_endless_header(struct testpeer *peer, void *arg)
{
    testpeer_send(peer, "HTTP/1.1 200 OK\r\n");
    while (testpeer_send(peer, arg))
        ;
    return false;
}

static void an_endless_header_is_invalid(void **state)
{
    _cleanup_(http_response_free) struct http_response response;
    struct casb_error err = {0};
    char line[4096];

    (void)state;
    memset(line, 'x', sizeof line);
    memcpy(line, "X: ", 3);
    memcpy(line + sizeof line - 3, "\r\n", 3);
    assert_int_equal(exchange(answer_endless_header, line, NULL, &response, &err), CASB_EINVALID);
    assert_non_null(strstr(err.text, "header"));
}

static void a_cut_answer_is_unreachable_but_answered(void **state)
{
    static const char *const texts[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(texts); i++) {
        _cleanup_(http_response_free) struct http_response response;
        struct casb_error err = {0};

        assert_int_equal(exchange(answer_and_close, texts[i], NULL, &response, &err),
                         CASB_EUNREACHABLE);
        assert_true(response.answered);
        assert_int_equal(response.status, 200);
        assert_true(err.retry);
    }
}

static void an_answer_that_is_none_is_not_answered(void **state)
{
    static const char *const texts[] = {"", "SSH-2.0-x\r\n", "HTTP/1.1 100 Continue\r\n\r\n"};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(texts); i++) {
        _cleanup_(http_response_free) struct http_response response;
        struct casb_error err = {0};

        assert_true(exchange(answer_and_close, texts[i], NULL, &response, &err) < 0);
        assert_false(response.answered);
        assert_int_equal(response.status, 0);
    }
}

static void nobody_there_is_unreachable(void **state)
{
    const struct testserver_config config = {.identity = &pki.good, .answer = answer_text};
    struct pair pair = pair_start(&config, &(struct http_config){.ca_pem = pki.ca_pem});
    _cleanup_(http_response_free) struct http_response response;
    struct casb_error err = {0};

    (void)state;
    testserver_stop(pair.server);
    assert_int_equal(get(&pair, &response, &err), CASB_EUNREACHABLE);
    assert_true(err.retry);
    assert_false(response.answered);
    http_client_free(pair.client);
}

/* ---- streams */

struct reader {
    int result;
    size_t bytes;
};

static int read_piece(const char *data, size_t len, void *arg)
{
    struct reader *reader = arg;

    (void)data;
    reader->bytes += len;
    return reader->result;
}

static void a_reader_gets_the_body_and_can_end_it(void **state)
{
    static const char stream[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 "5\r\nhello\r\n";
    static const struct {
        int result, rc;
    } table[] = {{1, 0}, {CASB_ECONFLICT, CASB_ECONFLICT}};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        _cleanup_(http_response_free) struct http_response response;
        struct reader reader = {.result = table[i].result};
        const struct http_request request = {.on_body = read_piece, .arg = &reader};

        assert_int_equal(exchange(answer_and_stall, stream, &request, &response, NULL),
                         table[i].rc);
        assert_int_equal(reader.bytes, 5);
        assert_int_equal(response.body.len, 0);
        assert_int_equal(response.status, 200);
    }
}

static void a_reader_gets_a_whole_body_beyond_the_limit(void **state)
{
    _cleanup_(http_response_free) struct http_response response;
    struct reader reader = {0};
    const struct http_request request = {
        .on_body = read_piece,
        .arg = &reader,
        .limit_bytes = 1,
    };

    (void)state;
    assert_int_equal(exchange(answer_text, OK_ANSWER, &request, &response, NULL), 0);
    assert_int_equal(reader.bytes, 5);
}

static void a_reader_does_not_get_the_body_of_a_failure(void **state)
{
    _cleanup_(http_response_free) struct http_response response;
    struct reader reader = {.result = 1};
    const struct http_request request = {.on_body = read_piece, .arg = &reader};

    (void)state;
    assert_int_equal(exchange(answer_text, "HTTP/1.1 410 Gone\r\nContent-Length: 3\r\n\r\nold",
                              &request, &response, NULL),
                     0);
    assert_int_equal(response.status, 410);
    assert_int_equal(reader.bytes, 0);
    assert_string_equal(buf_text(&response.body), "old");
}

/* ---- threads */

static void *get_often(void *arg)
{
    struct pair *pair = arg;
    intptr_t good = 0;

    for (int i = 0; i < 20; i++) {
        _cleanup_(http_response_free) struct http_response response;

        good += get(pair, &response, NULL) == 0 && strcmp(buf_text(&response.body), "hello") == 0;
    }
    return (void *)good;
}

static void a_client_serves_many_threads(void **state)
{
    const struct testserver_config server = {
        .identity = &pki.good,
        .answer = answer_text,
        .arg = (void *)OK_ANSWER,
    };
    struct pair pair = pair_start(&server, &(struct http_config){.ca_pem = pki.ca_pem});
    pthread_t threads[8];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_often, &pair), 0);
    for (size_t i = 0; i < ELEMENTS(threads); i++) {
        void *good;

        pthread_join(threads[i], &good);
        assert_int_equal((intptr_t)good, 20);
    }
    assert_true(testserver_connections(pair.server) <= ELEMENTS(threads));
    pair_end(&pair);
}

static void texts_are_encoded_for_urls(void **state)
{
    static const struct {
        const char *text, *want;
    } table[] = {
        {"", ""},
        {"abc-XYZ_0.9~", "abc-XYZ_0.9~"},
        {"a=b,c in (d)", "a%3Db%2Cc%20in%20%28d%29"},
        {"a/b%?#&+", "a%2Fb%25%3F%23%26%2B"},
        {"\xc3\xbc\n", "%C3%BC%0A"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        _cleanup_(buf_free) struct buf out = BUF_INIT(100);

        assert_int_equal(http_encode(&out, table[i].text), 0);
        assert_string_equal(buf_text(&out), table[i].want);
    }
}

static void encoding_stops_at_the_limit(void **state)
{
    _cleanup_(buf_free) struct buf out = BUF_INIT(4);

    (void)state;
    assert_int_equal(http_encode(&out, "ab/"), CASB_EINVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_has_status_and_body),
        cmocka_unit_test(a_redirect_is_an_answer_and_not_followed),
        cmocka_unit_test(connections_are_kept_for_all_but_what_is_sent_once),
        cmocka_unit_test(a_request_is_repeated_on_a_closed_connection_unless_sent_once),
        cmocka_unit_test(retry_after_is_seconds_and_no_date),
        cmocka_unit_test(too_large_an_answer_is_invalid),
        cmocka_unit_test(an_endless_answer_ends_at_a_limit),
        cmocka_unit_test(an_answer_is_not_unpacked),
        cmocka_unit_test(an_endless_header_is_invalid),
        cmocka_unit_test(a_cut_answer_is_unreachable_but_answered),
        cmocka_unit_test(an_answer_that_is_none_is_not_answered),
        cmocka_unit_test(nobody_there_is_unreachable),
        cmocka_unit_test(a_reader_gets_the_body_and_can_end_it),
        cmocka_unit_test(a_reader_gets_a_whole_body_beyond_the_limit),
        cmocka_unit_test(a_reader_does_not_get_the_body_of_a_failure),
        cmocka_unit_test(a_client_serves_many_threads),
        cmocka_unit_test(texts_are_encoded_for_urls),
        cmocka_unit_test(encoding_stops_at_the_limit),
    };

    return cmocka_run_group_tests(tests, make_pki, free_pki);
}
