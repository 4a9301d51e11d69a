/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last words of a container: Kubernetes keeps what is in this file at its end, and shows it
 * ("Determine the Reason for Pod Failure", kubernetes.io).
 */
#ifndef CAS_BACKUP_TERMINATION_H
#define CAS_BACKUP_TERMINATION_H

#include "base/error.h"

#define TERMINATION_LOG   "/dev/termination-log"
#define TERMINATION_BYTES 4096 /* more is not kept */

/*
 * Replaces what is in the file, which must be there and a regular one, by the line and an end of
 * line. CASB_ENOTFOUND: there is none.
 */
int termination_write(const char *path, const char *line, struct casb_error *err) _warn_unused_;

/* Writes the line where this is a pod by `env` (NAME=VALUE, NULL-terminated); trouble is a warning.
 */
void termination_say(char *const *env, const char *line);

#endif
