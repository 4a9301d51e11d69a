/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CAS REST API as far as registration needs it. Scontain documents the server's verification
 * and the form of its errors (FACTS: "The CAS REST API"); the two calls themselves are this
 * project's assumption, which docs/cas-api.md explains.
 */
#ifndef CAS_API_H
#define CAS_API_H

#include "base/http.h"
#include "cas/config.h"

#include <jansson.h>

/* Filled by the host from the option table. */
struct api_settings {
    const char *config, *cas;
    const char *certificate_path; /* on the backup CAS */
    const char *certificate_key;  /* in its answer, keys with dots between them */
    const char *register_path;    /* on the primary CAS */
    const json_t *register_body;  /* with placeholders; NULL: the default one */
    const json_t *tolerate;
};

/* Immutable after open(), so any thread may call. */
struct api {
    const struct api_settings *settings;
    struct cas_config *config;
    struct http_client *primary; /* verified by the pinned chain, as the owner */
    struct http_client *backup;  /* not verified: the primary attests what it hands out */
};

/*
 * Registers the backup CAS at host:port. 5xx and broken connections are tried again while the
 * call's deadline lets it, other refusals are final; the error holds what the CAS said.
 */
int api_register(const struct api *api, const struct casb_call *call, const char *address,
                 struct casb_error *err) _warn_unused_;

/* Does the primary answer, verified by the pinned chain? */
int api_probe(const struct api *api, const struct casb_call *call, struct casb_error *err)
    _warn_unused_;

/*
 * Turns an answer that is not 2xx into an error: the texts of {"msg": ["...", "..."]} joined by
 * ": ", or the status alone. `who` goes in front. Pure.
 */
int api_refusal(const char *who, int status, const char *body, size_t len, struct casb_error *err)
    _warn_unused_;

/*
 * A copy of the template in which each text "{certificate}" is the certificate and each text
 * "{tolerate}" the list. NULL: out of memory. The caller owns it. Pure.
 */
json_t *api_fill(const json_t *template, const char *certificate, const json_t *tolerate);

#endif
