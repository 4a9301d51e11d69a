/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/base/httppair.h"

#include "base/clock.h"
#include "base/httphandle.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* A GET by a client that trusts `ca_pem`, or with NULL what the environment says. */
static int get_trusting(const char *ca_pem, struct casb_error *err)
{
    const struct testserver_config server = {
        .identity = &pki.good,
        .answer = answer_text,
        .arg = (void *)OK_ANSWER,
    };
    struct pair pair = pair_start(&server, &(struct http_config){.ca_pem = ca_pem});
    struct http_response response;
    int rc = get(&pair, &response, err);

    http_response_free(&response);
    pair_end(&pair);
    return rc;
}

static void the_environment_says_where_the_systems_certificates_are(void **state)
{
    char folder[] = "/tmp/test_httpclient.XXXXXX", path[64], folders[128];
    FILE *file;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/any name", folder);
    snprintf(folders, sizeof folders, "/nonexistent::%s", folder);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(pki.ca_pem, file);
    fclose(file);
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    assert_int_equal(get_trusting(NULL, NULL), CASB_EDENIED);
    setenv("SSL_CERT_FILE", path, 1);
    assert_int_equal(get_trusting(NULL, NULL), 0);
    assert_int_equal(get_trusting(pki.middle_pem, NULL), CASB_EDENIED);
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
    assert_int_equal(get_trusting(NULL, NULL), CASB_EINVALID);
    unsetenv("SSL_CERT_FILE");
    setenv("SSL_CERT_DIR", folders, 1);
    assert_int_equal(get_trusting(NULL, NULL), 0);
    assert_int_equal(get_trusting(pki.middle_pem, NULL), CASB_EDENIED);
    setenv("SSL_CERT_DIR", "/nonexistent", 1);
    assert_int_equal(get_trusting(NULL, NULL), CASB_EDENIED);
    unsetenv("SSL_CERT_DIR");
    unlink(path);
    rmdir(folder);
}

static void certificates_are_not_awaited_from_a_pipe(void **state)
{
    char folder[] = "/tmp/test_httpclient.XXXXXX", ca[64], kinds[4][64];
    struct casb_error err = {0};
    FILE *file;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(ca, sizeof ca, "%s/ca.pem", folder);
    for (size_t i = 0; i < ELEMENTS(kinds); i++)
        snprintf(kinds[i], sizeof kinds[i], "%s/%zu.pem", folder, i);
    assert_int_equal(mkfifo(kinds[0], 0600), 0);
    assert_int_equal(mkdir(kinds[1], 0700), 0);
    assert_int_equal(symlink("/dev/zero", kinds[2]), 0);
    assert_int_equal(symlink(kinds[0], kinds[3]), 0);
    file = fopen(ca, "w");
    assert_non_null(file);
    fputs(pki.ca_pem, file);
    fclose(file);
    for (size_t i = 0; i < ELEMENTS(kinds); i++) {
        setenv("SSL_CERT_FILE", kinds[i], 1);
        err = (struct casb_error){0};
        assert_int_equal(get_trusting(NULL, &err), CASB_EINVALID);
        assert_non_null(strstr(err.text, "is no regular file"));
        assert_int_equal(get_trusting(pki.ca_pem, NULL), 0); /* which does not need it */
    }
    unsetenv("SSL_CERT_FILE");
    setenv("SSL_CERT_DIR", folder, 1);
    assert_int_equal(get_trusting(NULL, NULL), 0);
    unsetenv("SSL_CERT_DIR");
    for (size_t i = 0; i < ELEMENTS(kinds); i++)
        remove(kinds[i]);
    unlink(ca);
    rmdir(folder);
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
        const char *cert, *key;
        X509 *ca;
        const char *text;
    } table[] = {
        {pki.client_cert, pki.client_key, pki.ca.cert, NULL},
        {pki.middle_cert, pki.middle_key, pki.other_ca.cert, NULL},
        {NULL, NULL, pki.ca.cert, "may want a client certificate"},
        {pki.other_cert, pki.other_key, pki.ca.cert, "refused our certificate"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table) * ELEMENTS(versions); i++) {
        size_t row = i % ELEMENTS(table);
        const struct testserver_config server = {
            .identity = &pki.good,
            .client_ca = table[row].ca,
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

static bool answer_resumed(struct testpeer *peer, void *arg)
{
    (void)arg;
    return testpeer_send(peer, SSL_session_reused(peer->ssl)
                                   ? "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nresumed"
                                   : "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfull");
}

/* On a connection of its own. */
static void assert_connects(struct http_client *client, const char *url, const char *how)
{
    _cleanup_(http_response_free) struct http_response response;
    const struct http_request request = {.method = "GET", .url = url, .once = true};
    struct casb_call call = call_of(10000);

    assert_int_equal(http_perform(client, &call, &request, &response, NULL), 0);
    assert_int_equal(response.connections, 1);
    assert_string_equal(buf_text(&response.body), how);
}

static void further_connections_resume_the_session_of_the_first(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    const struct http_config configs[] = {
        {.ca_pem = pki.ca_pem},
        {.ca_pem = pki.ca_pem,
         .client_cert_pem = pki.client_cert,
         .client_key_pem = pki.client_key},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(versions) * ELEMENTS(configs); i++) {
        const struct http_config *config = &configs[i % ELEMENTS(configs)];
        const struct testserver_config server = {
            .identity = &pki.good,
            .client_ca = config->client_cert_pem ? pki.ca.cert : NULL,
            .max_version = versions[i / ELEMENTS(configs)],
            .answer = answer_resumed,
        };
        struct pair pair = pair_start(&server, config);
        struct http_client *other;

        assert_connects(pair.client, pair.url, "full");
        assert_connects(pair.client, pair.url, "resumed");
        assert_connects(pair.client, pair.url, "resumed");
        assert_int_equal(http_client_new(config, &other, NULL), 0);
        assert_connects(other, pair.url, "full");
        http_client_free(other);
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

static const struct casb_call unhurried = {.deadline_ns = INT64_MAX, .cancel_fd = -1};

struct taker {
    struct http_client *client;
    struct handle *handle;
};

static void *take(void *arg)
{
    struct taker *taker = arg;

    assert_int_equal(handle_take(taker->client, &unhurried, false, &taker->handle, NULL), 0);
    return NULL;
}

/* It waits for a moment only: on a slow machine one try may not show it. */
static void a_call_takes_what_another_leaves_soon(void **state)
{
    struct taker taker = {.handle = NULL};
    struct handle *first = NULL;
    pthread_t thread;
    int tries = 0;

    (void)state;
    assert_int_equal(http_client_new(&(struct http_config){0}, &taker.client, NULL), 0);
    do {
        if (first)
            handle_drop(taker.client, taker.handle);
        assert_int_equal(handle_take(taker.client, &unhurried, false, &first, NULL), 0);
        assert_int_equal(pthread_create(&thread, NULL, take, &taker), 0);
        handle_give_back(taker.client, first);
        pthread_join(thread, NULL);
    } while (taker.handle != first && ++tries < 100);
    assert_ptr_equal(taker.handle, first);
    handle_give_back(taker.client, taker.handle);
    http_client_free(taker.client);
}

/* Each that opens one has the others wait for another moment, of a tenth of a second. */
static void calls_that_begin_together_open_connections_one_by_one(void **state)
{
    const struct casb_call over = {.deadline_ns = 1, .cancel_fd = -1};
    struct taker takers[3] = {{0}};
    struct http_client *client;
    pthread_t threads[ELEMENTS(takers)];
    struct handle *first, *last;
    int64_t begun_ns;

    (void)state;
    assert_int_equal(http_client_new(&(struct http_config){0}, &client, NULL), 0);
    assert_int_equal(handle_take(client, &unhurried, false, &first, NULL), 0);
    begun_ns = clock_now_ns();
    for (size_t i = 0; i < ELEMENTS(takers); i++) {
        takers[i].client = client;
        assert_int_equal(pthread_create(&threads[i], NULL, take, &takers[i]), 0);
    }
    for (size_t i = 0; i < ELEMENTS(takers); i++)
        pthread_join(threads[i], NULL);
    assert_true(clock_now_ns() - begun_ns >= 250 * CLOCK_MS);
    assert_true(clock_now_ns() - begun_ns < 900 * CLOCK_MS); /* and none looks away meanwhile */
    /* whose time is over waits for none */
    begun_ns = clock_now_ns();
    assert_int_equal(handle_take(client, &over, false, &last, NULL), 0);
    assert_true(clock_now_ns() - begun_ns < 90 * CLOCK_MS);
    handle_give_back(client, last);
    handle_give_back(client, first);
    for (size_t i = 0; i < ELEMENTS(takers); i++)
        handle_give_back(client, takers[i].handle);
    http_client_free(client);
}

static void a_call_waits_for_no_other_that_takes_long(void **state)
{
    struct http_client *client;
    struct handle *busy, *other;

    (void)state;
    for (int lasting = 0; lasting < 2; lasting++) {
        assert_int_equal(http_client_new(&(struct http_config){0}, &client, NULL), 0);
        assert_int_equal(handle_take(client, &unhurried, lasting, &busy, NULL), 0);
        assert_int_equal(handle_take(client, &unhurried, false, &other, NULL), 0);
        assert_ptr_not_equal(busy, other);
        handle_give_back(client, other);
        handle_give_back(client, busy);
        http_client_free(client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(untrusted_certificates_are_denied_with_the_reason),
        cmocka_unit_test(the_environment_says_where_the_systems_certificates_are),
        cmocka_unit_test(certificates_are_not_awaited_from_a_pipe),
        cmocka_unit_test(insecure_accepts_any_certificate),
        cmocka_unit_test(an_intermediate_is_an_anchor_only_where_asked_for),
        cmocka_unit_test(old_tls_is_refused),
        cmocka_unit_test(a_server_can_demand_a_client_certificate),
        cmocka_unit_test(a_call_takes_what_another_leaves_soon),
        cmocka_unit_test(further_connections_resume_the_session_of_the_first),
        cmocka_unit_test(calls_that_begin_together_open_connections_one_by_one),
        cmocka_unit_test(a_call_waits_for_no_other_that_takes_long),
        cmocka_unit_test(bad_configurations_are_refused_at_once),
    };

    return cmocka_run_group_tests(tests, make_pki, free_pki);
}
