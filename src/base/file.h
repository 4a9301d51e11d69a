/* SPDX-License-Identifier: Apache-2.0 */
/* Files: bounded reads, private copies, durable writes, and who could have written one. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/error.h"

#include <sys/types.h>

/*
 * Reads a whole file, pipe or device into *out, whose limit bounds it; on failure *out is empty.
 * Errors name the path. CASB_ENOTFOUND where it does not exist.
 */
int file_read(const char *path, struct buf *out, struct casb_error *err) _warn_unused_;

/*
 * Writes atomically and durably: temporary file beside it, fsync, rename, fsync of the folder.
 * The mode is as given, whatever the umask. On failure the old file is whole and the temporary one
 * is gone. A link stays one, and what is no regular file (/dev/stdout, a pipe) is written to.
 */
int file_write(const char *path, const void *data, size_t len, mode_t mode, struct casb_error *err)
    _warn_unused_;

/*
 * Removes the temporary files that a killed file_write() left beside `path`, as far as it can. For
 * those who know that nobody else writes that file now.
 */
void file_remove_leftovers(const char *path);

/* Creates `path` (it must not exist) with mode 0600 and the given content, for secrets. */
int file_write_private(const char *path, const void *data, size_t len, struct casb_error *err)
    _warn_unused_;

#define FILE_PRIVATE_PLACES 4

/*
 * The folders for private files: $XDG_RUNTIME_DIR, /dev/shm (both in memory), $TMPDIR and /tmp.
 * NULL where a variable names none. Borrowed from the environment.
 */
void file_private_places(const char *places[static FILE_PRIVATE_PLACES]);

/*
 * Makes a new folder of mode 0700 in the first of file_private_places() where it can. The caller
 * frees *ret_path and removes the folder by file_remove_tree().
 */
int file_private_dir(const char *prefix, char **ret_path, struct casb_error *err) _warn_unused_;

/* Removes a folder and what is in it, without following links. Absent is fine. */
int file_remove_tree(const char *path, struct casb_error *err);

/*
 * Refuses (CASB_EDENIED) a file that anybody but root and the effective user could have written
 * or put in place: by owner and mode (group and others) of the file, of all folders and links on
 * the way to it, and of those that the links lead through. A sticky folder such as /tmp may be on
 * the way, but not hold the file itself.
 */
int file_check_trusted(const char *path, struct casb_error *err) _warn_unused_;

#endif
