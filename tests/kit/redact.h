/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes secrets out of a conversation with a CAS: what is named like one, private keys, tokens, and
 * all that the owner's configuration knows as secret. One secret is the same placeholder wherever
 * it stands, so that one still sees where it comes from and where it goes. What cannot be done for
 * lack of memory ends the process.
 */
#ifndef KIT_REDACT_H
#define KIT_REDACT_H

#include "base/buf.h"

#include <jansson.h>
#include <stdbool.h>

#define REDACT_PLACEHOLDER "(taken out " /* and a number, and ")" */

struct redact {
    const struct buf *secrets; /* of the configuration: secrets_collect() */
    json_t *seen;              /* what was taken out, and its number: secret */
};

/* Begins; `secrets` is borrowed until redact_done(). */
void redact_init(struct redact *redact, const struct buf *secrets);

/* Wipes what was seen. */
void redact_done(struct redact *redact);

/* The value, which has that name (NULL: none), without secrets. The caller owns it. */
json_t *redact_value(struct redact *redact, const char *name, const json_t *value);

/* The same for a path with a query, of which the parameters have names. The caller frees it. */
char *redact_path(struct redact *redact, const char *path);

/* Is it a placeholder, or does it have one in it? */
bool redact_is_placeholder(const json_t *value);

#endif
