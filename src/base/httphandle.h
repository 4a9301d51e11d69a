/* SPDX-License-Identifier: Apache-2.0 */
/* A client from inside: the transfers that it keeps, and their options. For http.c. */
#ifndef BASE_HTTPHANDLE_H
#define BASE_HTTPHANDLE_H

#include "base/error.h"
#include "base/handshake.h"
#include "base/tls.h"

#include <cas-backup/host.h>

#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>

/*
 * A transfer and the connection that it keeps. Each has a multi of its own: only a multi can be
 * waited on together with a call's cancel_fd, and used by one call at a time it needs no lock.
 */
struct handle {
    struct handle *next;
    CURL *easy;
    CURLM *multi;
    struct handshake handshake;
    const struct tls_credentials *credentials; /* for what connects next; NULL: libcurl has them */
    const char *ca_folders;                    /* of the environment, see cafiles.h; or NULL */
    bool lasting;                              /* of the call that has it */
    char error[CURL_ERROR_SIZE];
};

struct http_client {
    struct tls_credentials *credentials;
    char *ca_pem, *cert_pem, *key_pem; /* the same, for libcurl */
    char *server_name, *connect_to, *proxy, *user, *password, *user_agent;
    bool insecure, partial_chain, allow_http;
    int64_t connect_timeout_ns;
    CURLSH *sessions; /* of TLS, which all its connections resume */
    pthread_mutex_t sessions_lock;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t left;  /* a call has left its transfer */
    size_t busy;          /* calls that have one, but for those that last */
    bool timed;           /* one of the calls that wait for one looks at the time */
    int64_t opened_ns;    /* when the last connection was begun */
    struct handle *idle;
};

/* Where options are set, and the first refusal. */
struct options {
    CURL *easy;
    struct casb_error *err;
    int rc; /* 0, CASB_ENOMEM or CASB_EFAILED */
};

/* Notes what curl_easy_setopt() returned for the option of that name. */
void options_note(struct options *o, const char *name, CURLcode code);

#define SET(o, option, value) options_note(o, #option, curl_easy_setopt((o)->easy, option, value))

/*
 * Takes an idle transfer; where others are busy one that becomes idle within a moment, in which no
 * new one is made either, or before the call is over; else a new one. For none that is `lasting`
 * anybody waits. It ends by handle_give_back() or handle_drop().
 */
int handle_take(struct http_client *client, const struct casb_call *call, bool lasting,
                struct handle **ret, struct casb_error *err) _warn_unused_;

/*
 * Whom a new connection trusts, and what it shows. It gets what the client has read once: libcurl
 * reads PEM for each connection, which takes more CPU time than the rest of it. But where the proxy
 * speaks TLS too libcurl has to, which alone knows which of the two a context is for.
 */
void handle_set_credentials(struct options *o, const struct http_client *client,
                            struct handle *handle, bool tls_proxy);

/* Leaves the transfer, which is not under way, to the next call. */
void handle_give_back(struct http_client *client, struct handle *handle);

/* Frees a transfer that failed, and those that are idle: the next calls make new connections. */
void handle_drop(struct http_client *client, struct handle *handle);

#endif
