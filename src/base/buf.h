/* SPDX-License-Identifier: Apache-2.0 */
/* A byte buffer that grows up to a limit and is always NUL-terminated. Not thread-safe. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/cleanup.h"

#include <stdarg.h>
#include <stddef.h>

struct buf {
    char *data; /* NULL until the first byte; read it through buf_text() where it may be empty */
    size_t len; /* bytes, without the terminator */
    size_t cap;
    size_t limit; /* bytes that it may hold at the most */
};

/* An empty buffer for at most `max` bytes. */
#define BUF_INIT(max) ((struct buf){.limit = (max)})

/*
 * Append what is not part of the buffer itself. Return 0, CASB_ENOMEM, or CASB_EINVALID where the
 * limit would be passed; then the buffer keeps what it had.
 */
int buf_append(struct buf *b, const void *data, size_t len) _warn_unused_;
/* buf_append() of a string. */
int buf_puts(struct buf *b, const char *text) _warn_unused_;
/* buf_append() of what printf() would print. */
int buf_printf(struct buf *b, const char *format, ...) _printf_(2, 3) _warn_unused_;
/* The same with a list of arguments. */
int buf_vprintf(struct buf *b, const char *format, va_list ap) _printf_(2, 0) _warn_unused_;

/* Appends as much as fits under the limit, nothing without memory; returns how many bytes did not.
 */
size_t buf_append_cut(struct buf *b, const void *data, size_t len);

/* The content as a string, "" where empty. Borrowed until the next change. */
const char *buf_text(const struct buf *b);

/* Empties the buffer and keeps its memory. */
void buf_reset(struct buf *b);

/* Takes the first `len` bytes away, or all where there are no more. */
void buf_drop(struct buf *b, size_t len);

/* Hands the content over to the caller, who frees it, and empties the buffer. NULL: no memory. */
char *buf_take(struct buf *b) _warn_unused_;

/* Frees the content. */
void buf_free(struct buf *b);

/* Wipes the content before it frees it: for secrets. Growing leaves no copies behind either. */
void buf_free_secret(struct buf *b);

#endif
