/* SPDX-License-Identifier: Apache-2.0 */
/* Which settings of cas-api a conversation implies, and what cas-api cannot do of it. Pure. */
#ifndef KIT_IMPLY_H
#define KIT_IMPLY_H

#include <jansson.h>

/*
 * Looks at exchanges as tape.h has them, before anything is taken out of them; `version` is the
 * primary's, or NULL. Returns {"settings": {...}, "cannot": [...], "check": [...]}: the settings
 * of `registration`, sentences about what no setting says, and about what one conversation cannot
 * tell. The caller owns it.
 */
json_t *imply(const json_t *exchanges, const char *version);

#endif
