/* SPDX-License-Identifier: Apache-2.0 */
/* Files: bounded reads, private copies, durable writes. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * Reads the whole text of a file, pipe or device into *out, whose limit bounds it, without a byte
 * order mark before it; on failure *out is empty. Errors name the path. CASB_ENOTFOUND where it
 * does not exist.
 */
int file_read(const char *path, struct buf *out, struct casb_error *err) _warn_unused_;

/*
 * As root, gives what is open at `path` to the user and group of its folder: what root makes in a
 * folder of a service's user (systemd.exec(5), DynamicUser=) is that user's to read and write
 * later. As far as that can be.
 */
void file_give_to_folder(int fd, const char *path);

/*
 * Opens a regular file, as open(2) with `flags`, and a new one with mode 0600, as
 * file_give_to_folder() has it. Whatever else stands
 * there (a pipe, a device, a folder) is CASB_EINVALID and is not waited for. Errors name the path.
 * The caller closes *ret_fd.
 */
int file_open_regular(const char *path, int flags, int *ret_fd, struct casb_error *err)
    _warn_unused_;

/* file_read() of what is open: from where it stands to its end. `path` is for errors. */
int file_read_fd(int fd, const char *path, struct buf *out, struct casb_error *err) _warn_unused_;

/*
 * Writes atomically and durably: temporary file beside it, fsync, rename, fsync of the folder.
 * The mode is as given, whatever the umask, where the file system has modes, and the owner as
 * file_give_to_folder() has it. On failure the old
 * file is whole and the temporary one is gone. A link stays one, also where what it leads to is
 * not there yet; where the folder for that is not there either, that is an error. Whatever else
 * stands there (a pipe, a device, a folder) is CASB_EINVALID and is not waited for.
 */
int file_write(const char *path, const void *data, size_t len, mode_t mode, struct casb_error *err)
    _warn_unused_;

/*
 * The same, but a pipe or a device (/dev/stdout) is written to. That waits for who reads it, maybe
 * for ever: for those whom a signal ends at any time.
 */
int file_write_through(const char *path, const void *data, size_t len, mode_t mode,
                       struct casb_error *err) _warn_unused_;

/*
 * May what stands at `path` be replaced by a `what`, such as "report"? CASB_EINVALID where it is
 * neither empty nor, by its first bytes, one of ours, nor a regular file: somebody named the
 * settings, the state or a key by mistake.
 */
int file_check_replaceable(const char *path, const char *what, bool (*is_ours)(const char *begin),
                           struct casb_error *err) _warn_unused_;

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
 * NULL where a variable names none, or one that trust_check() refuses. Borrowed from the
 * environment.
 */
void file_private_places(const char *places[static FILE_PRIVATE_PLACES]);

/*
 * Makes a new folder of mode 0700 in the first of file_private_places() where it can and where
 * `room` bytes more find place now: memory and quotas are often full. The caller frees *ret_path
 * and removes the folder by file_remove_tree().
 */
int file_private_dir(const char *prefix, size_t room, char **ret_path, struct casb_error *err)
    _warn_unused_;

/* Removes a folder and what is in it, without following links. Absent is fine. */
int file_remove_tree(const char *path, struct casb_error *err);

#endif
