/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands, and what they share. */
#ifndef CAS_BACKUP_COMMAND_H
#define CAS_BACKUP_COMMAND_H

#include "base/cleanup.h"
#include "base/clock.h"
#include "pass/pass.h"
#include "report/verdict.h"
#include "settings/settings.h"
#include "state/lastpass.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

/* Whether there is something that must be ended in order; see cmd_busy(). */
struct cmd_work {
    pthread_mutex_t lock; /* guards the rest; held for good by who ends the process */
    bool busy;
    int64_t idle_ns; /* since when it is not */
};

/*
 * What main hands to a command. Signals are blocked in all threads; the first one makes
 * cancel_fd readable and is left in *signal, one more than a second later ends the process at once.
 */
struct cmd_context {
    struct cmd_work *work;
    const struct settings *settings;
    int cancel_fd;            /* an eventfd: write 1 to cancel, never read */
    const atomic_int *signal; /* the number of the signal that came, or 0 */
};

/* Runs a command: prints to standard output, logs, and returns the exit status. */
typedef int command_fn(const struct cmd_context *context);

/*
 * Logs an error that ends a command and returns its exit status: EXIT_USAGE for CASB_EINVALID,
 * EXIT_LOCKED for CASB_ECONFLICT, else EXIT_PASS_FAILED.
 */
int cmd_fail(const struct casb_error *err);

/*
 * Says that from here on something may have to be cleaned up, or not any more. Only meanwhile are
 * signals and the deadline the command's to obey; before and after that they end the process, which
 * may be reading from a pipe or writing to one.
 */
void cmd_busy(const struct cmd_context *context, bool busy);

/*
 * Opens the plugins that the settings name. Returns 0, or the exit status after it logged why
 * not. The caller ends with plugins_close().
 */
int cmd_open(const struct cmd_context *context, enum plugins_use use, struct plugins *ret)
    _warn_unused_;

/*
 * Loads what the state remembers of the last pass. It says which primary is meant where the
 * registration plugin was left closed; where nothing is remembered that is opened after all, and
 * if it cannot be `primary` stays empty. Returns 0, or the exit status after it logged why not. The
 * caller ends with lastpass_done(), also after a failure.
 */
int cmd_recall(const struct cmd_context *context, struct plugins *plugins, struct lastpass *ret)
    _warn_unused_;

/* Makes a pass with pass_run(), shown on the terminal where there is one. */
int cmd_pass(const struct cmd_context *context, struct plugins *plugins, enum pass_mode mode,
             struct report *report, struct casb_error *err) _warn_unused_;

/* A call that ends with `deadline`, counted from now, or a signal. */
struct casb_call cmd_call(const struct cmd_context *context);

/*
 * A call for what is done last and must not hold up the end: of some seconds, which fit between
 * cleaning up and the time when a pass that was asked to end must be over. A signal that came
 * before does not cancel it.
 */
struct casb_call cmd_last_call(const struct cmd_context *context);

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

/* Why the nodes named are registered, kept or skipped. */
int cmd_explain(const struct cmd_context *context);

/* What the plugins need and whether it is there. */
int cmd_check(const struct cmd_context *context);

/* Removes every backup CAS of the instance. */
int cmd_cleanup(const struct cmd_context *context);

/* Drops the records of the nodes named. */
int cmd_forget(const struct cmd_context *context);

/* The plugins in the folder, and with -v their settings. */
int cmd_plugins(const struct cmd_context *context);

#endif
