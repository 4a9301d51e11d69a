/* SPDX-License-Identifier: Apache-2.0 */
/* What a pass ends with: its exit status, and the line that says why. */
#ifndef CAS_BACKUP_VERDICT_H
#define CAS_BACKUP_VERDICT_H

#include "report/report.h"
#include "settings/settings.h"

enum exit_status {
    EXIT_DONE = 0,        /* every selected node that can be registered now is registered */
    EXIT_NODE_FAILED = 1, /* at least one registration failed */
    EXIT_USAGE = 2,       /* wrong usage or settings */
    EXIT_PASS_FAILED = 3, /* the pass could not be made */
    EXIT_TOO_FEW = 4,     /* fewer than min_registered nodes are registered */
    EXIT_LOCKED = 5,      /* another pass holds the lock */
    EXIT_OVERDUE = 6,     /* a selected node is unprotected for longer than overdue_after */
};

#define VERDICT_BYTES CASB_ERROR_TEXT_BYTES

struct verdict {
    int status;              /* what the pass ends with */
    int found;               /* another one where fail_on leaves out all that holds: the gravest */
    char why[VERDICT_BYTES]; /* of `found`; "" where that is EXIT_DONE */
};

/* What an exit status means, for people. Static. */
const char *verdict_meaning(int status);

/* The exit status of an error that ended a command: by its class. */
int verdict_of_error(const struct casb_error *err);

/*
 * The verdict on a pass: on the error that ended it, or where that is NULL on the counts, the
 * gravest that holds and fail_on names. Pure.
 */
struct verdict verdict_of_pass(const struct settings *settings, const struct casb_error *err,
                               const struct report_counts *counts);

#endif
