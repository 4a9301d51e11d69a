/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private copy of the CLI's configuration for one call: the CLI may rewrite it, by a new file
 * beside it as well, and calls run in parallel. It holds the owner's key, so it lies in a folder
 * of its own (0700) that is locked while its process lives: what a killed one left is known by
 * the missing lock, and found by every pass, whatever its plugins and its environment. Thread-safe.
 */
#ifndef BASE_PRIVATECOPY_H
#define BASE_PRIVATECOPY_H

#include "base/buf.h"
#include "base/error.h"

struct privatecopy {
    char *folder;
    char *file;    /* in it */
    char *pointer; /* a link that leads to it; NULL: none is needed */
    int lock_fd;
};

#define PRIVATECOPY_INIT ((struct privatecopy){.lock_fd = -1})

/* Writes the content into a new private folder. privatecopy_remove() undoes it. */
int privatecopy_new(const struct buf *content, struct privatecopy *ret, struct casb_error *err)
    _warn_unused_;

/*
 * Removes the folder with all that is in it. An error names what stayed behind; the next sweep
 * tries again.
 */
int privatecopy_remove(struct privatecopy *copy, struct casb_error *err) _warn_unused_;

/*
 * Removes the folders of this user whose process is gone, wherever file_private_dir() makes or made
 * them. *ret_removed counts them; an error names one that could not be removed, after the others
 * were.
 */
int privatecopy_sweep(size_t *ret_removed, struct casb_error *err) _warn_unused_;

#endif
