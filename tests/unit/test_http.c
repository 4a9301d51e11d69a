/* SPDX-License-Identifier: Apache-2.0 */
/* Requests against a TLS server in the same process. */
#include "unit.h"

#include "base/clock.h"
#include "base/http.h"
#include "sandbox/pki.h"
#include "sandbox/server.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const long hour = 3600;

/* A CA, a server that it certified for a name, and a client's certificate. */
struct world {
    struct pki ca, cert, client;
    struct server server;
    unsigned port;
    int listen_fd;
    char *ca_pem, *client_cert, *client_key;
    char url[128];
    char seen_path[300], seen_body[64];
    bool seen_client;
};

static int answer(const struct server_request *request, json_t **ret_body, void *arg)
{
    struct world *w = arg;

    snprintf(w->seen_path, sizeof w->seen_path, "%s %s", request->method, request->path);
    snprintf(w->seen_body, sizeof w->seen_body, "%s",
             request->body ? json_string_value(json_object_get(request->body, "say")) : "");
    w->seen_client = request->client != NULL;
    if (strcmp(request->path, "/missing") == 0) {
        *ret_body = server_message("no such thing", NULL);
        return 404;
    }
    *ret_body = json_pack("{s:s}", "answer", "yes");
    return 200;
}

static void *serve(void *arg)
{
    struct world *w = arg;

    server_run(&w->server, w->listen_fd);
}

static struct world *begin(const struct pki_request *cert, struct server server)
{
    struct world *w = calloc(1, sizeof *w);
    struct pki_request request = *cert;
    pthread_t thread;

    w->ca = pki_make(&(struct pki_request){.subject = "test CA", .is_ca = true, .to = hour});
    request.issuer = &w->ca;
    request.subject = "server";
    w->cert = pki_make(&request);
    w->client = pki_make(&(struct pki_request){.subject = "client", .to = hour});
    w->ca_pem = pki_cert_pem(w->ca.cert);
    w->client_cert = pki_cert_pem(w->client.cert);
    w->client_key = pki_key_pem(w->client.key);
    w->server = server;
    w->server.tls = server_tls(w->cert.key, w->cert.cert, NULL);
    w->server.handler = answer;
    w->server.arg = w;
    w->listen_fd = server_listen("127.0.0.1:0", &w->port);
    snprintf(w->url, sizeof w->url, "https://127.0.0.1:%u/path", w->port);
    assert_int_equal(pthread_create(&thread, NULL, serve, w), 0);
    pthread_detach(thread); /* serves as long as the process lives, and so does its world */
    return w;
}

static const struct pki_request good = {.alt_name = "IP:127.0.0.1", .to = 3600};

static struct casb_call within(int64_t ns)
{
    return (struct casb_call){.deadline_ns = clock_now_ns() + ns, .cancel_fd = -1};
}

/* One GET (or what `request` says), with the answer's class as result. */
static int perform(const struct http_config *config, const struct http_request *request,
                   const struct casb_call *call, struct http_response *response,
                   struct casb_error *err)
{
    struct http_client *client;
    int r;

    memset(err, 0, sizeof *err);
    assert_int_equal(http_client_new(config, &client, err), 0);
    r = http_perform(client, call, request, response, err);
    http_client_free(client);
    return r;
}

static void an_answer_arrives_whole(void **state)
{
    struct world *w = begin(&good, (struct server){0});
    const char body[] = "{\"say\":\"hello\"}";
    struct http_config config = {.ca_pem = w->ca_pem, .partial_chain = true};
    struct http_request request = {
        .method = "POST",
        .url = w->url,
        .headers = (const char *const[]){"Content-Type: application/json", NULL},
        .body = body,
        .body_len = sizeof body - 1};
    struct casb_call call = within(60 * CLOCK_S);
    struct http_response response;
    struct casb_error err;

    (void)state;
    assert_int_equal(perform(&config, &request, &call, &response, &err), 0);
    assert_int_equal(response.status, 200);
    assert_true(response.answered);
    assert_non_null(strstr(buf_text(&response.body), "\"yes\""));
    assert_string_equal(w->seen_path, "POST /path");
    assert_string_equal(w->seen_body, "hello");
    assert_false(w->seen_client);
    http_response_free(&response);
}

static void an_error_status_is_an_answer(void **state)
{
    struct world *w = begin(&good, (struct server){0});
    struct http_config config = {
        .ca_pem = w->ca_pem, .client_cert_pem = w->client_cert, .client_key_pem = w->client_key};
    char url[160];
    struct http_request request = {.method = "GET", .url = url};
    struct casb_call call = within(60 * CLOCK_S);
    struct http_response response;
    struct casb_error err;

    (void)state;
    snprintf(url, sizeof url, "https://127.0.0.1:%u/missing", w->port);
    assert_int_equal(perform(&config, &request, &call, &response, &err), 0);
    assert_int_equal(response.status, 404);
    assert_non_null(strstr(buf_text(&response.body), "no such thing"));
    assert_true(w->seen_client);
    http_response_free(&response);
}

/* What must not be trusted, and the word that must be in the message. */
static void servers_that_are_not_who_they_should_be(void **state)
{
    struct world *w = begin(&good, (struct server){0});
    struct world *expired =
        begin(&(struct pki_request){.alt_name = "IP:127.0.0.1", .from = -2 * hour, .to = -hour},
              (struct server){0});
    struct world *named =
        begin(&(struct pki_request){.alt_name = "DNS:other", .to = hour}, (struct server){0});
    const struct {
        struct world *world;
        const char *ca_pem, *word;
    } table[] = {
        {expired, expired->ca_pem, "expired (on 20"},
        {named, named->ca_pem, "another name"},
        {w, named->ca_pem, "not accepted"},
        {w, NULL, "not accepted"},
    };
    struct http_response response;
    struct casb_error err;

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        struct http_config config = {.ca_pem = table[i].ca_pem};
        struct http_request request = {.method = "GET", .url = table[i].world->url};
        struct casb_call call = within(60 * CLOCK_S);

        assert_int_equal(perform(&config, &request, &call, &response, &err), CASB_EDENIED);
        assert_non_null(strstr(err.text, table[i].word));
        assert_false(response.answered);
        http_response_free(&response);
    }
}

static void a_name_is_verified_whatever_address_is_dialled(void **state)
{
    struct world *named =
        begin(&(struct pki_request){.alt_name = "DNS:mycas", .to = hour}, (struct server){0});
    char address[32], url[64];
    struct http_config by_url = {.ca_pem = named->ca_pem, .connect_to = address};
    struct http_config by_name = {.ca_pem = named->ca_pem, .server_name = "mycas"};
    struct casb_call call = within(60 * CLOCK_S);
    struct http_request request = {.method = "GET", .url = "https://mycas:8081/path"};
    struct http_response response;
    struct casb_error err;

    (void)state;
    snprintf(address, sizeof address, "127.0.0.1:%u", named->port);
    assert_int_equal(perform(&by_url, &request, &call, &response, &err), 0);
    http_response_free(&response);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/path", named->port);
    request.url = url;
    assert_int_equal(perform(&by_name, &request, &call, &response, &err), 0);
    http_response_free(&response);
    by_name.server_name = "yourcas";
    assert_int_equal(perform(&by_name, &request, &call, &response, &err), CASB_EDENIED);
    http_response_free(&response);
}

static void an_unverified_server_is_taken_only_when_asked(void **state)
{
    struct world *named =
        begin(&(struct pki_request){.alt_name = "DNS:other", .to = hour}, (struct server){0});
    struct http_config config = {.insecure = true};
    struct http_request request = {.method = "GET", .url = named->url};
    struct casb_call call = within(60 * CLOCK_S);
    struct http_response response;
    struct casb_error err;

    (void)state;
    assert_int_equal(perform(&config, &request, &call, &response, &err), 0);
    http_response_free(&response);
}

/* Servers that answer badly: the class that must come out, soon. */
static void bad_answers_are_errors_in_time(void **state)
{
    static const struct {
        struct server server;
        size_t limit;
        int64_t timeout_ns, idle_ns;
        int want;
    } table[] = {
        {{.fault = FAULT_ENDLESS}, 100000, 0, 0, CASB_EINVALID},
        {{.fault = FAULT_CUT}, 0, 0, 0, CASB_EUNREACHABLE},
        {{.fault = FAULT_TRUNCATE}, 0, 0, 0, CASB_EUNREACHABLE},
        {{.fault = FAULT_SILENT}, 0, 200 * CLOCK_MS, 0, CASB_ETIMEOUT},
        {{.fault = FAULT_SILENT}, 0, 0, CLOCK_S, CASB_ETIMEOUT},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        struct world *w = begin(&good, table[i].server);
        struct http_config config = {.ca_pem = w->ca_pem};
        struct http_request request = {.method = "GET",
                                       .url = w->url,
                                       .limit_bytes = table[i].limit,
                                       .timeout_ns = table[i].timeout_ns,
                                       .idle_timeout_ns = table[i].idle_ns};
        struct casb_call call = within(60 * CLOCK_S);
        struct http_response response;
        struct casb_error err;

        assert_int_equal(perform(&config, &request, &call, &response, &err), table[i].want);
        assert_true(call.deadline_ns - clock_now_ns() > 30 * CLOCK_S);
        http_response_free(&response);
    }
}

static void *cancel_soon(void *arg)
{
    uint64_t one = 1;

    usleep(50000);
    return write(*(int *)arg, &one, sizeof one) == sizeof one ? NULL : arg;
}

static void cancelling_ends_an_exchange_at_once(void **state)
{
    struct world *w = begin(&good, (struct server){.fault = FAULT_SILENT});
    struct http_config config = {.ca_pem = w->ca_pem};
    struct http_request request = {.method = "GET", .url = w->url};
    struct casb_call call = within(60 * CLOCK_S);
    struct http_response response;
    struct casb_error err;
    pthread_t thread;
    int fd = eventfd(0, EFD_CLOEXEC);
    int64_t begun = clock_now_ns();

    (void)state;
    call.cancel_fd = fd;
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &fd), 0);
    assert_int_equal(perform(&config, &request, &call, &response, &err), CASB_ECANCELLED);
    assert_true(clock_now_ns() - begun < 5 * CLOCK_S);
    pthread_join(thread, NULL);
    http_response_free(&response);
    close(fd);
}

static int stop_at_once(const char *data, size_t len, void *arg)
{
    (void)data;
    *(size_t *)arg += len;
    return 1;
}

static void a_reader_may_stop_a_stream(void **state)
{
    struct world *w = begin(&good, (struct server){.fault = FAULT_ENDLESS});
    struct http_config config = {.ca_pem = w->ca_pem};
    size_t taken = 0;
    struct http_request request = {
        .method = "GET", .url = w->url, .on_body = stop_at_once, .arg = &taken};
    struct casb_call call = within(60 * CLOCK_S);
    struct http_response response;
    struct casb_error err;

    (void)state;
    assert_int_equal(perform(&config, &request, &call, &response, &err), 0);
    assert_true(taken > 0);
    assert_int_equal(response.body.len, 0);
    http_response_free(&response);
}

static void nothing_listens_there(void **state)
{
    struct http_config config = {.insecure = true};
    struct http_request request = {.method = "GET", .url = "https://127.0.0.1:1/"};
    struct casb_call call = within(60 * CLOCK_S);
    struct http_response response;
    struct casb_error err;

    (void)state;
    assert_int_equal(perform(&config, &request, &call, &response, &err), CASB_EUNREACHABLE);
    assert_true(err.retry);
    http_response_free(&response);
    request.url = "http://127.0.0.1:1/";
    assert_int_equal(perform(&config, &request, &call, &response, &err), CASB_EINVALID);
    http_response_free(&response);
}

static void bad_certificates_are_refused_before_any_connection(void **state)
{
    struct pki a = pki_make(&(struct pki_request){.subject = "a", .to = hour});
    struct pki b = pki_make(&(struct pki_request){.subject = "b", .to = hour});
    char *cert = pki_cert_pem(a.cert), *key = pki_key_pem(b.key);
    const struct http_config table[] = {
        {.ca_pem = "nonsense"},
        {.client_cert_pem = cert},
        {.client_key_pem = key},
        {.client_cert_pem = cert, .client_key_pem = key},
        {.client_cert_pem = cert, .client_key_pem = "nonsense"},
    };
    struct http_client *client = NULL;

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++)
        assert_int_equal(http_client_new(&table[i], &client, NULL), CASB_EINVALID);
    assert_null(client);
    free(cert);
    free(key);
    pki_free(&a);
    pki_free(&b);
}

static void urls_are_encoded(void **state)
{
    struct buf out = BUF_INIT(100);

    (void)state;
    assert_int_equal(http_encode(&out, "a!=b,c in (d)/~\xc3\xa4"), 0);
    assert_string_equal(buf_text(&out), "a%21%3Db%2Cc%20in%20%28d%29%2F~%C3%A4");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_arrives_whole),
        cmocka_unit_test(an_error_status_is_an_answer),
        cmocka_unit_test(servers_that_are_not_who_they_should_be),
        cmocka_unit_test(a_name_is_verified_whatever_address_is_dialled),
        cmocka_unit_test(an_unverified_server_is_taken_only_when_asked),
        cmocka_unit_test(bad_answers_are_errors_in_time),
        cmocka_unit_test(cancelling_ends_an_exchange_at_once),
        cmocka_unit_test(a_reader_may_stop_a_stream),
        cmocka_unit_test(nothing_listens_there),
        cmocka_unit_test(bad_certificates_are_refused_before_any_connection),
        cmocka_unit_test(urls_are_encoded),
    };

    signal(SIGPIPE, SIG_IGN); /* the server is in this process */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
