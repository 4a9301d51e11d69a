/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the user asked for: command line, environment, settings file and defaults made one.
 * Read-only once loaded, so any thread may read it.
 */
#ifndef CAS_BACKUP_SETTINGS_H
#define CAS_BACKUP_SETTINGS_H

#include "base/error.h"
#include "base/yamldoc.h"
#include "settings/metrics_settings.h"

#include <cas-backup/host.h>
#include <cas-backup/option.h>

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request; /* settings/request.h */

/*
 * One plugin as the settings name it; its own keys are checked when it is opened. All strings are
 * borrowed from the settings.
 */
struct plugin_ref {
    const char *plugin; /* "kubernetes" */
    const char *source; /* discovery: unique name in records and reports; else "" */
    const json_t *tree; /* its map, or NULL */
    const char *path;   /* of that map in the settings file, for messages: "discovery[0]" */
    const struct casb_option *host_options; /* keys in that map that are not the plugin's */
};

struct settings {
    const char *cas;      /* the primary's address; NULL: the registration plugin knows */
    const char *instance; /* base name as the user gave it; NULL: made from the primary's address */
    int64_t parallel;
    int64_t deadline_ns; /* of a whole pass, as a duration */
    int64_t min_registered;
    bool include_control_plane;
    int64_t max_age_ns;       /* 0: registrations do not expire */
    int64_t absent_after_ns;  /* when records of vanished nodes are dropped */
    const char *release;      /* what registrations are made for; NULL: command and image */
    int64_t give_up_after;    /* failures without a success; 0: never */
    int64_t overdue_after_ns; /* how long a selected node may be unprotected; 0: for ever */
    const json_t *fail_on;    /* what is an exit status: words; NULL: all of them */
    int64_t retry_backoff_ns; /* longest wait between tries of a node that fails; 0: none */
    int64_t lock_wait_ns;     /* how long the lock is waited for */
    int64_t registration_parallel;
    int64_t registration_timeout_ns;
    struct metrics_settings metrics;

    struct casb_share share; /* of the nodes, for a command that works on one share's */

    struct plugin_ref *sources;
    size_t n_sources;
    struct plugin_ref registration;
    struct plugin_ref state;

    const json_t *discovery;    /* the list in the settings file, or NULL; see `sources` */
    const json_t *metrics_tree; /* likewise a map; see `metrics` */

    const char *plugin_dir;        /* borrowed from request, or the built-in one */
    const struct request *request; /* borrowed: --only, --force, output and the plugins' options */
    char *const *env;              /* borrowed: NAME=VALUE, NULL-terminated */
    struct yamldoc *doc;           /* the settings file; an empty document where there is none */
    json_t *trees;                 /* what comes from elsewhere and is borrowed above */
};

/* One map of the settings file whose keys src/ itself reads: for help and its documentation. */
struct settings_section {
    const char *path; /* "", "discovery[]", "registration", "state", "metrics" */
    const struct casb_option *options;
};

/* All of them, ending with a NULL path. */
extern const struct settings_section settings_sections[];

/*
 * Makes the settings. `env` is NAME=VALUE, NULL-terminated; it and `request` must outlive *ret.
 * Errors are CASB_EINVALID with file, line, column, what was expected and the nearest known key.
 * The caller frees *ret.
 */
int settings_load(const struct request *request, char *const *env, struct settings **ret,
                  struct casb_error *err) _warn_unused_;

/* Frees the settings; NULL is fine. */
void settings_free(struct settings *settings);
DEFINE_FREEP(struct settings *, settings_free)

#endif
