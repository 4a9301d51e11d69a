/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instance's lock on one machine: flock() on a file beside the state, which stays, since its
 * removal would race with the next holder. The kernel gives the lock back when its holder dies.
 */
#ifndef STATE_FILE_FILE_LOCK_H
#define STATE_FILE_FILE_LOCK_H

#include "base/error.h"

/*
 * Takes the lock without waiting and leaves `holder` in the file. Closing *ret_fd gives it
 * back. CASB_ECONFLICT, with what the other one left there, where it is taken. What may not be
 * written to is refused: a link, a file with another name, with another's text in it
 * (CASB_EINVALID) or that own_check() refuses.
 */
int file_lock_take(const char *path, const char *holder, int *ret_fd, struct casb_error *err)
    _warn_unused_;

/*
 * Would file_lock_take() refuse what stands there, or could the file system not lock it? Changes
 * nothing; who holds it does not matter.
 */
int file_lock_check(const char *path, struct casb_error *err) _warn_unused_;

#endif
