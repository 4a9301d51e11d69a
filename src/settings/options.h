/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fills a settings struct from a table of options: command line over environment over settings
 * file over default. Each value is checked; an error names where it came from. Thread-safe.
 */
#ifndef CAS_BACKUP_OPTIONS_H
#define CAS_BACKUP_OPTIONS_H

#include "base/error.h"
#include "base/yamldoc.h"

#include <cas-backup/option.h>

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct request_override; /* settings/request.h */

/* Where values come from. All of it is borrowed. */
struct options_origin {
    const struct yamldoc *doc;
    const json_t *tree;               /* the map in `doc`; NULL: no keys */
    const char *path;                 /* of that map: "discovery[0]"; "" is the root */
    const struct casb_option *others; /* whose keys are valid in the map too; or NULL */
    bool any_key;                     /* unknown keys are left to others */
    char *const *env;                 /* NAME=VALUE, NULL-terminated; an empty value is none */
    const struct request_override *overrides;
    size_t n_overrides;
};

/*
 * Fills the struct at `values`, which the table's offsets belong to and which starts zeroed. Its
 * strings and trees are borrowed from the origin, from the table, and from `trees`: an array of
 * the caller's that must live as long. Unknown keys, wrong types and values out of bounds are
 * CASB_EINVALID; a default that does not fit its own option is CASB_EFAILED.
 */
int options_fill(const struct casb_option *table, void *values, const struct options_origin *origin,
                 json_t *trees, struct casb_error *err) _warn_unused_;

/*
 * Replaces the error of a plugin, which names one of its settings (err->setting), by one that says
 * where the value came from. Returns CASB_EINVALID.
 */
int options_blame(const struct casb_option *table, const struct options_origin *origin,
                  struct casb_error *err);

/* The option with this name, or NULL. A NULL table is empty. */
const struct casb_option *options_find(const struct casb_option *table, const char *name);

/* The value of an environment variable, NULL where it is unset or empty. Borrowed. */
const char *options_env(char *const *env, const char *name);

#endif
