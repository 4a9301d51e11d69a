/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"
#include "unit/testserver.h"

#include "base/clock.h"
#include "base/http.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

/* Keys and certificates, made once: who may be trusted, and who shows what to the client. */
static struct {
    struct pki ca, namesake_ca, other_ca, middle;
    struct pki good, named, expired, future, stranger, below_namesake, below_middle;
    struct pki client, other_client;
    char *ca_pem, *middle_pem, *client_cert, *client_key, *other_cert, *other_key;
} pki;

static struct pki make_ca(const char *subject, const struct pki *issuer)
{
    return pki_make(&(struct pki_request){
        .subject = subject,
        .issuer = issuer,
        .is_ca = true,
        .from = -PKI_DAY,
        .to = PKI_DAY,
    });
}

static struct pki make(const struct pki *issuer, const char *alt_name, long from, long to)
{
    return pki_make(&(struct pki_request){
        .subject = "unit test",
        .issuer = issuer,
        .alt_name = alt_name,
        .from = from,
        .to = to,
    });
}

static int make_pki(void **state)
{
    (void)state;
    pki.ca = make_ca("authority", NULL);
    pki.namesake_ca = make_ca("authority", NULL);
    pki.other_ca = make_ca("other", NULL);
    pki.middle = make_ca("middle", &pki.other_ca);
    pki.good = make(&pki.ca, "IP:127.0.0.1", -PKI_DAY, PKI_DAY);
    pki.named = make(&pki.ca, "DNS:mycas,DNS:mycas.example", -PKI_DAY, PKI_DAY);
    pki.expired = make(&pki.ca, "IP:127.0.0.1", -2 * PKI_DAY, -PKI_DAY);
    pki.future = make(&pki.ca, "IP:127.0.0.1", PKI_DAY, 2 * PKI_DAY);
    pki.stranger = make(NULL, "IP:127.0.0.1", -PKI_DAY, PKI_DAY);
    pki.below_namesake = make(&pki.namesake_ca, "IP:127.0.0.1", -PKI_DAY, PKI_DAY);
    pki.below_middle = make(&pki.middle, "IP:127.0.0.1", -PKI_DAY, PKI_DAY);
    pki.client = make(&pki.ca, NULL, -PKI_DAY, PKI_DAY);
    pki.other_client = make(NULL, NULL, -PKI_DAY, PKI_DAY);
    pki.ca_pem = pki_cert_pem(pki.ca.cert);
    pki.middle_pem = pki_cert_pem(pki.middle.cert);
    pki.client_cert = pki_cert_pem(pki.client.cert);
    pki.client_key = pki_key_pem(pki.client.key);
    pki.other_cert = pki_cert_pem(pki.other_client.cert);
    pki.other_key = pki_key_pem(pki.other_client.key);
    return 0;
}

static int free_pki(void **state)
{
    struct pki *all[] = {
        &pki.namesake_ca,  &pki.below_namesake, &pki.ca,           &pki.other_ca, &pki.middle,
        &pki.good,         &pki.named,          &pki.expired,      &pki.future,   &pki.stranger,
        &pki.below_middle, &pki.client,         &pki.other_client,
    };
    char *texts[] = {pki.ca_pem,     pki.middle_pem, pki.client_cert,
                     pki.client_key, pki.other_cert, pki.other_key};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(all); i++)
        pki_free(all[i]);
    for (size_t i = 0; i < ELEMENTS(texts); i++)
        free(texts[i]);
    return 0;
}

/* ---- a server and a client against it */

struct pair {
    struct testserver *server;
    struct http_client *client;
    char url[64];
};

static struct pair pair_start(const struct testserver_config *server,
                              const struct http_config *client)
{
    struct pair pair = {.server = testserver_start(server)};

    snprintf(pair.url, sizeof pair.url, "http%s://127.0.0.1:%u/x", server->identity ? "s" : "",
             testserver_port(pair.server));
    assert_int_equal(http_client_new(client, &pair.client, NULL), 0);
    return pair;
}

static void pair_end(struct pair *pair)
{
    http_client_free(pair->client);
    testserver_stop(pair->server);
}

static struct casb_call call_of(int64_t ms)
{
    return (struct casb_call){.deadline_ns = clock_now_ns() + ms * CLOCK_MS, .cancel_fd = -1};
}

/* A GET of the pair's URL within ten seconds. */
static int get(struct pair *pair, struct http_response *response, struct casb_error *err)
{
    struct casb_call call = call_of(10000);
    const struct http_request request = {.method = "GET", .url = pair->url};

    return http_perform(pair->client, &call, &request, response, err);
}

static bool answer_text(struct testpeer *peer, void *arg)
{
    return testpeer_send(peer, arg);
}

/* Sends the text, then nothing until the client has gone. */
static bool answer_and_stall(struct testpeer *peer, void *arg)
{
    testpeer_send(peer, arg);
    return testpeer_wait_close(peer);
}

static bool answer_and_close(struct testpeer *peer, void *arg)
{
    testpeer_send(peer, arg);
    return false;
}

/* One GET from a server that says `text`, by a client that trusts the CA. */
static int exchange(testserver_fn *answer, const char *text, const struct http_request *with,
                    struct http_response *response, struct casb_error *err)
{
    const struct testserver_config server = {
        .identity = &pki.good,
        .answer = answer,
        .arg = (void *)text,
    };
    struct pair pair = pair_start(&server, &(struct http_config){.ca_pem = pki.ca_pem});
    struct http_request request = with ? *with : (struct http_request){0};
    struct casb_call call = call_of(10000);
    int rc;

    request.method = "GET";
    request.url = pair.url;
    rc = http_perform(pair.client, &call, &request, response, err);
    pair_end(&pair);
    return rc;
}

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

static void connections_are_kept_where_a_request_can_be_repeated(void **state)
{
    const struct testserver_config server = {
        .identity = &pki.good,
        .answer = answer_text,
        .arg = (void *)OK_ANSWER,
    };
    struct pair pair = pair_start(&server, &(struct http_config){.ca_pem = pki.ca_pem});
    static const struct {
        const char *method;
        unsigned connections;
    } steps[] = {{"GET", 1}, {"GET", 1}, {"PUT", 1}, {"POST", 2}, {"DELETE", 2}, {"PATCH", 3}};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(steps); i++) {
        _cleanup_(http_response_free) struct http_response response;
        struct casb_call call = call_of(10000);
        const struct http_request request = {
            .method = steps[i].method,
            .url = pair.url,
            .body = i ? "x" : NULL,
            .body_len = i ? 1 : 0,
        };

        assert_int_equal(http_perform(pair.client, &call, &request, &response, NULL), 0);
        assert_int_equal(testserver_connections(pair.server), steps[i].connections);
    }
    pair_end(&pair);
}

/* Answers the first request and closes on each further one. */
static bool answer_once(struct testpeer *peer, void *arg)
{
    return atomic_fetch_add((atomic_int *)arg, 1) == 0 && testpeer_send(peer, OK_ANSWER);
}

static void a_request_is_not_repeated_unless_idempotent(void **state)
{
    static const struct {
        const char *method;
        int requests;
    } table[] = {{"GET", 3}, {"PUT", 3}, {"DELETE", 3}, {"POST", 2}, {"PATCH", 2}};

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

static void retry_after_is_seconds_or_a_date(void **state)
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
        {"Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", -1, -1},
        {"Retry-After: Tue, 01 Jan 2999 00:00:00 GMT\r\n", 1000000000, INT64_MAX},
        {"Retry-After: 9223372036854775807\r\n", 1000000000, INT64_MAX},
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

/* ---- what is sent */

static bool answer_with_request(struct testpeer *peer, void *arg)
{
    char answer[4096];

    (void)arg;
    snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
             strlen(peer->request), peer->request);
    return testpeer_send(peer, answer);
}

static void requests_are_sent_as_given(void **state)
{
    const struct testserver_config server = {
        .identity = &pki.good,
        .answer = answer_with_request,
    };
    const struct http_config config = {
        .ca_pem = pki.ca_pem,
        .user = "me",
        .password = "secret",
        .user_agent = "cas-backup/1",
    };
    struct pair pair = pair_start(&server, &config);
    _cleanup_(http_response_free) struct http_response response;
    const char *headers[] = {"Content-Type: application/merge-patch+json", NULL};
    struct casb_call call = call_of(10000);
    const struct http_request request = {
        .method = "PATCH",
        .url = pair.url,
        .headers = headers,
        .body = "{\"a\":1}",
        .body_len = 7,
    };
    char want[500];

    (void)state;
    assert_int_equal(http_perform(pair.client, &call, &request, &response, NULL), 0);
    snprintf(want, sizeof want,
             "PATCH /x HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
             "Authorization: Basic bWU6c2VjcmV0\r\nUser-Agent: cas-backup/1\r\nAccept: */*\r\n"
             "Content-Type: application/merge-patch+json\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
             testserver_port(pair.server));
    assert_string_equal(buf_text(&response.body), want);
    pair_end(&pair);
}

static void large_bodies_are_sent_without_waiting(void **state)
{
    const struct testserver_config server = {
        .identity = &pki.good,
        .answer = answer_text,
        .arg = (void *)OK_ANSWER,
    };
    struct pair pair = pair_start(&server, &(struct http_config){.ca_pem = pki.ca_pem});
    _cleanup_(http_response_free) struct http_response response;
    _cleanup_(freep) char *body = calloc(1, 3 * 1024 * 1024);
    struct casb_call call = call_of(10000);
    const struct http_request request = {
        .method = "PUT",
        .url = pair.url,
        .body = body,
        .body_len = 3 * 1024 * 1024,
    };

    (void)state;
    assert_non_null(body);
    assert_int_equal(http_perform(pair.client, &call, &request, &response, NULL), 0);
    assert_int_equal(response.status, 200);
    pair_end(&pair);
}

/* ---- trust */

static void untrusted_certificates_are_denied_with_the_reason(void **state)
{
    const struct {
        const struct pki *identity;
        const char *text;
    } table[] = {
        {&pki.named, "is for another name (DNS:mycas, DNS:mycas.example)"},
        {&pki.expired, "expired at 20"},
        {&pki.future, "is not valid before 20"},
        {&pki.stranger, "is not trusted: self-signed certificate (CN=unit test)"},
        {&pki.below_namesake, "is not trusted: certificate signature failure (CN=unit test)"},
        {&pki.below_middle, "is not trusted: unable to get local issuer certificate"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        const struct testserver_config server = {
            .identity = table[i].identity,
            .answer = answer_text,
            .arg = (void *)OK_ANSWER,
        };
        struct pair pair = pair_start(&server, &(struct http_config){.ca_pem = pki.ca_pem});
        _cleanup_(http_response_free) struct http_response response;
        struct casb_error err = {0};

        assert_int_equal(get(&pair, &response, &err), CASB_EDENIED);
        assert_false(err.retry);
        assert_false(response.answered);
        if (!strstr(err.text, table[i].text))
            fail_msg("'%s' instead of '%s'", err.text, table[i].text);
        pair_end(&pair);
    }
}

static void insecure_accepts_any_certificate(void **state)
{
    const struct testserver_config server = {
        .identity = &pki.stranger,
        .answer = answer_text,
        .arg = (void *)OK_ANSWER,
    };
    struct pair pair = pair_start(&server, &(struct http_config){.insecure = true});
    _cleanup_(http_response_free) struct http_response response;

    (void)state;
    assert_int_equal(get(&pair, &response, NULL), 0);
    pair_end(&pair);
}

static void an_intermediate_is_an_anchor_only_where_asked_for(void **state)
{
    const struct testserver_config server = {
        .identity = &pki.below_middle,
        .answer = answer_text,
        .arg = (void *)OK_ANSWER,
    };

    (void)state;
    for (int partial = 0; partial < 2; partial++) {
        struct pair pair = pair_start(&server, &(struct http_config){
                                                   .ca_pem = pki.middle_pem,
                                                   .partial_chain = partial,
                                               });
        _cleanup_(http_response_free) struct http_response response;

        assert_int_equal(get(&pair, &response, NULL), partial ? 0 : CASB_EDENIED);
        pair_end(&pair);
    }
}

static bool answer_with_names(struct testpeer *peer, void *arg)
{
    const char *sni = SSL_get_servername(peer->ssl, TLSEXT_NAMETYPE_host_name);
    const char *host = strstr(peer->request, "Host: ") + 6;
    char answer[300], body[200];

    (void)arg;
    snprintf(body, sizeof body, "%s %.*s", sni ? sni : "-", (int)strcspn(host, "\r"), host);
    snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
             strlen(body), body);
    return testpeer_send(peer, answer);
}

static void another_name_is_verified_but_not_dialled(void **state)
{
    const struct testserver_config server = {.identity = &pki.named, .answer = answer_with_names};
    const struct http_config config = {.ca_pem = pki.ca_pem, .server_name = "mycas"};
    struct pair pair = pair_start(&server, &config);
    _cleanup_(http_response_free) struct http_response response;
    char want[100];

    (void)state;
    assert_int_equal(get(&pair, &response, NULL), 0);
    snprintf(want, sizeof want, "mycas 127.0.0.1:%u", testserver_port(pair.server));
    assert_string_equal(buf_text(&response.body), want);
    pair_end(&pair);
}

static void another_address_is_dialled_but_not_verified(void **state)
{
    const struct testserver_config server_config = {
        .identity = &pki.named,
        .answer = answer_with_names,
    };
    struct testserver *server = testserver_start(&server_config);
    char address[40];
    struct http_config config = {.ca_pem = pki.ca_pem, .connect_to = address};
    _cleanup_(http_client_freep) struct http_client *client = NULL;
    _cleanup_(http_response_free) struct http_response response;
    struct casb_call call = call_of(10000);
    const struct http_request request = {.method = "GET", .url = "https://mycas:8081/v1/version"};

    (void)state;
    snprintf(address, sizeof address, "127.0.0.1:%u", testserver_port(server));
    assert_int_equal(http_client_new(&config, &client, NULL), 0);
    assert_int_equal(http_perform(client, &call, &request, &response, NULL), 0);
    assert_string_equal(buf_text(&response.body), "mycas mycas:8081");
    testserver_stop(server);
}

static void old_tls_is_refused(void **state)
{
    const struct testserver_config server = {
        .identity = &pki.good,
        .max_version = TLS1_1_VERSION,
        .answer = answer_text,
        .arg = (void *)OK_ANSWER,
    };
    struct pair pair = pair_start(&server, &(struct http_config){.ca_pem = pki.ca_pem});
    _cleanup_(http_response_free) struct http_response response;

    (void)state;
    assert_int_equal(get(&pair, &response, NULL), CASB_EUNREACHABLE);
    pair_end(&pair);
}

static void a_server_can_demand_a_client_certificate(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    const struct {
        const char *cert, *key, *text;
    } table[] = {
        {pki.client_cert, pki.client_key, NULL},
        {NULL, NULL, "may want a client certificate"},
        {pki.other_cert, pki.other_key, "refused our certificate"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table) * ELEMENTS(versions); i++) {
        size_t row = i % ELEMENTS(table);
        const struct testserver_config server = {
            .identity = &pki.good,
            .client_ca = pki.ca.cert,
            .max_version = versions[i / ELEMENTS(table)],
            .answer = answer_text,
            .arg = (void *)OK_ANSWER,
        };
        const struct http_config config = {
            .ca_pem = pki.ca_pem,
            .client_cert_pem = table[row].cert,
            .client_key_pem = table[row].key,
        };
        struct pair pair = pair_start(&server, &config);
        _cleanup_(http_response_free) struct http_response response;
        struct casb_error err = {0};

        assert_int_equal(get(&pair, &response, &err), table[row].text ? CASB_EDENIED : 0);
        if (table[row].text && !strstr(err.text, table[row].text))
            fail_msg("'%s' instead of '%s'", err.text, table[row].text);
        pair_end(&pair);
    }
}

static void bad_configurations_are_refused_at_once(void **state)
{
    const struct {
        struct http_config config;
        const char *text;
    } table[] = {
        {{.ca_pem = "nothing"}, "CA certificates: no certificate in the PEM text"},
        {{.client_cert_pem = pki.client_cert}, "a client certificate and its key need each other"},
        {{.client_key_pem = pki.client_key}, "a client certificate and its key need each other"},
        {{.client_cert_pem = pki.client_cert, .client_key_pem = pki.other_key},
         "client certificate: the private key does not belong to the certificate"},
        {{.client_cert_pem = "x", .client_key_pem = pki.client_key},
         "client certificate: no certificate in the PEM text"},
        {{.client_cert_pem = pki.client_cert, .client_key_pem = "x"},
         "client certificate: no readable private key in the PEM text"},
        {{.allow_http = true, .user = "me", .password = "x"},
         "no credentials are sent over plain http"},
        {{.allow_http = true, .client_cert_pem = pki.client_cert, .client_key_pem = pki.client_key},
         "no credentials are sent over plain http"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        struct http_client *client = NULL;
        struct casb_error err = {0};

        assert_int_equal(http_client_new(&table[i].config, &client, &err), CASB_EINVALID);
        assert_null(client);
        assert_string_equal(err.text, table[i].text);
    }
}

/* ---- plain HTTP, URLs, proxies */

static void plain_http_is_refused_unless_allowed(void **state)
{
    const struct testserver_config server = {.answer = answer_text, .arg = (void *)OK_ANSWER};

    (void)state;
    for (int allowed = 0; allowed < 2; allowed++) {
        struct pair pair = pair_start(&server, &(struct http_config){.allow_http = allowed});
        _cleanup_(http_response_free) struct http_response response;

        assert_int_equal(get(&pair, &response, NULL), allowed ? 0 : CASB_EINVALID);
        assert_int_equal(testserver_connections(pair.server), allowed);
        pair_end(&pair);
    }
}

static void credentials_never_go_over_plain_http(void **state)
{
    const struct testserver_config server = {.answer = answer_text, .arg = (void *)OK_ANSWER};
    struct pair pair = pair_start(&server, &(struct http_config){.allow_http = true});
    _cleanup_(http_response_free) struct http_response response;
    const char *headers[] = {"Accept: */*", "authorization: Bearer x", NULL};
    struct casb_call call = call_of(10000);
    const struct http_request request = {.method = "GET", .url = pair.url, .headers = headers};

    (void)state;
    assert_int_equal(http_perform(pair.client, &call, &request, &response, NULL), CASB_EINVALID);
    assert_int_equal(testserver_connections(pair.server), 0);
    pair_end(&pair);
}

static void urls_that_are_none_are_invalid(void **state)
{
    static const char *const urls[] = {
        "",
        "x",
        "https://",
        "https://me:secret@localhost/",
        "ftp://localhost/",
        "file:///etc/passwd",
        "https://a b/",
        "https://localhost:99999/",
    };
    _cleanup_(http_client_freep) struct http_client *client = NULL;

    (void)state;
    assert_int_equal(http_client_new(&(struct http_config){0}, &client, NULL), 0);
    for (size_t i = 0; i < ELEMENTS(urls); i++) {
        _cleanup_(http_response_free) struct http_response response;
        struct casb_call call = call_of(10000);
        const struct http_request request = {.method = "GET", .url = urls[i]};
        struct casb_error err = {0};

        if (http_perform(client, &call, &request, &response, &err) != CASB_EINVALID)
            fail_msg("%s: %s", urls[i], err.text);
        assert_null(strstr(err.text, "secret"));
    }
}

static void hosts_and_headers_that_would_be_cut_or_split_are_invalid(void **state)
{
    static const char *const split[] = {"X-Token: a\r\nX-Other: b", NULL};
    _cleanup_(http_client_freep) struct http_client *client = NULL;
    char url[600] = "https://";

    (void)state;
    memset(url + 8, 'a', 400);
    assert_int_equal(http_client_new(&(struct http_config){0}, &client, NULL), 0);
    for (int i = 0; i < 2; i++) {
        _cleanup_(http_response_free) struct http_response response;
        struct casb_call call = call_of(10000);
        const struct http_request request = {
            .method = "GET",
            .url = i ? url : "https://127.0.0.1:1/",
            .headers = i ? NULL : split,
        };

        assert_int_equal(http_perform(client, &call, &request, &response, NULL), CASB_EINVALID);
    }
}

static bool answer_no_tunnel(struct testpeer *peer, void *arg)
{
    snprintf(arg, 40, "%.39s", peer->request);
    return testpeer_send(peer, "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n");
}

static void a_proxy_is_asked_for_a_tunnel(void **state)
{
    char request_line[40] = "", proxy[40];
    const struct testserver_config config = {.answer = answer_no_tunnel, .arg = request_line};
    struct testserver *server = testserver_start(&config);
    const struct http_config client_config = {.proxy = proxy};
    _cleanup_(http_client_freep) struct http_client *client = NULL;
    _cleanup_(http_response_free) struct http_response response;
    struct casb_call call = call_of(10000);
    const struct http_request request = {.method = "GET", .url = "https://127.0.0.1:1/"};

    (void)state;
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", testserver_port(server));
    assert_int_equal(http_client_new(&client_config, &client, NULL), 0);
    assert_int_equal(http_perform(client, &call, &request, &response, NULL), CASB_EUNREACHABLE);
    assert_false(response.answered);
    testserver_stop(server);
    assert_memory_equal(request_line, "CONNECT 127.0.0.1:1 HTTP/1.1\r\n", 30);
}

/* ---- time */

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
        .http2 = true,
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
        cmocka_unit_test(connections_are_kept_where_a_request_can_be_repeated),
        cmocka_unit_test(a_request_is_not_repeated_unless_idempotent),
        cmocka_unit_test(retry_after_is_seconds_or_a_date),
        cmocka_unit_test(too_large_an_answer_is_invalid),
        cmocka_unit_test(an_endless_header_is_invalid),
        cmocka_unit_test(a_cut_answer_is_unreachable_but_answered),
        cmocka_unit_test(an_answer_that_is_none_is_not_answered),
        cmocka_unit_test(nobody_there_is_unreachable),
        cmocka_unit_test(requests_are_sent_as_given),
        cmocka_unit_test(large_bodies_are_sent_without_waiting),
        cmocka_unit_test(untrusted_certificates_are_denied_with_the_reason),
        cmocka_unit_test(insecure_accepts_any_certificate),
        cmocka_unit_test(an_intermediate_is_an_anchor_only_where_asked_for),
        cmocka_unit_test(another_name_is_verified_but_not_dialled),
        cmocka_unit_test(another_address_is_dialled_but_not_verified),
        cmocka_unit_test(old_tls_is_refused),
        cmocka_unit_test(a_server_can_demand_a_client_certificate),
        cmocka_unit_test(bad_configurations_are_refused_at_once),
        cmocka_unit_test(plain_http_is_refused_unless_allowed),
        cmocka_unit_test(credentials_never_go_over_plain_http),
        cmocka_unit_test(urls_that_are_none_are_invalid),
        cmocka_unit_test(hosts_and_headers_that_would_be_cut_or_split_are_invalid),
        cmocka_unit_test(a_proxy_is_asked_for_a_tunnel),
        cmocka_unit_test(silence_ends_at_whichever_limit_comes_first),
        cmocka_unit_test(a_cancelled_call_returns_soon),
        cmocka_unit_test(a_client_works_again_after_a_timeout),
        cmocka_unit_test(a_connection_that_fell_silent_is_not_used_again),
        cmocka_unit_test(one_dead_connection_is_reason_to_leave_all),
        cmocka_unit_test(a_reader_gets_the_body_and_can_end_it),
        cmocka_unit_test(a_reader_gets_a_whole_body_beyond_the_limit),
        cmocka_unit_test(a_reader_does_not_get_the_body_of_a_failure),
        cmocka_unit_test(a_client_serves_many_threads),
        cmocka_unit_test(texts_are_encoded_for_urls),
        cmocka_unit_test(encoding_stops_at_the_limit),
    };

    return cmocka_run_group_tests(tests, make_pki, free_pki);
}
