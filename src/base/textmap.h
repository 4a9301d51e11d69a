/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A number for each of many texts, as the uids of all nodes, in less memory than a json_t object
 * takes. Not thread-safe.
 */
#ifndef BASE_TEXTMAP_H
#define BASE_TEXTMAP_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct textmap_entry;
struct textmap_block;

/* All zero: empty. */
struct textmap {
    struct textmap_entry **slots;
    size_t room, n; /* slots, a power of two, and how many of them are taken */
    struct textmap_block *blocks;
};

/* Sets the number of a text (copied). Returns 0 or CASB_ENOMEM, and then all is as it was. */
int textmap_set(struct textmap *map, const char *text, int64_t value) _warn_unused_;

/* The number of a text in *ret, which may be NULL. False: there is none, and *ret is 0. */
bool textmap_get(const struct textmap *map, const char *text, int64_t *ret);

/* Forgets a text; its memory is freed with the map. */
void textmap_delete(struct textmap *map, const char *text);

/* Any one of the texts, valid until textmap_free(); NULL where there is none. */
const char *textmap_any(const struct textmap *map);

/* Frees all, and leaves it empty. */
void textmap_free(struct textmap *map);

#endif
