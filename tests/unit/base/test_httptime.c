/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/base/httppair.h"
#include "unit/base/twoaddresses.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

static void silence_ends_at_whichever_limit_comes_first(void **state)
{
    static const char cut[] = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello";
    const struct {
        const char *text;
        int64_t deadline_ms, timeout_ms, idle_ms;
        const char *reason;
    } table[] = {
        {"", 50, 0, 0, "in time"},          {cut, 50, 0, 0, "in time"},
        {"", 60000, 50, 0, "in time"},      {cut, 60000, 50, 0, "in time"},
        {"", 60000, 0, 50, "fell silent"},  {cut, 60000, 0, 50, "fell silent"},
        {cut, 60000, 50, 30000, "in time"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        const struct testserver_config server = {
            .identity = &pki.good,
            .answer = answer_and_stall,
            .arg = (void *)table[i].text,
        };
        struct pair pair = pair_start(&server, &(struct http_config){.ca_pem = pki.ca_pem});
        _cleanup_(http_response_free) struct http_response response;
        struct casb_error err = {0};
        int64_t start_ns = clock_now_ns(), took_ns;
        struct casb_call call = call_of(table[i].deadline_ms);
        const struct http_request request = {
            .method = "GET",
            .url = pair.url,
            .timeout_ns = table[i].timeout_ms * CLOCK_MS,
            .idle_timeout_ns = table[i].idle_ms * CLOCK_MS,
        };

        assert_int_equal(http_perform(pair.client, &call, &request, &response, &err),
                         CASB_ETIMEOUT);
        took_ns = clock_now_ns() - start_ns;
        assert_non_null(strstr(err.text, table[i].reason));
        assert_true(took_ns >= 50 * CLOCK_MS && took_ns < 5 * CLOCK_S);
        pair_end(&pair);
    }
}

/* However little time there is, it is enough for the second address of a name. */
static void an_address_that_drops_packets_leaves_time_for_the_next(void **state)
{
    static const struct {
        int64_t connect_ms, timeout_ms, deadline_ms; /* 0: none, and the client's default */
    } table[] = {{1000, 0, 20000}, {0, 2500, 20000}, {0, 0, 2500}, {0, 2500, 0}};
    const struct testserver_config server = {
        .identity = &pki.good,
        .answer = answer_text,
        .arg = (void *)OK_ANSWER,
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        const struct http_config config = {
            .ca_pem = pki.ca_pem,
            .server_name = "127.0.0.1",
            .connect_timeout_ns = table[i].connect_ms * CLOCK_MS,
        };
        struct pair pair = pair_start(&server, &config);
        struct twoaddresses *two = twoaddresses_start(testserver_port(pair.server));
        _cleanup_(http_response_free) struct http_response response;
        struct casb_call call = call_of(table[i].deadline_ms);
        const struct http_request request = {
            .method = "GET",
            .url = pair.url,
            .timeout_ns = table[i].timeout_ms * CLOCK_MS,
        };
        struct casb_error err = {0};

        if (!table[i].deadline_ms)
            call.deadline_ns = INT64_MAX;
        snprintf(pair.url, sizeof pair.url, "https://" TWO_ADDRESSES ":%u/",
                 testserver_port(pair.server));
        if (http_perform(pair.client, &call, &request, &response, &err))
            fail_msg("row %zu: %s", i, err.text);
        assert_string_equal(buf_text(&response.body), "hello");
        twoaddresses_stop(two);
        pair_end(&pair);
    }
}

/* Cancels the call when its request has arrived. */
static bool answer_by_cancelling(struct testpeer *peer, void *arg)
{
    eventfd_write(*(int *)arg, 1);
    return testpeer_wait_close(peer);
}

static void a_cancelled_call_returns_soon(void **state)
{
    int fd = eventfd(0, EFD_CLOEXEC);
    const struct testserver_config server = {
        .identity = &pki.good,
        .answer = answer_by_cancelling,
        .arg = &fd,
    };
    struct pair pair = pair_start(&server, &(struct http_config){.ca_pem = pki.ca_pem});
    struct casb_call call = {.deadline_ns = clock_now_ns() + 60 * CLOCK_S, .cancel_fd = fd};
    const struct http_request request = {.method = "GET", .url = pair.url};
    int64_t start_ns = clock_now_ns();
    unsigned connections;

    (void)state;
    for (int i = 0; i < 2; i++) { /* the second is cancelled before it begins */
        _cleanup_(http_response_free) struct http_response response;
        struct casb_error err = {0};

        assert_int_equal(http_perform(pair.client, &call, &request, &response, &err),
                         CASB_ECANCELLED);
        assert_false(response.answered);
        connections = testserver_connections(pair.server);
        assert_int_equal(connections, 1);
    }
    assert_true(clock_now_ns() - start_ns < 5 * CLOCK_S);
    pair_end(&pair);
    close(fd);
}

static void a_client_works_again_after_a_timeout(void **state)
{
    char text[100] = "";
    const struct testserver_config server = {
        .identity = &pki.good,
        .answer = answer_and_stall,
        .arg = text,
    };
    struct pair pair = pair_start(&server, &(struct http_config){.ca_pem = pki.ca_pem});
    struct http_response response;
    struct casb_call call = call_of(50);
    const struct http_request request = {.method = "GET", .url = pair.url};

    (void)state;
    assert_int_equal(http_perform(pair.client, &call, &request, &response, NULL), CASB_ETIMEOUT);
    http_response_free(&response);
    testserver_stop(pair.server);
    snprintf(text, sizeof text, OK_ANSWER);
    pair.server = testserver_start(&server);
    snprintf(pair.url, sizeof pair.url, "https://127.0.0.1:%u/", testserver_port(pair.server));
    assert_int_equal(get(&pair, &response, NULL), 0);
    assert_string_equal(buf_text(&response.body), "hello");
    http_response_free(&response);
    pair_end(&pair);
}

static void give_up_soon(struct pair *pair)
{
    _cleanup_(http_response_free) struct http_response response;
    struct casb_call call = call_of(300);
    const struct http_request request = {.method = "GET", .url = pair->url};

    assert_int_equal(http_perform(pair->client, &call, &request, &response, NULL), CASB_ETIMEOUT);
}

static void a_connection_that_fell_silent_is_not_used_again(void **state)
{
    const struct testserver_config server = {
        .identity = &pki.good,
        .answer = answer_and_stall,
        .arg = (void *)"",
    };
    struct pair pair = pair_start(&server, &(struct http_config){.ca_pem = pki.ca_pem});

    (void)state;
    give_up_soon(&pair);
    give_up_soon(&pair);
    assert_int_equal(testserver_connections(pair.server), 2);
    pair_end(&pair);
}

struct outage {
    pthread_barrier_t both;
    atomic_int requests;
};

/* Answers two requests as soon as both are there, so on two connections, and no more. */
static bool answer_two(struct testpeer *peer, void *arg)
{
    struct outage *outage = arg;

    if (outage->requests++ >= 2)
        return testpeer_wait_close(peer);
    pthread_barrier_wait(&outage->both);
    return testpeer_send(peer, OK_ANSWER);
}

static void *get_once(void *arg)
{
    _cleanup_(http_response_free) struct http_response response;

    return get(arg, &response, NULL) ? NULL : arg;
}

static void one_dead_connection_is_reason_to_leave_all(void **state)
{
    struct outage outage = {.requests = 0};
    const struct testserver_config server = {
        .identity = &pki.good,
        .answer = answer_two,
        .arg = &outage,
    };
    struct pair pair = pair_start(&server, &(struct http_config){.ca_pem = pki.ca_pem});
    pthread_t other;
    void *good;

    (void)state;
    assert_int_equal(pthread_barrier_init(&outage.both, NULL, 2), 0);
    assert_int_equal(pthread_create(&other, NULL, get_once, &pair), 0);
    assert_non_null(get_once(&pair));
    assert_int_equal(pthread_join(other, &good), 0);
    assert_non_null(good);
    give_up_soon(&pair);
    assert_int_equal(testserver_connections(pair.server), 2);
    give_up_soon(&pair);
    assert_int_equal(testserver_connections(pair.server), 3);
    pair_end(&pair);
    pthread_barrier_destroy(&outage.both);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_ends_at_whichever_limit_comes_first),
        cmocka_unit_test(an_address_that_drops_packets_leaves_time_for_the_next),
        cmocka_unit_test(a_cancelled_call_returns_soon),
        cmocka_unit_test(a_client_works_again_after_a_timeout),
        cmocka_unit_test(a_connection_that_fell_silent_is_not_used_again),
        cmocka_unit_test(one_dead_connection_is_reason_to_leave_all),
    };

    return cmocka_run_group_tests(tests, make_pki, free_pki);
}
