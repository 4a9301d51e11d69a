/* SPDX-License-Identifier: Apache-2.0 */
/* Copies all strings of a struct into one block of memory, so that it is freed as one. */
#ifndef CAS_BACKUP_PACK_H
#define CAS_BACKUP_PACK_H

#include <stddef.h>

/*
 * Bytes that the strings take with their terminators. `members` are the addresses of the struct's
 * string members; a NULL string takes none.
 */
size_t pack_size(const char **const members[], size_t count);

/* Copies the strings to `memory`, pack_size() bytes, and points the members there. */
void pack_strings(const char **const members[], size_t count, char *memory);

#endif
