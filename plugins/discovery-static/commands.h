/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that start, remove and identify a machine's backup CAS, or tell of it. Thread-safe.
 */
#ifndef DISCOVERY_STATIC_COMMANDS_H
#define DISCOVERY_STATIC_COMMANDS_H

#include "base/process.h"
#include "discovery-static/hosts.h"

#include <cas-backup/discovery.h>

#define COMMANDS_DEFAULT_PORT 8081           /* of a CAS's client API (FACTS: "The SCONE CLI") */
#define COMMANDS_OUTPUT_BYTES (1024U * 1024) /* a LAS log, as far as one is read elsewhere */

struct commands {
    const char *instance;
    const json_t *general[COMMANDS]; /* of the source, for hosts without their own; may be NULL */
};

/* What a command is told of its machine, besides who that is. */
struct commands_news {
    const char *outcome, *message;
};

/* The argument list that applies to the host; NULL: there is no such command. Borrowed. */
const json_t *commands_list(const struct commands *commands, const struct host *host,
                            enum command command);

/*
 * Makes argv from an argument list: {name}, {address} and {instance} are replaced, once, and where
 * there is news {outcome} and {message}; all else stays. CASB_ENOTFOUND where the address is needed
 * but not known. Freed by commands_free_argv().
 */
int commands_expand(const json_t *list, const struct host *host, const char *instance,
                    const struct commands_news *news, char ***ret_argv, struct casb_error *err)
    _warn_unused_;

/* Frees argv; NULL is fine. */
void commands_free_argv(char **argv);
DEFINE_FREEP(char **, commands_free_argv)

/*
 * Runs the host's command, which must be there (`news`: of COMMAND_NOTIFY, else NULL), with this
 * process's environment. An exit status other than 0 is CASB_EFAILED with the last line of its
 * standard error. Free *ret by process_result_free() in every case.
 */
int commands_run(const struct commands *commands, const struct casb_call *call,
                 const struct host *host, enum command command, const struct commands_news *news,
                 struct process_result *ret, struct casb_error *err) _warn_unused_;

/*
 * The address that spawn printed: its first line where that is an IP address or HOST:PORT. A bare
 * word is none, since programs like to print names and "started". False: none.
 */
bool commands_parse_address(const char *output, char address[static CASB_ADDRESS_LENGTH + 1]);

/*
 * What identify printed, told apart by form: a key alone, a boot ID (a UUID) alone, or a LAS log.
 * CASB_EINVALID where it is none of these.
 */
int commands_parse_identity(const char *output, size_t len, struct casb_machine *ret,
                            struct casb_error *err) _warn_unused_;

#endif
