/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the subcommands, which the command line, --help and main read. */
#ifndef CAS_BACKUP_COMMANDS_H
#define CAS_BACKUP_COMMANDS_H

#include "command/command.h"

struct command {
    const char *name, *args, *help;
    command_fn *run;
    const char *outputs; /* the words that its --output takes; NULL: table|json */
};

/* The table, ending with a NULL name; the first row is the default. */
extern const struct command cmd_table[];

#endif
