/* SPDX-License-Identifier: Apache-2.0 */
/* Files: bounded reads, private copies, durable writes, and who could have written one. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/error.h"

#include <sys/types.h>

/*
 * Reads a whole regular file (or pipe) into *out, whose limit bounds it. Errors name the path.
 * CASB_ENOTFOUND where it does not exist.
 */
int file_read(const char *path, struct buf *out, struct casb_error *err) _warn_unused_;

/*
 * Writes atomically and durably: temporary file beside it, fsync, rename, fsync of the folder.
 * On failure the old file is whole and the temporary one is gone.
 */
int file_write(const char *path, const void *data, size_t len, mode_t mode, struct casb_error *err)
    _warn_unused_;

/* Creates `path` (it must not exist) with mode 0600 and the given content, for secrets. */
int file_write_private(const char *path, const void *data, size_t len, struct casb_error *err)
    _warn_unused_;

/*
 * Makes a new folder of mode 0700 under $XDG_RUNTIME_DIR, $TMPDIR or /tmp, preferring memory-backed
 * ones only in that order. The caller frees *ret_path and removes the folder by file_remove_tree().
 */
int file_private_dir(const char *prefix, char **ret_path, struct casb_error *err) _warn_unused_;

/* Removes a folder and what is in it, without following links. Absent is fine. */
int file_remove_tree(const char *path, struct casb_error *err);

/*
 * Refuses (CASB_EDENIED) a file or its folder that anybody but root and the effective user could
 * have written: owner, mode (group and others), and the folder's likewise.
 */
int file_check_trusted(const char *path, struct casb_error *err) _warn_unused_;

#endif
