/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test includes: cmocka with the headers that it needs before it. */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * The path of a file below tests/unit/data, in a buffer of the caller's.
 */
static inline __attribute__((unused)) char *unit_data(char *out, size_t size, const char *name)
{
    const char *top = getenv("srcdir");

    snprintf(out, size, "%s/tests/unit/data/%s", top ? top : ".", name);
    return out;
}

#endif
