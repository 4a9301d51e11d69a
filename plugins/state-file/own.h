/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a file is that this plugin made in an earlier pass, or believes to have made. */
#ifndef STATE_FILE_OWN_H
#define STATE_FILE_OWN_H

#include "base/error.h"

/*
 * Refuses (CASB_EDENIED) a file that others could have written although its folder keeps them out:
 * one of another owner than root, us, or the folder's, or one that is writable by group or others
 * where the folder is not. A file system without owners and modes has the same for both.
 */
int own_check(int fd, const char *path, struct casb_error *err) _warn_unused_;

#endif
