/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an editor is told of the settings file: its keys as a JSON Schema (draft 07), made from the
 * tables that the file is read by.
 */
#ifndef CAS_BACKUP_SCHEMA_H
#define CAS_BACKUP_SCHEMA_H

#include <cas-backup/option.h>

#include <jansson.h>
#include <stddef.h>

/* A plugin that settings may name; everything is borrowed for the call. */
struct schema_plugin {
    const char *kind, *name; /* "discovery", "kubernetes" */
    const struct casb_option *options;
};

/*
 * The schema of a settings file that uses these plugins and no others. What a plugin checks itself
 * (the content of maps and lists, ranges of durations) is not in it. The caller owns the result;
 * NULL: no memory.
 */
json_t *schema_new(const struct schema_plugin *plugins, size_t n);

#endif
