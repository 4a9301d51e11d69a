/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private copy of the CLI's configuration for one call: the CLI may rewrite it, by a new file
 * beside it as well, and calls run in parallel. It holds the owner's key, so it lies in a folder
 * of its own (0700) that is locked while its process lives: what a killed one left is known by
 * the missing lock. Thread-safe.
 */
#ifndef SCONE_CLI_PRIVATE_COPY_H
#define SCONE_CLI_PRIVATE_COPY_H

#include "base/buf.h"
#include "base/error.h"

struct private_copy {
    char *folder;
    char *file; /* in it */
    int lock_fd;
};

#define PRIVATE_COPY_INIT ((struct private_copy){.lock_fd = -1})

/* Writes the content into a new private folder. private_copy_remove() undoes it. */
int private_copy_new(const struct buf *content, struct private_copy *ret, struct casb_error *err)
    _warn_unused_;

/*
 * Removes the folder with all that is in it. An error names what stayed behind; the next sweep
 * tries again.
 */
int private_copy_remove(struct private_copy *copy, struct casb_error *err) _warn_unused_;

/*
 * Removes the folders of this user whose process is gone, wherever file_private_dir() makes
 * them. *ret_removed counts them; an error names one that could not be removed, after the others
 * were.
 */
int private_copy_sweep(size_t *ret_removed, struct casb_error *err) _warn_unused_;

#endif
