/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a child process: no shell, its own environment, session and process group, no terminal,
 * default signal handling, all descriptors but 0, 1, 2 closed, output bounded, deadline and
 * cancellation by the call. Thread-safe, where 0, 1, 2 are open and SIGCHLD is not ignored.
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include "base/buf.h"
#include "base/error.h"

#include <cas-backup/host.h>

#include <limits.h>

#define PROCESS_OUTPUT_BYTES (64 * 1024)
#define PROCESS_FLOOD_BYTES  (8 * 1024 * 1024)

/* Takes a line of a child's standard error, without its end, cut where it is very long. */
typedef void process_line_fn(const char *line, void *arg);

struct process_spec {
    const char *const *argv; /* argv[0] is a path, or a name looked up in the PATH of `env` */
    const char *const *env;  /* NAME=VALUE, NULL-terminated: the child's whole environment */
    const char *input;       /* text for standard input; NULL: /dev/null */
    process_line_fn *told;   /* gets standard error as it comes, which is not kept then, or NULL */
    void *told_arg;
    size_t output_bytes; /* how much of each output is kept; 0: PROCESS_OUTPUT_BYTES */
};

struct process_result {
    int status;     /* exit status, or -1 where a signal ended it */
    int signal;     /* that signal, or 0 */
    struct buf out; /* standard output, the first spec->output_bytes */
    struct buf err; /* standard error, likewise */
    bool truncated; /* there was more of either */
};

/*
 * Runs the child to its end. 0 means that it was started and ended by itself, whatever its
 * status. Errors: CASB_ENOTFOUND and CASB_EDENIED where it cannot be started (a missing
 * interpreter of an existing file is said so), CASB_ETIMEOUT and CASB_ECANCELLED (the whole
 * group gets SIGTERM, after 2 s SIGKILL), CASB_EFAILED where it printed more than
 * PROCESS_FLOOD_BYTES (killed). What the child leaves behind may go on, but is killed where it
 * still has our pipes open 200 ms later. *ret is filled as far as known in every case; free it by
 * process_result_free().
 */
int process_run(const struct casb_call *call, const struct process_spec *spec,
                struct process_result *ret, struct casb_error *err) _warn_unused_;

/* Wipes and frees the output. */
void process_result_free(struct process_result *result);

/* This process's environment value for a NAME, or NULL: getenv(), which nothing here changes. */
const char *process_env(const char *name);

#endif
