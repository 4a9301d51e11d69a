/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recording: the exchanges between a CLI and two CAS, as a JSON file. One exchange is
 *   {"side": "primary" or "backup", "method", "path", "client_certificate": did the client show
 * one, "request_headers": {...}, "request": JSON, or "request_text": any other text, "status",
 * "answer_headers": {...}, "answer": JSON, or "answer_text"} where a body that is empty has no
 * member. Thread-safe.
 */
#ifndef KIT_TAPE_H
#define KIT_TAPE_H

#include "base/buf.h"

#include <jansson.h>
#include <stdbool.h>

struct tape;

/* A new recording at `path`; the secrets (of secrets_collect()) are borrowed. */
struct tape *tape_new(const char *path, const struct buf *secrets);

/* Adds an exchange, which it owns then, and writes the file anew, without secrets. */
void tape_add(struct tape *tape, json_t *exchange);

/* Notes the version of the primary; NULL: it tells none. */
void tape_set_version(struct tape *tape, const char *version);

/* What the recording implies (imply.h), without secrets. The caller owns it. */
json_t *tape_implies(struct tape *tape);

void tape_free(struct tape *tape);

/*
 * Puts a body into an exchange: as JSON under `name` where it is JSON, else as text under
 * `name`_text. What is neither is said so.
 */
void tape_put_body(json_t *exchange, const char *name, const char *body, size_t len);

#endif
