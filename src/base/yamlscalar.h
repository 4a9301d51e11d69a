/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The type of a YAML scalar as kubectl and all of Kubernetes resolve it (sigs.k8s.io/yaml, which
 * is go-yaml v2), so that what is copied from a manifest means the same here: largely YAML 1.1,
 * with yes, no, on, off, y, n as truth values, 0400 as octal, 0b11, 0o17, 1_000; but 1:30 and
 * dates are texts. Pure and thread-safe.
 */
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
    bool lax;        /* a decimal integer beyond 64 bits is a real, as for kubectl */
};

/*
 * Gives null, a boolean, an integer, a real or a string; the caller owns *ret. Returns 0, or -1:
 * then *ret_problem says in a static text what is wrong, or is NULL where memory ran out.
 * JSON cannot hold infinity, not-a-number and NUL characters, and jansson no integers beyond 64
 * bits: they are errors. A real without a fraction is an integer, as in kubectl's JSON.
 */
int yamlscalar_resolve(const struct yamlscalar *scalar, json_t **ret, const char **ret_problem)
    _warn_unused_;

#endif
