/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include "base/text.h"

#include <string.h>

#define CELL_BYTES 512

struct row {
    struct row *next;
    char *cells[];
};

struct table {
    const char *const *titles;
    size_t columns, rows;
    struct row *first, **last;
    bool lost;
};

struct table *table_new(const char *const *titles)
{
    struct table *table = calloc(1, sizeof *table);

    if (!table)
        return NULL;
    table->titles = titles;
    while (titles[table->columns])
        table->columns++;
    table->last = &table->first;
    return table;
}

static void row_free(struct row *row, size_t columns)
{
    for (size_t i = 0; i < columns; i++)
        free(row->cells[i]);
    free(row);
}

void table_row(struct table *table, const char *const *cells)
{
    struct row *row = calloc(1, sizeof *row + table->columns * sizeof row->cells[0]);
    char clean[CELL_BYTES];

    if (!row) {
        table->lost = true;
        return;
    }
    for (size_t i = 0; i < table->columns; i++) {
        row->cells[i] =
            strdup(text_empty(cells[i]) ? "-" : text_clean(clean, sizeof clean, cells[i]));
        if (!row->cells[i]) {
            table->lost = true;
            row_free(row, table->columns);
            return;
        }
    }
    *table->last = row;
    table->last = &row->next;
    table->rows++;
}

static int compare_first_cells(const void *a, const void *b)
{
    return strverscmp((*(struct row *const *)a)->cells[0], (*(struct row *const *)b)->cells[0]);
}

void table_sort(struct table *table)
{
    _cleanup_(freep) struct row **rows = calloc(table->rows + 1, sizeof *rows);
    size_t n = 0;

    if (!rows)
        return;
    for (struct row *row = table->first; row; row = row->next)
        rows[n++] = row;
    qsort(rows, n, sizeof *rows, compare_first_cells);
    table->last = &table->first;
    for (size_t i = 0; i < n; i++) {
        *table->last = rows[i];
        table->last = &rows[i]->next;
    }
    *table->last = NULL;
}

static int column_width(const struct table *table, size_t column)
{
    size_t width = strlen(table->titles[column]);

    for (const struct row *row = table->first; row; row = row->next)
        if (strlen(row->cells[column]) > width)
            width = strlen(row->cells[column]);
    return (int)width;
}

/* The last column is not padded, so that no line ends in spaces. */
static void print_cell(FILE *out, const char *text, int width, bool last)
{
    if (last)
        fprintf(out, "%s\n", text);
    else
        fprintf(out, "%-*s  ", width, text);
}

int table_print(const struct table *table, FILE *out)
{
    _cleanup_(freep) int *widths = calloc(table->columns, sizeof *widths);

    if (!widths)
        return -1;
    for (size_t i = 0; i < table->columns; i++) {
        widths[i] = column_width(table, i);
        print_cell(out, table->titles[i], widths[i], i + 1 == table->columns);
    }
    for (const struct row *row = table->first; row; row = row->next)
        for (size_t i = 0; i < table->columns; i++)
            print_cell(out, row->cells[i], widths[i], i + 1 == table->columns);
    return table->lost || ferror(out) ? -1 : 0;
}

size_t table_rows(const struct table *table)
{
    return table->rows;
}

void table_free(struct table *table)
{
    struct row *row;

    if (!table)
        return;
    while ((row = table->first)) {
        table->first = row->next;
        row_free(row, table->columns);
    }
    free(table);
}
