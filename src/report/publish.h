/* SPDX-License-Identifier: Apache-2.0 */
/* The ways of the metrics out of the program: as text, to a file, to a Pushgateway. */
#ifndef CAS_BACKUP_PUBLISH_H
#define CAS_BACKUP_PUBLISH_H

#include "base/buf.h"
#include "base/error.h"
#include "plugin/plugins.h"
#include "state/records.h"

#define PUBLISH_BYTES (64 * 1024 * 1024) /* a limit for the text */

/* Appends the metrics of what was loaded of the state, as the settings want them. */
int publish_text(const struct plugins *plugins, const struct records *records,
                 const struct casb_pass *last, struct buf *out, struct casb_error *err)
    _warn_unused_;

/* Is there a way that the settings name? */
bool publish_is_wanted(const struct settings *settings);

/*
 * Loads the state, writes the metrics and pushes them as the settings say, one try each. Trouble is
 * a warning. It ends with the call.
 */
void publish(const struct plugins *plugins, const struct casb_call *call);

/*
 * Looks at the ways that the settings name. Trouble with one is no more than a detail: no pass
 * fails by it.
 */
void publish_check(const struct plugins *plugins, const struct casb_call *call,
                   casb_check_fn *found, void *arg);

/* Deletes what was pushed. Trouble is a warning. */
void publish_delete(const struct plugins *plugins, const struct casb_call *call);

#endif
