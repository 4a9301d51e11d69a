/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets in the SCONE CLI's configuration, so that what the CLI prints can be shown without
 * them. The owner's identity is the oldest one; later CLIs keep more (FACTS: "SCONE 6 and 7").
 * Thread-safe once collected.
 */
#ifndef CAS_SECRETS_H
#define CAS_SECRETS_H

#include "base/buf.h"

#include <jansson.h>

/*
 * Appends to *out what is secret in the configuration: all texts and lists of numbers but
 * `default_cas` and `cas_db`, and of `cas_db` what is called a key, seed, secret, password or
 * token. Each as it is, and as JSON writes it. Texts shorter than 16 bytes are none. Returns 0,
 * CASB_ENOMEM, or CASB_EINVALID where *out would grow too large. The caller frees *out by
 * buf_free_secret().
 */
int secrets_collect(const json_t *config, struct buf *out) _warn_unused_;

/* Overwrites with '*' each run of 12 bytes or more in the text that is part of a secret. */
void secrets_mask(const struct buf *secrets, struct buf *text);

#endif
