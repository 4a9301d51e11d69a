/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Prometheus Pushgateway: it keeps what was pushed last for a group of labels, here `job` and
 * `instance`, until the group is deleted (its README: "API"). Thread-safe.
 */
#ifndef CAS_BACKUP_PUSHGATEWAY_H
#define CAS_BACKUP_PUSHGATEWAY_H

#include "base/buf.h"
#include "base/error.h"

#include <cas-backup/host.h>

/* A group, all borrowed. */
struct push_group {
    const char *url; /* of the Pushgateway, as metrics_settings_read() lets it pass */
    const char *job, *instance;
};

/* Appends the group's URL, without user and password. Returns 0, CASB_ENOMEM or CASB_EINVALID. */
int pushgateway_url(const struct push_group *group, struct buf *out) _warn_unused_;

/*
 * Puts metrics (Prometheus' text format) in place of all that the group has. Another answer than
 * success is CASB_EFAILED with what the Pushgateway said; http_perform() has the other classes.
 */
int pushgateway_put(const struct push_group *group, const struct casb_call *call,
                    const struct buf *text, struct casb_error *err) _warn_unused_;

/* Deletes the group; one that is not there is a success. Errors as above. */
int pushgateway_delete(const struct push_group *group, const struct casb_call *call,
                       struct casb_error *err) _warn_unused_;

/* Does it answer, and say that it is ready? Changes nothing. Errors as above. */
int pushgateway_check(const struct push_group *group, const struct casb_call *call,
                      struct casb_error *err) _warn_unused_;

#endif
