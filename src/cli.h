/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, parsed from one table that --help and the manual's test read too. */
#ifndef CAS_BACKUP_CLI_H
#define CAS_BACKUP_CLI_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct command; /* cmd.h */

/* An option's value for plugins: every opened plugin that has a setting `name` gets it. */
struct cli_override {
    const char *name, *value, *option; /* "config", FILE, "--config" */
};

/* Strings are borrowed from argv; lists end with NULL. */
struct cli {
    const struct command *command;
    const char **args; /* what follows the options: node names */
    const char *file;
    const char *cas;
    const char *parallel, *deadline; /* as text: settings_load() parses and judges them */
    const char *plugin_dir;
    const char *report;
    const char **hosts; /* --host NAME=ADDRESS */
    const char **only;
    const char **force; /* names; "all" is among them for --force all */
    struct cli_override overrides[8];
    size_t n_overrides;
    bool output_json, log_json;
    int verbosity; /* -1 quiet, 0, 1 verbose */
    bool help, version;
};

/* Parses argv. CASB_EINVALID with a text for the user. *ret is freed by cli_free(). */
int cli_parse(int argc, char **argv, struct cli *ret, struct casb_error *err) _warn_unused_;

/* The text of --help for a command, or of all with NULL; the caller frees it. NULL: no memory. */
char *cli_help(const struct command *command);

/* Frees the lists. */
void cli_free(struct cli *cli);

#endif
