/* SPDX-License-Identifier: Apache-2.0 */
/* The type of a YAML scalar by the core schema (YAML 1.2.2, 10.3.2). Pure and thread-safe. */
#ifndef BASE_YAMLSCALAR_H
#define BASE_YAMLSCALAR_H

#include "base/cleanup.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct yamlscalar {
    const char *text; /* UTF-8, NUL-terminated, may hold further NULs */
    size_t len;
    const char *tag; /* in full ("tag:yaml.org,2002:int"), or NULL */
    bool plain;      /* without quotes and not a block: only these are more than strings */
};

/*
 * Gives null, a boolean, an integer, a real or a string; the caller owns *ret. Returns 0, or -1:
 * then *ret_problem says in a static text what is wrong, or is NULL where memory ran out.
 * JSON cannot hold infinity, not-a-number and NUL characters, and jansson no integers beyond 64
 * bits: they are errors.
 */
int yamlscalar_resolve(const struct yamlscalar *scalar, json_t **ret, const char **ret_problem)
    _warn_unused_;

#endif
