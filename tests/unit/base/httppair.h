/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test server and an HTTP client against it, and the certificates of both. What cannot work fails
 * the test.
 */
#ifndef TESTS_UNIT_HTTPPAIR_H
#define TESTS_UNIT_HTTPPAIR_H

#include "unit/unit.h"
#include "unit/base/testserver.h"

#include "base/clock.h"
#include "base/http.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

/* Keys and certificates, made once: who may be trusted, and who shows what to the client. */
struct httppair_pki {
    struct pki ca, namesake_ca, other_ca, middle;
    struct pki good, named, expired, future, stranger, below_namesake, below_middle;
    struct pki client, other_client, middle_client;
    char *ca_pem, *middle_pem, *client_cert, *client_key, *other_cert, *other_key;
    char *middle_cert, *middle_key; /* with the middle's own certificate, and below it */
};
extern struct httppair_pki pki;

/* Group setup and teardown for it. */
int make_pki(void **state);
int free_pki(void **state);

struct pair {
    struct testserver *server;
    struct http_client *client;
    char url[64];
};

/* Starts both; the client's URL is the server's. */
struct pair pair_start(const struct testserver_config *server, const struct http_config *client);
void pair_end(struct pair *pair);

/* A call with so much time. */
struct casb_call call_of(int64_t ms);

/* A GET of the pair's URL within ten seconds. */
int get(struct pair *pair, struct http_response *response, struct casb_error *err);

/* Answers for a server: the text `arg`, */
bool answer_text(struct testpeer *peer, void *arg);
/* then nothing until the client has gone, */
bool answer_and_stall(struct testpeer *peer, void *arg);
/* or the end of the connection. */
bool answer_and_close(struct testpeer *peer, void *arg);

/* One GET from a server that says `text`, by a client that trusts the CA. `with` may be NULL. */
int exchange(testserver_fn *answer, const char *text, const struct http_request *with,
             struct http_response *response, struct casb_error *err);

#endif
