/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of this plugin share: its settings and its state from open() to close(). */
#ifndef SCONE_CLI_PLUGIN_H
#define SCONE_CLI_PLUGIN_H

#include "cas/config.h"

#include <cas-backup/plugin.h>

#include <jansson.h>

/* Filled by the host from the option table. */
struct scone_settings {
    const char *program, *command, *config, *session, *cas, *las_address;
    const json_t *tolerate;
    int64_t retries; /* -1: unset */
};

/* Immutable after open(), so any thread may call. */
struct scone {
    const struct casb_host *host;
    const struct scone_settings *settings;
    struct cas_config *config; /* NULL with a session */
    struct casb_primary primary;
};

/* casb_plugin.check: the CLI can be started, and the pinned chain has not expired. */
int scone_check(void *self, const struct casb_call *call, casb_check_fn *found, void *arg,
                struct casb_error *err) _warn_unused_;

#endif
