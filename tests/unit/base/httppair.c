/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/base/httppair.h"

struct httppair_pki pki;

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

static char *chain_pem(X509 *cert, const char *rest)
{
    _cleanup_(freep) char *first = pki_cert_pem(cert);
    char *chain;

    assert_true(asprintf(&chain, "%s%s", first, rest) > 0);
    return chain;
}

int make_pki(void **state)
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
    pki.middle_client = make(&pki.middle, NULL, -PKI_DAY, PKI_DAY);
    pki.ca_pem = pki_cert_pem(pki.ca.cert);
    pki.middle_pem = pki_cert_pem(pki.middle.cert);
    pki.client_cert = pki_cert_pem(pki.client.cert);
    pki.client_key = pki_key_pem(pki.client.key);
    pki.other_cert = pki_cert_pem(pki.other_client.cert);
    pki.other_key = pki_key_pem(pki.other_client.key);
    pki.middle_cert = chain_pem(pki.middle_client.cert, pki.middle_pem);
    pki.middle_key = pki_key_pem(pki.middle_client.key);
    return 0;
}

int free_pki(void **state)
{
    struct pki *all[] = {
        &pki.namesake_ca,  &pki.below_namesake, &pki.ca,           &pki.other_ca,
        &pki.middle,       &pki.good,           &pki.named,        &pki.expired,
        &pki.future,       &pki.stranger,       &pki.below_middle, &pki.client,
        &pki.other_client, &pki.middle_client,
    };
    char *texts[] = {pki.ca_pem,     pki.middle_pem, pki.client_cert, pki.client_key,
                     pki.other_cert, pki.other_key,  pki.middle_cert, pki.middle_key};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(all); i++)
        pki_free(all[i]);
    for (size_t i = 0; i < ELEMENTS(texts); i++)
        free(texts[i]);
    return 0;
}

struct pair pair_start(const struct testserver_config *server, const struct http_config *client)
{
    struct pair pair = {.server = testserver_start(server)};

    snprintf(pair.url, sizeof pair.url, "http%s://127.0.0.1:%u/x", server->identity ? "s" : "",
             testserver_port(pair.server));
    assert_int_equal(http_client_new(client, &pair.client, NULL), 0);
    return pair;
}

void pair_end(struct pair *pair)
{
    http_client_free(pair->client);
    testserver_stop(pair->server);
}

struct casb_call call_of(int64_t ms)
{
    return (struct casb_call){.deadline_ns = clock_now_ns() + ms * CLOCK_MS, .cancel_fd = -1};
}

int get(struct pair *pair, struct http_response *response, struct casb_error *err)
{
    struct casb_call call = call_of(10000);
    const struct http_request request = {.method = "GET", .url = pair->url};

    return http_perform(pair->client, &call, &request, response, err);
}

bool answer_text(struct testpeer *peer, void *arg)
{
    return testpeer_send(peer, arg);
}

bool answer_and_stall(struct testpeer *peer, void *arg)
{
    testpeer_send(peer, arg);
    return testpeer_wait_close(peer);
}

bool answer_and_close(struct testpeer *peer, void *arg)
{
    testpeer_send(peer, arg);
    return false;
}

int exchange(testserver_fn *answer, const char *text, const struct http_request *with,
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
