/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An API server in this process that answers as a script says, one reply a request, and remembers
 * what it was asked. It speaks TLS with a certificate of its own for 127.0.0.1. What cannot work
 * fails the test.
 */
#ifndef TESTS_UNIT_FAKE_API_H
#define TESTS_UNIT_FAKE_API_H

#include "common/kube/kube.h"

struct fake_reply {
    int status;              /* 0: the connection is closed without an answer */
    const char *body;        /* NULL: empty */
    const char *retry_after; /* the header, or NULL */
    const char *type;        /* NULL: application/json */
    size_t len;              /* of the body; 0: it is a string */
    bool cut;                /* more is announced than comes before the connection is closed */
    bool chop;               /* comes a byte at a time */
};

/* A request as it came. */
struct fake_request {
    char *line;                                        /* "GET /api/v1/nodes?limit=50" */
    char *authorization, *type, *impersonate, *accept; /* headers, or NULL */
    char *body;
};

struct fake_api;

/* Starts with a script of `count` replies, borrowed; a request beyond it gets 418. */
struct fake_api *fake_api_start(const struct fake_reply *script, size_t count);
#define FAKE_API(script) fake_api_start(script, ELEMENTS(script))

/* Ends it. */
void fake_api_stop(struct fake_api *api);

/* How many requests came, and one of them. */
size_t fake_api_count(struct fake_api *api);
const struct fake_request *fake_api_request(struct fake_api *api, size_t i);

/* A client for it: `user` is YAML of a user, such as "{token: t0ken}". */
struct kube *fake_api_client(struct fake_api *api, const char *user);

/* A client as in a pod of its cluster, whose ServiceAccount's files are in `dir`. */
struct kube *fake_api_pod_client(struct fake_api *api, const char *dir);

/* Writes the files of a ServiceAccount with this token into `dir`. */
void fake_api_put_account(const struct fake_api *api, const char *dir, const char *token);

/* A host that keeps the last warning in fake_log, and a call without a near deadline. */
extern const struct casb_host fake_host;
extern char fake_log[512];
struct casb_call fake_call(void);

#endif
