/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of this plugin share: its settings and its state from open() to close(). */
#ifndef SCONE_CLI_SCONE_H
#define SCONE_CLI_SCONE_H

#include "common/cas/config.h"

#include <cas-backup/plugin.h>

#include <jansson.h>
#include <pthread.h>

/* Filled by the host from the option table. */
struct scone_settings {
    const char *program, *command, *config, *session, *cas, *las_address;
    const json_t *tolerate;
    int64_t retries; /* -1: unset */
};

/* Immutable after open() but for what the lock guards, so any thread may call. */
struct scone {
    const struct casb_host *host;
    const struct scone_settings *settings;
    struct cas_config *config; /* NULL with a session */
    struct casb_primary primary;
    pthread_mutex_t lock; /* guards all below */
    bool asked;           /* the CLI was asked for its version, or is being asked */
    char version[128];    /* what it said; "": nothing */
};

/*
 * The address of LAS for the CLI; NULL or "" where it cannot be known. SCONE_LAS_ADDR is also for
 * the backup CAS, which runs on another node: hence "node" for both.
 */
const char *scone_las_address(const struct scone_settings *settings);

/* casb_registration_ops.register_backup: one call of the CLI. */
int scone_register(void *self, const struct casb_call *call, const char *address,
                   struct casb_error *err) _warn_unused_;

/* Writes the CLI's version ("scone 6.0.3") to ret[size], or says why there is none. */
int scone_version(const struct scone *scone, const struct casb_call *call, char *ret, size_t size,
                  struct casb_error *err) _warn_unused_;

/*
 * Asks for the version unless that was done before, and keeps it for scone_describe(). The first
 * registration does it beside the others, so that no pass gets longer by it.
 */
void scone_note_version(struct scone *scone, const struct casb_call *call);

/* Do the settings make us give options that a CLI may not know? */
bool scone_needs_options(const struct scone *scone);

/*
 * CASB_EINVALID where the help of the CLI's command lists one of those options not. Where it cannot
 * be asked the answer is 0, and *ret_doubt, which starts as {0}, says why.
 */
int scone_check_options(const struct scone *scone, const struct casb_call *call,
                        struct casb_error *ret_doubt, struct casb_error *err) _warn_unused_;

/* casb_registration_ops.prepare: warns of the pinned chain, refuses options that the CLI has not.
 */
int scone_prepare(void *self, const struct casb_call *call, struct casb_error *err) _warn_unused_;

/* casb_registration_ops.describe: the CLI's version, and how long the pinned chain lasts. */
int scone_describe(void *self, const struct casb_call *call, struct casb_registrar *ret,
                   struct casb_error *err) _warn_unused_;

/* casb_plugin.check: the CLI can be started and knows our options; how long the pinned chain lasts.
 */
int scone_check(void *self, const struct casb_call *call, casb_check_fn *found, void *arg,
                struct casb_error *err) _warn_unused_;

#endif
