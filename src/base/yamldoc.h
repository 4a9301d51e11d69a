/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One YAML document as a JSON tree that remembers line and column of every key and value.
 * Plain scalars get the type that kubectl gives them (yamlscalar.h), all else is a string; JSON is
 * read as well. Duplicate keys, keys that are no strings, merge keys, other tags than the core ones
 * and several documents are errors; aliases are allowed within bounds (64 levels deep, 100,000
 * nodes). An empty document is an empty object.
 */
#ifndef BASE_YAMLDOC_H
#define BASE_YAMLDOC_H

#include "base/error.h"

#include <jansson.h>
#include <stddef.h>

struct yamldoc;

/*
 * Parses `text`. `name` is the file's name for messages. Errors have the form
 * "name:line:column: what". The caller frees *ret with yamldoc_free().
 */
int yamldoc_parse(const char *text, size_t len, const char *name, struct yamldoc **ret,
                  struct casb_error *err) _warn_unused_;

/*
 * The same for what kubectl reads itself, as it does: of several documents the first counts and no
 * other is looked at; of duplicate keys the last; merge keys are merged; a key may be a number or
 * a truth value; tags of one's own say nothing; an integer beyond 64 bits is a real.
 */
int yamldoc_parse_lax(const char *text, size_t len, const char *name, struct yamldoc **ret,
                      struct casb_error *err) _warn_unused_;

/* The tree. Borrowed; lives as long as the document, or longer by json_incref(). */
json_t *yamldoc_root(const struct yamldoc *doc);

/* The name given to yamldoc_parse(). */
const char *yamldoc_name(const struct yamldoc *doc);

/*
 * Where something stands, counted from 1. `path` is keys with dots and indices in brackets:
 * "discovery[0].las.selector"; "" is the root. The position of a key's value, or with `key` of
 * the key itself. An unknown path gives its nearest known parent.
 */
void yamldoc_mark(const struct yamldoc *doc, const char *path, bool key, size_t *ret_line,
                  size_t *ret_column);

/* Frees the document; NULL is fine. */
void yamldoc_free(struct yamldoc *doc);
DEFINE_FREEP(struct yamldoc *, yamldoc_free)

#endif
