/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <cas-backup/error.h>

#include <stdint.h>
#include <string.h>

#define BUF_FIRST_BYTES 256

/*
 * The old block is wiped, not left to realloc(): whether a buffer holds a secret is only known when
 * it is freed.
 */
static int grow(struct buf *b, size_t more)
{
    size_t cap = b->cap ? b->cap : BUF_FIRST_BYTES;
    char *data;

    if (more > b->limit || b->len > b->limit - more)
        return CASB_EINVALID;
    while (cap <= b->len + more) {
        if (cap > SIZE_MAX / 2)
            return CASB_ENOMEM;
        cap *= 2;
    }
    if (cap - 1 > b->limit)
        cap = b->limit + 1;
    data = malloc(cap);
    if (!data)
        return CASB_ENOMEM;
    if (b->data) {
        memcpy(data, b->data, b->len);
        explicit_bzero(b->data, b->len);
        free(b->data);
    }
    data[b->len] = '\0';
    b->data = data;
    b->cap = cap;
    return 0;
}

/* Makes room for `more` bytes and the terminator. */
static int reserve(struct buf *b, size_t more)
{
    return more < b->cap - b->len ? 0 : grow(b, more);
}

int buf_append(struct buf *b, const void *data, size_t len)
{
    int r = reserve(b, len);

    if (r)
        return r;
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
    return 0;
}

int buf_puts(struct buf *b, const char *text)
{
    return buf_append(b, text, strlen(text));
}

int buf_vprintf(struct buf *b, const char *format, va_list ap)
{
    va_list again;
    int len, r;

    va_copy(again, ap);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0)
        return CASB_EINVALID;
    r = reserve(b, (size_t)len);
    if (r)
        return r;
    vsnprintf(b->data + b->len, (size_t)len + 1, format, ap);
    b->len += (size_t)len;
    return 0;
}

int buf_printf(struct buf *b, const char *format, ...)
{
    va_list ap;
    int r;

    va_start(ap, format);
    r = buf_vprintf(b, format, ap);
    va_end(ap);
    return r;
}

size_t buf_append_cut(struct buf *b, const void *data, size_t len)
{
    size_t room = b->limit - b->len, fits = len < room ? len : room;

    if (buf_append(b, data, fits))
        return len;
    return len - fits;
}

const char *buf_text(const struct buf *b)
{
    return b->data ? b->data : "";
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    if (b->data)
        b->data[0] = '\0';
}

void buf_drop(struct buf *b, size_t len)
{
    if (len == 0 || b->len == 0)
        return;
    b->len -= len < b->len ? len : b->len;
    memmove(b->data, b->data + len, b->len + 1);
}

char *buf_take(struct buf *b)
{
    char *data = b->data ? b->data : calloc(1, 1);

    b->data = NULL;
    b->len = b->cap = 0;
    return data;
}

void buf_free(struct buf *b)
{
    free(b->data);
    b->data = NULL;
    b->len = b->cap = 0;
}

void buf_free_secret(struct buf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->cap);
    buf_free(b);
}
