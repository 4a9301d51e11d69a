/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CAS REST API as far as registration needs it. Scontain documents the server's verification
 * and the form of its errors (FACTS: "The CAS REST API"); the two calls themselves are this
 * project's assumption, which docs/cas-api.md explains.
 */
#ifndef CAS_API_H
#define CAS_API_H

#include "base/http.h"
#include "common/cas/config.h"

#include <jansson.h>

#define API_VERSION_BYTES 64

/* Filled by the host from the option table. */
struct api_settings {
    const char *config, *cas;
    const char *certificate_path; /* on the backup CAS */
    const char *certificate_key;  /* in its answer, keys with dots between them; ".": all of it */
    const char *certificate_form; /* "pem" or "any" */
    const char *register_path;    /* on the primary CAS */
    const json_t *register_body;  /* with placeholders; NULL: the default one */
    const json_t *tolerate;
    const char *verified_with; /* CAS version with which the owner checked the calls; or NULL */
};

/* Immutable after open() and prepare(), so any thread may call. */
struct api {
    const struct casb_host *host;
    const struct api_settings *settings;
    struct cas_config *config;
    struct http_client *primary;     /* verified by the pinned chain, as the owner */
    struct http_client *backup;      /* not verified: the primary attests what it hands out */
    char version[API_VERSION_BYTES]; /* of the primary, as prepare() found; "": unknown */
};

/*
 * Registers the backup CAS at host:port. 5xx and broken connections are tried again while the
 * call's deadline lets it, other refusals are final; the error holds what the CAS said.
 */
int api_register(const struct api *api, const struct casb_call *call, const char *address,
                 struct casb_error *err) _warn_unused_;

/*
 * Asks the primary, verified by the pinned chain, for its version, which goes to ret[size]: ""
 * where it tells none.
 */
int api_version(const struct api *api, const struct casb_call *call, char *ret, size_t size,
                struct casb_error *err) _warn_unused_;

/*
 * What an operator should know about the assumed calls, in out[size]: that nobody checked them
 * (`verified_with` is NULL), or not with this major version ("" is an unknown one); else "". Pure.
 */
char *api_doubt(char *out, size_t size, const char *verified_with, const char *version);

/*
 * A copy of the template in which each text "{certificate}" is the certificate and each text
 * "{tolerate}" the list. NULL: out of memory. The caller owns it. Pure.
 */
json_t *api_fill(const json_t *template, const json_t *certificate, const json_t *tolerate);

#endif
