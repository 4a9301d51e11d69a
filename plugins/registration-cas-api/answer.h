/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a CAS answers, and what is made of it. Errors have a documented form (FACTS: "The CAS REST
 * API"); the rest is this project's assumption, so that whatever is not as assumed is an error, and
 * never a registration. Pure and thread-safe.
 */
#ifndef CAS_API_ANSWER_H
#define CAS_API_ANSWER_H

#include "base/buf.h"
#include "base/error.h"

#include <jansson.h>

/* A status and a body, borrowed; `who` said it, and goes in front of each error. */
struct answer {
    const char *who;
    int status;
    const char *body;
    size_t len;
};

/*
 * Turns an answer that says no into an error: the texts of {"msg": ["...", "..."]} joined by ": ",
 * or the status alone.
 */
int answer_refusal(const struct answer *answer, struct casb_error *err) _warn_unused_;

/*
 * Takes the DB certificate out of a 2xx answer: what stands at `key`, keys with dots between them,
 * "." for all of it. Unless `any`, that is a text in PEM form; its content is the primary's to
 * judge. The caller owns *ret. CASB_EFAILED for an answer with a `msg`, CASB_EINVALID for another
 * form.
 */
int answer_certificate(const struct answer *answer, const char *key, bool any, json_t **ret,
                       struct casb_error *err) _warn_unused_;

/*
 * Does a 2xx answer say that the backup is registered? Yes is 200, 201 or 204 with a JSON object
 * that has no `msg`, or with nothing. CASB_EFAILED for an answer with a `msg`, CASB_EINVALID for
 * another form, such as the page of a proxy in between.
 */
int answer_accepted(const struct answer *answer, struct casb_error *err) _warn_unused_;

/* The CAS's version: the text at `version`, cleaned, in out[size]; "" for none. Returns out. */
char *answer_version(const struct answer *answer, char *out, size_t size);

/* The number that a version begins with ("5.8.0", "v6.0.3"); -1: none. */
int answer_major(const char *version);

#endif
