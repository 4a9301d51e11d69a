/* SPDX-License-Identifier: Apache-2.0 */
/* Where a program is. */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include "base/error.h"

#include <limits.h>

/*
 * Where process_run() finds a program: a path is taken as it is, a name is looked up in the
 * absolute folders of PATH in `env` (NAME=VALUE, NULL-terminated). CASB_ENOTFOUND, or CASB_EDENIED
 * where it is there but may not be executed, is no file, or could have been written by others
 * (trust_check()).
 */
int program_find(const char *program, const char *const *env, char ret_path[static PATH_MAX],
                 struct casb_error *err) _warn_unused_;

/* What mends a failure of program_find(), which returned that. Static. */
const char *program_remedy(int failure);

#endif
