/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scope cleanup: an owning local is marked with _cleanup_() and handed on with TAKE_PTR/TAKE_FD.
 * Nothing else belongs here.
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f)   __attribute__((cleanup(f)))
#define _warn_unused_  __attribute__((warn_unused_result))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _unused_       __attribute__((unused))

/* Yields the pointer and leaves NULL behind: ownership moves on. */
#define TAKE_PTR(p)                                                                                \
    ({                                                                                             \
        __typeof__(p) taken_ = (p);                                                                \
        (p) = NULL;                                                                                \
        taken_;                                                                                    \
    })

/* The same for a file descriptor, which becomes -1. */
#define TAKE_FD(fd)                                                                                \
    ({                                                                                             \
        int taken_ = (fd);                                                                         \
        (fd) = -1;                                                                                 \
        taken_;                                                                                    \
    })

/* Defines x_freep(T **) for use with _cleanup_, from x_free(T *) that accepts NULL. */
#define DEFINE_FREEP(type, func)                                                                   \
    static inline _unused_ void func##p(type *p)                                                   \
    {                                                                                              \
        func(*p);                                                                                  \
    }

#define ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

/* For locals from malloc(): _cleanup_(freep) char *s. */
static inline void freep(void *p)
{
    free(*(void **)p);
}

/* For descriptors: _cleanup_(closep) int fd = -1. */
static inline void closep(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* For streams: _cleanup_(fclosep) FILE *f = NULL. */
static inline void fclosep(FILE **f)
{
    if (*f)
        fclose(*f);
}

#endif
