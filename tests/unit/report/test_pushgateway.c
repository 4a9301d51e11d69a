/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/base/httppair.h"

#include "report/pushgateway.h"

static void a_group_has_its_url(void **state)
{
    static const struct {
        const char *url, *job, *instance, *want;
    } table[] = {
        {"http://gw:9091", "cas_backup", "mycas-backup",
         "http://gw:9091/metrics/job/cas_backup/instance/mycas-backup"},
        {"http://gw:9091/", "j", "i", "http://gw:9091/metrics/job/j/instance/i"},
        {"https://gw/some/prefix//", "j", "i", "https://gw/some/prefix/metrics/job/j/instance/i"},
        {"https://user:secret@gw:1", "j", "i", "https://gw:1/metrics/job/j/instance/i"},
        {"http://[2001:db8::1]:9091", "a b", "i",
         "http://[2001:db8::1]:9091/metrics/job/a%20b/instance/i"},
        /* as the Pushgateway's README has it: /var/tmp */
        {"http://gw", "/var/tmp", "i", "http://gw/metrics/job@base64/L3Zhci90bXA/instance/i"},
        {"http://gw", "a/", "i", "http://gw/metrics/job@base64/YS8/instance/i"},
        {"http://gw", "/", "i", "http://gw/metrics/job@base64/Lw/instance/i"},
        {"http://gw", "/\xc3\xbf\xc3\xbe>", "i",
         "http://gw/metrics/job@base64/L8O_w74-/instance/i"},
        {"http://gw", "..", "i", "http://gw/metrics/job@base64/Li4/instance/i"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        const struct push_group group = {table[i].url, table[i].job, table[i].instance};
        _cleanup_(buf_free) struct buf out = BUF_INIT(1024);

        assert_int_equal(pushgateway_url(&group, &out), 0);
        assert_string_equal(buf_text(&out), table[i].want);
    }
}

/* What a gateway was asked, and what it answers. */
struct asked {
    const char *answer;
    char request[512];
};

static bool note_and_answer(struct testpeer *peer, void *arg)
{
    struct asked *asked = arg;

    snprintf(asked->request, sizeof asked->request, "%s", peer->request);
    return testpeer_send(peer, asked->answer);
}

enum what { PUT, DELETE, READY };

/* Asks a gateway with that answer; what is put is "x 1\n". */
static int ask(struct asked *asked, enum what what, struct casb_error *err)
{
    const struct testserver_config config = {.answer = note_and_answer, .arg = asked};
    struct testserver *server = testserver_start(&config);
    struct casb_call call = call_of(10000);
    char url[64], data[] = "x 1\n";
    const struct push_group group = {url, "j", "i"};
    const struct buf text = {.data = data, .len = 4};
    int r;

    snprintf(url, sizeof url, "http://127.0.0.1:%u", testserver_port(server));
    r = what == PUT      ? pushgateway_put(&group, &call, &text, err)
        : what == DELETE ? pushgateway_delete(&group, &call, err)
                         : pushgateway_check(&group, &call, err);
    testserver_stop(server);
    return r;
}

static void metrics_are_put(void **state)
{
    struct asked asked = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(ask(&asked, PUT, &err), 0);
    assert_non_null(strstr(asked.request, "PUT /metrics/job/j/instance/i HTTP/1.1\r\n"));
    assert_non_null(strstr(asked.request, "\r\nContent-Type: text/plain; version=0.0.4\r\n"));
    assert_string_equal(strstr(asked.request, "\r\n\r\n"), "\r\n\r\nx 1\n");
}

static void a_group_is_deleted(void **state)
{
    struct asked asked = {.answer = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"};
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(ask(&asked, DELETE, &err), 0);
    assert_non_null(strstr(asked.request, "DELETE /metrics/job/j/instance/i HTTP/1.1\r\n"));
}

static void whether_a_gateway_is_ready_is_asked(void **state)
{
    static const struct {
        const char *answer;
        int want;
    } table[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0},
        {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", CASB_EFAILED},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        struct asked asked = {.answer = table[i].answer};
        struct casb_error err = {0};

        assert_int_equal(ask(&asked, READY, &err), table[i].want);
        assert_non_null(strstr(asked.request, "GET /-/ready HTTP/1.1\r\n"));
    }
}

static void what_a_gateway_refuses_is_told(void **state)
{
    struct asked asked = {
        .answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 12\r\n\r\nno such\nline"};
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(ask(&asked, PUT, &err), CASB_EFAILED);
    assert_non_null(strstr(err.text, "Pushgateway 'http://127.0.0.1:"));
    assert_non_null(strstr(err.text, "': HTTP status 400: no such line"));
}

static void a_gateway_that_hangs_ends_with_the_call(void **state)
{
    const struct testserver_config config = {.answer = answer_and_stall, .arg = (void *)""};
    struct testserver *server = testserver_start(&config);
    struct casb_call call = call_of(50);
    char url[64];
    const struct push_group group = {url, "j", "i"};
    struct casb_error err = {0};
    int64_t start_ns = clock_now_ns();

    (void)state;
    snprintf(url, sizeof url, "http://127.0.0.1:%u", testserver_port(server));
    assert_int_equal(pushgateway_delete(&group, &call, &err), CASB_ETIMEOUT);
    assert_true(clock_now_ns() - start_ns < 5 * CLOCK_S);
    testserver_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_has_its_url),
        cmocka_unit_test(metrics_are_put),
        cmocka_unit_test(a_group_is_deleted),
        cmocka_unit_test(whether_a_gateway_is_ready_is_asked),
        cmocka_unit_test(what_a_gateway_refuses_is_told),
        cmocka_unit_test(a_gateway_that_hangs_ends_with_the_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
