/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server inside a test: TLS or plain, on 127.0.0.1, a thread for each connection, whose answers
 * the test writes byte by byte. What cannot work ends the process with a message.
 */
#ifndef TESTS_UNIT_TESTSERVER_H
#define TESTS_UNIT_TESTSERVER_H

#include "sandbox/pki.h"

#include <openssl/ssl.h>
#include <stdbool.h>

struct testserver;

/* One connection, with the request that has just arrived. */
struct testpeer {
    int fd;
    SSL *ssl;      /* NULL: plain */
    char *request; /* header and body, NUL-terminated */
};

/* Answers a request. True: the connection is kept for the next one. Runs in a thread of its own. */
typedef bool testserver_fn(struct testpeer *peer, void *arg);

struct testserver_config {
    const struct pki *identity; /* NULL: plain HTTP */
    X509 *client_ca;            /* demand a client certificate of it; NULL: none is asked for */
    int max_version;            /* TLS1_2_VERSION, ...; 0: the newest */
    bool http2;                 /* agree to speak it: its preface is then the request that comes */
    testserver_fn *answer;
    void *arg;
};

/* Listens on a free port. End it by testserver_stop(). */
struct testserver *testserver_start(const struct testserver_config *config);

/* Where it listens. */
unsigned testserver_port(const struct testserver *server);

/* How many connections it has accepted so far. */
unsigned testserver_connections(const struct testserver *server);

/* Closes what is open and waits for all threads. */
void testserver_stop(struct testserver *server);

/* Sends bytes as they are; false where the peer is gone. */
bool testpeer_send(struct testpeer *peer, const char *text);

/* Waits until the peer closes the connection. Returns false, as an answer that ends it. */
bool testpeer_wait_close(struct testpeer *peer);

#endif
