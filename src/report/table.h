/* SPDX-License-Identifier: Apache-2.0 */
/* Text tables for people: columns as wide as their content, two spaces between. */
#ifndef CAS_BACKUP_TABLE_H
#define CAS_BACKUP_TABLE_H

#include "base/cleanup.h"
#include "terminal.h"

#include <stddef.h>

struct table;

#define TABLE_CELL_BYTES 512 /* a longer cell is cut */

/* A table with these column titles (a NULL-terminated list of static strings). NULL: no memory. */
struct table *table_new(const char *const *titles);

/*
 * Adds a row of as many cells as there are titles, copied and cleaned; NULL is shown as "-".
 * Where memory runs out the row is lost and table_print() says so.
 */
void table_row(struct table *table, const char *const *cells);

/* Has one cell of the row that was added last in colour, where there are colours. */
void table_stress(struct table *table, size_t column, enum terminal_tone tone);

/* Sorts the rows by their first cell, numbers within it by value. Without memory they stay. */
void table_sort(struct table *table);

/*
 * Prints titles and rows. On a terminal the last column is wrapped at its end, under itself, where
 * there is room for that. Returns 0, or -1 where writing failed or rows were lost. */
int table_print(const struct table *table, FILE *out);

/* How many rows it has. */
size_t table_rows(const struct table *table);

/* Frees it; NULL is fine. */
void table_free(struct table *table);
DEFINE_FREEP(struct table *, table_free)

#endif
