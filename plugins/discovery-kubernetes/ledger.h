/* SPDX-License-Identifier: Apache-2.0 */
/* The pods that this pass has begun to create and must remove. Thread-safe, but for new and free.
 */
#ifndef DISCOVERY_KUBERNETES_LEDGER_H
#define DISCOVERY_KUBERNETES_LEDGER_H

#include "base/error.h"

#define LEDGER_UID_BYTES 64

struct ledger;

enum ledger_entry {
    LEDGER_NONE,      /* nothing was created under the name */
    LEDGER_UNSETTLED, /* a creation was begun whose outcome is not known (yet) */
    LEDGER_CREATED,
};

/* Makes an empty ledger. */
int ledger_new(struct ledger **ret, struct casb_error *err) _warn_unused_;

/* Frees it; NULL is fine. */
void ledger_free(struct ledger *ledger);
DEFINE_FREEP(struct ledger *, ledger_free)

/* Notes that `pod` is about to be created (uid NULL) or that it was, in place of an older note. */
int ledger_note(struct ledger *ledger, const char *pod, const char *uid, struct casb_error *err)
    _warn_unused_;

/* The note about `pod`; uid is filled where it is LEDGER_CREATED. */
enum ledger_entry ledger_find(struct ledger *ledger, const char *pod,
                              char uid[static LEDGER_UID_BYTES]);

/* Drops the note about `pod`. */
void ledger_forget(struct ledger *ledger, const char *pod);

#endif
