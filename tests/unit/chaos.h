/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that runs out on demand. The test is linked with $(chaos_ldflags), which sends malloc(),
 * calloc() and strdup() of everything that is linked statically here.
 */
#ifndef TESTS_UNIT_CHAOS_H
#define TESTS_UNIT_CHAOS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

/* Allocations that still succeed; -1: all. */
static int chaos_left = -1;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
char *__wrap_strdup(const char *text);

static bool chaos_fails(void)
{
    if (chaos_left != 0) {
        chaos_left -= chaos_left > 0;
        return false;
    }
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return chaos_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return chaos_fails() ? NULL : __real_calloc(count, size);
}

char *__wrap_strdup(const char *text)
{
    return chaos_fails() ? NULL : __real_strdup(text);
}

#endif
