/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, parsed from one table that --help and the manual's test read too. */
#ifndef CAS_BACKUP_CLI_H
#define CAS_BACKUP_CLI_H

#include "base/error.h"
#include "settings/request.h"

#include <stdbool.h>

struct command; /* command/commands.h */

struct cli {
    const struct command *command; /* without one: the table's first, and `named` is false */
    bool named;
    const char *output; /* the word of --output; the command says what it means */
    struct request request;
    bool help, version;
};

/* Parses argv. CASB_EINVALID with a text for the user. *ret is freed by cli_free(). */
int cli_parse(int argc, char **argv, struct cli *ret, struct casb_error *err) _warn_unused_;

/* The text of --help for a command, or of all with NULL; the caller frees it. NULL: no memory. */
char *cli_help(const struct command *command);

/* Frees the lists. */
void cli_free(struct cli *cli);

#endif
