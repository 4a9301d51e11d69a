/* SPDX-License-Identifier: Apache-2.0 */
/* What the user asked for on the command line, as src/command/cli.c parses it. */
#ifndef CAS_BACKUP_REQUEST_H
#define CAS_BACKUP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

/* An option's value for plugins: every opened plugin that has a setting `name` gets it. */
struct request_override {
    const char *name, *value, *option; /* "config", FILE, "--config" */
};

/* How a command prints its results; which of these it can is in the table of the commands. */
enum request_output {
    OUTPUT_TABLE,
    OUTPUT_WIDE,
    OUTPUT_JSON,
    OUTPUT_NAME,
    OUTPUT_SCHEMA,
    OUTPUT_PROMETHEUS,
};

/* Strings are borrowed from argv; lists end with NULL. */
struct request {
    const char **args; /* what follows the options: node names */
    const char *file;
    const char *cas;
    const char *parallel, *deadline, *lock_wait; /* as text: settings_load() judges them */
    const char *plugin_dir;
    const char *report;
    const char *wait;    /* coverage: for how long, as text */
    const char *records; /* coverage: a saved `status -o json`, or "-" */
    const char *shard;   /* "I/N": only the nodes of that share */
    bool shares;         /* the command works on one share's nodes, if there are several */
    const char **hosts;  /* --host NAME=ADDRESS */
    const char **only;
    const char **force; /* names; "all" is among them for --force all */
    struct request_override overrides[8];
    size_t n_overrides;
    enum request_output output;
    int log_json;       /* 0: as text */
    int color;          /* enum terminal_colors */
    bool settings_only; /* check: and nothing that they name */
    bool label;         /* cleanup: also what marks nodes */
    int verbosity;      /* -1 quiet, 0, 1 verbose */
};

#endif
