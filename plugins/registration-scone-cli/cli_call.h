/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call of the SCONE CLI (FACTS: "The SCONE CLI"): its arguments and its environment. Pure and
 * thread-safe.
 */
#ifndef SCONE_CLI_CALL_H
#define SCONE_CLI_CALL_H

#include "base/cleanup.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_CALL_ARGV 11

/* What to call; everything is borrowed. */
struct cli_call {
    const char *program;    /* argv[0]: a path, or a name in PATH */
    const char *command;    /* "register-backup" or "register-upgrade" */
    const char *session;    /* POLICY/SERVICE: remote attestation; NULL: by configuration */
    const char *cas;        /* the primary: its address with a session, else its name in `cas_db` */
    const char *las;        /* with a session: address of LAS */
    const char *folder;     /* without: private folder of this call, and in it ... */
    const char *config;     /* ... the copy of the configuration */
    const json_t *tolerate; /* words of the setting `tolerate`; NULL: none */
    int64_t retries;        /* the CLI's own; -1: as it sees fit */
    const char *backup;     /* address of the backup CAS */
};

/*
 * The arguments, borrowed from the call, with a NULL at the end. With a session exactly
 * PROGRAM cas COMMAND ADDRESS: of the command line the session's policy takes the argument with
 * index 3 only.
 */
void cli_call_argv(const struct cli_call *call, const char *argv[static CLI_CALL_ARGV]);

/* The option for a word of the setting `tolerate`; NULL: it is none. */
const char *cli_call_option(const char *tolerated);

/* An environment: free it by cli_call_env_free(). */
struct cli_call_env {
    const char **items; /* NAME=VALUE, NULL-terminated */
    char *own[4];       /* those among them that were made here */
    size_t n_items, n_own;
};

/*
 * The whole environment of the call, of which `parent` (NAME=VALUE, NULL-terminated, borrowed by
 * *ret) gives PATH, HOME, LANG, LC_*, TZ, TMPDIR and SCONE_*. What makes the CLI choose between
 * session and configuration is only ever set here: SCONE_CONFIG_ID, SCONE_CAS_ADDR and
 * SCONE_LAS_ADDR with a session, else SCONE_CLI_CONFIG; then TMPDIR is the private folder too, so
 * that what the CLI leaves behind goes with it. A call without session and configuration, which
 * asks the CLI about itself, has none of them. Returns 0 or CASB_ENOMEM.
 */
int cli_call_env(const struct cli_call *call, const char *const *parent, struct cli_call_env *ret)
    _warn_unused_;

/* Frees the environment. */
void cli_call_env_free(struct cli_call_env *env);

#endif
