/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sandbox's HTTPS server: one request a connection, a thread each, and misbehaviour on
 * request.
 */
#ifndef SANDBOX_SERVER_H
#define SANDBOX_SERVER_H

#include <jansson.h>
#include <openssl/ssl.h>
#include <stdbool.h>

enum server_fault {
    FAULT_NONE,
    FAULT_GARBAGE,  /* a body that is no JSON */
    FAULT_ENDLESS,  /* a body that does not end */
    FAULT_TRUNCATE, /* half the body, then the connection is closed in good order */
    FAULT_CUT,      /* half the body, then the connection is reset */
    FAULT_SILENT,   /* no answer, and the connection stays open */
};

struct server_request {
    char method[8];
    char path[256];
    json_t *body; /* NULL: none, or no JSON */
    X509 *client; /* the client's certificate, which TLS proved; NULL: none was given */
};

/* Answers a request: returns the status, and the body in *ret_body, which the server frees. */
typedef int server_handler_fn(const struct server_request *request, json_t **ret_body, void *arg);

struct server {
    SSL_CTX *tls;
    enum server_fault fault;
    double slow_seconds; /* before each answer */
    int failing;         /* so many more requests are answered with 503 */
    server_handler_fn *handler;
    void *arg;
};

/*
 * Opens a listening socket on HOST:PORT, with port 0 on any free one; "[::]:8081" listens on IPv4
 * too. *ret_port gets the port. Ends the process where that fails.
 */
int server_listen(const char *address, unsigned *ret_port);

/*
 * A TLS context that shows this certificate, and its issuer's unless NULL, and asks clients for
 * theirs. Borrows all three.
 */
SSL_CTX *server_tls(EVP_PKEY *key, X509 *cert, X509 *issuer);

/* Serves for ever. */
_Noreturn void server_run(struct server *server, int listen_fd);

/* {"msg": [...]}, the form of a CAS's errors: up to two texts, the second may be NULL. */
json_t *server_message(const char *first, const char *second);

#endif
