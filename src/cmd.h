/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands: one table, which the command line, --help and main read. */
#ifndef CAS_BACKUP_CMD_H
#define CAS_BACKUP_CMD_H

#include "base/cleanup.h"
#include "base/clock.h"
#include "settings.h"

#include <jansson.h>
#include <stdatomic.h>

struct tool; /* tool.h */

enum cmd_exit {
    EXIT_DONE = 0,        /* every selected node that can be registered now is registered */
    EXIT_NODE_FAILED = 1, /* at least one registration failed */
    EXIT_USAGE = 2,       /* wrong usage or settings */
    EXIT_PASS_FAILED = 3, /* the pass could not be made */
    EXIT_TOO_FEW = 4,     /* fewer than min_registered nodes are registered */
    EXIT_LOCKED = 5,      /* another pass holds the lock */
};

/*
 * What main hands to a command. Signals are blocked in all threads; the first one makes
 * cancel_fd readable and is left in *signal, one more than a second later ends the process at once.
 */
struct cmd_context {
    const struct settings *settings;
    int cancel_fd;            /* an eventfd: write 1 to cancel, never read */
    const atomic_int *signal; /* the number of the signal that came, or 0 */
};

/* Runs a command: prints to standard output, logs, and returns the exit status. */
typedef int command_fn(const struct cmd_context *context);

struct command {
    const char *name, *args, *help;
    command_fn *run;
};

/* The table, ending with a NULL name; the first row is the default. */
extern const struct command cmd_table[];

/*
 * Logs an error that ends a command and returns its exit status: EXIT_USAGE for CASB_EINVALID,
 * EXIT_LOCKED for CASB_ECONFLICT, else EXIT_PASS_FAILED.
 */
int cmd_fail(const struct casb_error *err);

/*
 * Opens the plugins that the settings name. Returns 0, or the exit status after it logged why
 * not. The caller ends with tool_close().
 */
int cmd_open(const struct cmd_context *context, struct tool *ret) _warn_unused_;

/* A call that ends with `deadline`, counted from now, or a signal. */
struct casb_call cmd_call(const struct cmd_context *context);

/* Prints the value, which it takes, to standard output; NULL counts as trouble. 0, or -1. */
int cmd_print_json(json_t *json);

/* The exit status after printing, whose result is `r`: `status`, unless it could not be printed. */
int cmd_printed(int r, int status);

/* Seconds since 1970 as RFC 3339, in `out`; NULL for 0, which is never. */
const char *cmd_time(char out[static CLOCK_RFC3339_BYTES], int64_t seconds);

/* One pass. */
int cmd_run(const struct cmd_context *context);

/* The scan and the decisions of a pass, without a change anywhere. */
int cmd_plan(const struct cmd_context *context);

/* The records. */
int cmd_status(const struct cmd_context *context);

/* Whether the primary's database would open on the nodes named. */
int cmd_coverage(const struct cmd_context *context);

/* What the plugins need and whether it is there. */
int cmd_check(const struct cmd_context *context);

/* Removes every backup CAS of the instance. */
int cmd_cleanup(const struct cmd_context *context);

/* Drops the records of the nodes named. */
int cmd_forget(const struct cmd_context *context);

/* The plugins in the folder, and with -v their settings. */
int cmd_plugins(const struct cmd_context *context);

#endif
