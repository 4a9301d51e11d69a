/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/base/httppair.h"

#include "base/httphandle.h"
#include "base/httptarget.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

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

static void a_server_of_http_2_is_asked_for_1_1(void **state)
{
    const struct testserver_config server = {
        .identity = &pki.good,
        .http2 = true,
        .answer = answer_text,
        .arg = (void *)OK_ANSWER,
    };
    struct pair pair = pair_start(&server, &(struct http_config){.ca_pem = pki.ca_pem});
    _cleanup_(http_response_free) struct http_response response;

    (void)state;
    assert_int_equal(get(&pair, &response, NULL), 0);
    assert_string_equal(buf_text(&response.body), "hello");
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

/* ---- where it goes */

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

static const char *const proxy_names[] = {"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy",
                                          "NO_PROXY",    "no_proxy",    "ALL_PROXY",  "all_proxy"};

static int forget_proxies(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS(proxy_names); i++)
        unsetenv(proxy_names[i]);
    return 0;
}

static bool answer_no_tunnel(struct testpeer *peer, void *arg)
{
    snprintf(arg, 300, "%.299s", peer->request);
    return testpeer_send(peer, "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n");
}

/* By a client's own proxy, and by the environment's. */
static void a_proxy_is_asked_for_a_tunnel_and_named(void **state)
{
    (void)state;
    for (int own = 0; own < 2; own++) {
        char request[300] = "", proxy[64], who[64];
        const struct testserver_config config = {.answer = answer_no_tunnel, .arg = request};
        struct testserver *server = testserver_start(&config);
        const struct http_config client_config = {.proxy = own ? proxy : NULL};
        _cleanup_(http_client_freep) struct http_client *client = NULL;
        _cleanup_(http_response_free) struct http_response response;
        struct casb_call call = call_of(10000);
        const struct http_request get = {.method = "GET", .url = "https://server.example:1/"};
        struct casb_error err = {0};

        snprintf(proxy, sizeof proxy, "http://me:secret@127.0.0.1:%u", testserver_port(server));
        snprintf(who, sizeof who, "by proxy 'http://127.0.0.1:%u'", testserver_port(server));
        if (!own)
            setenv("https_proxy", proxy, 1);
        assert_int_equal(http_client_new(&client_config, &client, NULL), 0);
        assert_int_equal(http_perform(client, &call, &get, &response, &err), CASB_EUNREACHABLE);
        assert_false(response.answered);
        testserver_stop(server);
        assert_memory_equal(request, "CONNECT server.example:1 HTTP/1.1\r\n", 35);
        assert_non_null(strstr(request, "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n"));
        assert_non_null(strstr(err.text, who));
        assert_null(strstr(err.text, "secret"));
        forget_proxies(NULL);
    }
}

/* A tunnel to the server at the port `arg`, for as long as both want it. */
static bool answer_tunnel(struct testpeer *peer, void *arg)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t) * (unsigned *)arg),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    _cleanup_(closep) int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct pollfd ends[] = {{.fd = peer->fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    char block[16384];
    long n = 1;

    if (connect(fd, (struct sockaddr *)&address, sizeof address) ||
        !testpeer_send(peer, "HTTP/1.1 200 OK\r\n\r\n"))
        return false;
    while (n > 0 && poll(ends, 2, -1) > 0) {
        if (ends[1].revents) {
            n = recv(fd, block, sizeof block, 0);
            n = n > 0 ? SSL_write(peer->ssl, block, (int)n) : n;
            continue;
        }
        do {
            n = SSL_read(peer->ssl, block, sizeof block);
            n = n > 0 ? send(fd, block, (size_t)n, 0) : n;
        } while (n > 0 && SSL_pending(peer->ssl));
    }
    return false;
}

/* The client's certificate and authorities are for the server; the proxy has the system's. */
static void a_proxy_that_speaks_tls_gets_no_credentials(void **state)
{
    const struct testserver_config origin = {
        .identity = &pki.named,
        .client_ca = pki.ca.cert,
        .answer = answer_text,
        .arg = (void *)OK_ANSWER,
    };
    const struct {
        X509 *demands;
        const char *trusted; /* of the server */
        int rc;
    } table[] = {
        {NULL, pki.ca_pem, 0},
        {pki.ca.cert, pki.ca_pem, CASB_EDENIED},
        {NULL, pki.middle_pem, CASB_EDENIED},
    };
    char path[] = "/tmp/test_httptarget.XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(write(fd, pki.ca_pem, strlen(pki.ca_pem)) > 0);
    close(fd);
    setenv("SSL_CERT_FILE", path, 1);
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        struct testserver *server = testserver_start(&origin);
        unsigned port = testserver_port(server);
        struct testserver *proxy = testserver_start(&(struct testserver_config){
            .identity = &pki.good,
            .client_ca = table[i].demands,
            .max_version = TLS1_2_VERSION, /* whose alert is a part of the handshake */
            .answer = answer_tunnel,
            .arg = &port,
        });
        char proxy_url[64];
        const struct http_config config = {
            .ca_pem = table[i].trusted,
            .client_cert_pem = pki.client_cert,
            .client_key_pem = pki.client_key,
            .proxy = proxy_url,
        };
        const struct http_request request = {.method = "GET", .url = "https://mycas:1/"};
        _cleanup_(http_response_free) struct http_response response;
        struct casb_call call = call_of(10000);
        struct http_client *client;

        snprintf(proxy_url, sizeof proxy_url, "https://127.0.0.1:%u", testserver_port(proxy));
        assert_int_equal(http_client_new(&config, &client, NULL), 0);
        assert_int_equal(http_perform(client, &call, &request, &response, NULL), table[i].rc);
        assert_int_equal(testserver_connections(server), !table[i].demands);
        http_client_free(client);
        testserver_stop(proxy);
        testserver_stop(server);
    }
    unsetenv("SSL_CERT_FILE");
    unlink(path);
}

/* ---- targets */

struct want {
    const char *name, *connect_to, *proxy_url; /* as the client has them */
    const char *env, *no_proxy;                /* HTTPS_PROXY and NO_PROXY */
    const char *url;
    const char *ret_url, *dial, *proxy, *who;
};

static void check_target(const struct want *want)
{
    struct http_client client = {
        .server_name = (char *)(uintptr_t)want->name,
        .connect_to = (char *)(uintptr_t)want->connect_to,
        .proxy = (char *)(uintptr_t)want->proxy_url,
        .allow_http = true,
    };
    struct http_target target;

    forget_proxies(NULL);
    setenv("ALL_PROXY", "http://all", 1);
    if (want->env)
        setenv("HTTPS_PROXY", want->env, 1);
    if (want->no_proxy)
        setenv("NO_PROXY", want->no_proxy, 1);
    if (http_target_find(&client, want->url, &target, NULL))
        fail_msg("%s is refused", want->url);
    assert_string_equal(target.url, want->ret_url);
    assert_string_equal(target.proxy, want->proxy ? want->proxy : "");
    assert_string_equal(target.who, want->who);
    assert_string_equal(target.dial ? target.dial : "", want->dial ? want->dial : "");
    assert_int_equal(target.renamed, want->name != NULL);
    http_target_free(&target);
}

static void a_target_has_a_name_an_address_and_a_proxy(void **state)
{
    static const struct want table[] = {
        {.url = "https://a/x?y", .ret_url = "https://a:443/x?y", .who = "'a:443'"},
        {.url = "HTTPS://a:/", .ret_url = "https://a:443/", .who = "'a:443'"},
        {.url = "http://a.:81", .ret_url = "http://a.:81", .who = "'a.:81'"},
        {.name = "b",
         .url = "https://a:1/x",
         .ret_url = "https://b:1/x",
         .dial = "a:1",
         .who = "'a:1'"},
        {.name = "::1",
         .url = "https://a/",
         .ret_url = "https://[::1]:443/",
         .dial = "a:443",
         .who = "'a:443'"},
        {.connect_to = "c:2",
         .url = "https://a/",
         .ret_url = "https://a:443/",
         .dial = "c:2",
         .who = "'a:443'"},
        {.name = "b",
         .connect_to = "c:2",
         .url = "https://a/",
         .ret_url = "https://b:443/",
         .dial = "c:2",
         .who = "'a:443'"},
        {.env = "p:3128",
         .url = "https://a/",
         .ret_url = "https://a:443/",
         .proxy = "http://p:3128",
         .who = "'a:443' by proxy 'http://p:3128'"},
        {.env = "http://me:secret@p",
         .url = "https://a/",
         .ret_url = "https://a:443/",
         .proxy = "http://me:secret@p:80",
         .who = "'a:443' by proxy 'http://p:80'"},
        {.env = "p", .url = "http://a/", .ret_url = "http://a:80/", .who = "'a:80'"},
        {.env = "p",
         .url = "https://127.0.0.1:1/",
         .ret_url = "https://127.0.0.1:1/",
         .who = "'127.0.0.1:1'"},
        /* NO_PROXY is about what is dialled, not about the name that is verified */
        {.name = "b",
         .env = "p",
         .no_proxy = "a",
         .url = "https://a/",
         .ret_url = "https://b:443/",
         .dial = "a:443",
         .who = "'a:443'"},
        {.name = "b",
         .env = "p",
         .no_proxy = "b",
         .url = "https://a/",
         .ret_url = "https://b:443/",
         .dial = "a:443",
         .proxy = "http://p:80",
         .who = "'a:443' by proxy 'http://p:80'"},
        {.name = "a",
         .env = "p",
         .url = "https://[::1]:1/",
         .ret_url = "https://a:1/",
         .dial = "[::1]:1",
         .who = "'[::1]:1'"},
        {.connect_to = "c:2",
         .env = "p",
         .no_proxy = "c:2",
         .url = "https://a/",
         .ret_url = "https://a:443/",
         .dial = "c:2",
         .who = "'a:443'"},
        {.connect_to = "c:2",
         .env = "p",
         .no_proxy = "a",
         .url = "https://a/",
         .ret_url = "https://a:443/",
         .dial = "c:2",
         .proxy = "http://p:80",
         .who = "'a:443' by proxy 'http://p:80'"},
        /* the client's own counts for everything */
        {.proxy_url = "socks5://q",
         .env = "p",
         .no_proxy = "*",
         .url = "https://127.0.0.1:1/",
         .ret_url = "https://127.0.0.1:1/",
         .proxy = "socks5h://q:1080",
         .who = "'127.0.0.1:1' by proxy 'socks5://q:1080'"},
        {.proxy_url = "",
         .env = "p",
         .url = "https://a/",
         .ret_url = "https://a:443/",
         .who = "'a:443'"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++)
        check_target(&table[i]);
}

static void a_target_that_cannot_be_used_is_refused(void **state)
{
    static const struct {
        const char *env, *url, *text;
    } table[] = {
        {NULL, "https://me:secret@a", "not a usable URL"},
        {NULL, "ftp://a", "not a usable URL"},
        {NULL, "socks5://a", "'socks5://a' is not https"},
        {NULL, "http://a", "'http://a' is not https"},
        {"socks6://me:secret@p", "https://a", "HTTPS_PROXY: 'socks6://***@p' is no"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        const struct http_client client = {0};
        struct http_target target;
        struct casb_error err = {0};

        if (table[i].env)
            setenv("HTTPS_PROXY", table[i].env, 1);
        assert_int_equal(http_target_find(&client, table[i].url, &target, &err), CASB_EINVALID);
        http_target_free(&target);
        if (!strstr(err.text, table[i].text))
            fail_msg("%s: %s", table[i].url, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_sent_as_given),
        cmocka_unit_test(a_server_of_http_2_is_asked_for_1_1),
        cmocka_unit_test(large_bodies_are_sent_without_waiting),
        cmocka_unit_test(another_name_is_verified_but_not_dialled),
        cmocka_unit_test(another_address_is_dialled_but_not_verified),
        cmocka_unit_test(plain_http_is_refused_unless_allowed),
        cmocka_unit_test(credentials_never_go_over_plain_http),
        cmocka_unit_test(urls_that_are_none_are_invalid),
        cmocka_unit_test(hosts_and_headers_that_would_be_cut_or_split_are_invalid),
        cmocka_unit_test_teardown(a_proxy_is_asked_for_a_tunnel_and_named, forget_proxies),
        cmocka_unit_test(a_proxy_that_speaks_tls_gets_no_credentials),
        cmocka_unit_test_teardown(a_target_has_a_name_an_address_and_a_proxy, forget_proxies),
        cmocka_unit_test_teardown(a_target_that_cannot_be_used_is_refused, forget_proxies),
    };

    return cmocka_run_group_tests(tests, make_pki, free_pki);
}
