/* SPDX-License-Identifier: Apache-2.0 */
/* Where each part of a YAML document stands, found by its path. */
#ifndef BASE_YAMLMARKS_H
#define BASE_YAMLMARKS_H

#include "base/cleanup.h"

#include <stddef.h>

struct yamlposition {
    size_t line, column; /* from 1 */
};

struct yamlmark {
    size_t parent;   /* the collection that it is in; the root is its own */
    size_t children; /* whose parts stand below it: its own, or those of what an alias means */
    char *key;       /* in a mapping; NULL in a sequence and for the root */
    size_t index;    /* in a sequence */
    struct yamlposition key_at, at;
};

/* Started with {0}. */
struct yamlmarks {
    struct yamlmark *list; /* [0] is the root; parts come after what they are in */
    size_t len, cap;
};

/*
 * Adds a mark, whose children are its own until its owner says otherwise. Consumes mark.key, also
 * on failure. Returns 0 or CASB_ENOMEM.
 */
int yamlmarks_add(struct yamlmarks *marks, struct yamlmark mark, size_t *ret_index) _warn_unused_;

/* The mark at a path as yamldoc_mark() has it, or its nearest known parent. There is a root. */
const struct yamlmark *yamlmarks_find(const struct yamlmarks *marks, const char *path);

/* The line of a key of the mapping with that index. */
size_t yamlmarks_line_of_key(const struct yamlmarks *marks, size_t mapping, const char *key);

/* Frees the marks. */
void yamlmarks_free(struct yamlmarks *marks);

#endif
