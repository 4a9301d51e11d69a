/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be behind failures that all nodes have in common: a table of causes, keyed by what is
 * known of one of them, and never by the words of a CLI or a CAS, which differ by version. Pure.
 */
#ifndef CAS_BACKUP_HINTS_H
#define CAS_BACKUP_HINTS_H

#include <stdbool.h>
#include <stddef.h>

#define HINTS_MAX 8

/* What is known of a failure, all borrowed. */
struct hint_facts {
    bool registering;  /* it was the registration that failed, and not the spawn before it */
    int code;          /* enum casb_code */
    int http;          /* status of the CAS's answer; 0: none */
    const char *image; /* of the backup CAS; NULL: unknown, or there is none */
    bool session;      /* with a session, so that the CLI is attested by a policy */
};

/*
 * The causes that fit, the likeliest first, as sentences without a full stop. Returns how many;
 * they are static.
 */
size_t hints_find(const struct hint_facts *facts, const char *ret[static HINTS_MAX]);

#endif
