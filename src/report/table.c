/* SPDX-License-Identifier: Apache-2.0 */
#include "report/table.h"

#include "base/text.h"

#include <string.h>

#define GAP       2  /* blanks between two columns */
#define NARROWEST 20 /* what a column must have to be wrapped in it */

struct row {
    struct row *next;
    size_t stressed; /* the column that is in colour */
    enum terminal_tone tone;
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
    char clean[TABLE_CELL_BYTES];

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

void table_stress(struct table *table, size_t column, enum terminal_tone tone)
{
    struct row *row;

    if (table->rows == 0 || table->lost)
        return;
    row = (struct row *)((char *)table->last - offsetof(struct row, next));
    row->stressed = column;
    row->tone = tone;
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

/* ---- printing */

/* Where and how a table is printed. */
struct print {
    FILE *out;
    int fd;      /* behind it; -1: none */
    int columns; /* of the terminal; 0: there is none */
    const int *widths;
};

/* How many bytes of the text go into a line of `width` characters: up to a blank where there is
 * one. */
static size_t fitting(const char *text, int width)
{
    size_t end = 0, blank = 0;

    for (int n = 0; text[end]; n++) {
        if (n == width)
            return blank > 0 ? blank : end;
        if (text[end] == ' ')
            blank = end;
        for (end++; ((unsigned char)text[end] & 0xC0) == 0x80; end++)
            ;
    }
    return end;
}

/* The last column is not padded, so that no line ends in spaces. */
static void print_last(const struct print *print, const char *text, int indent)
{
    int width = print->columns - indent;

    while (width >= NARROWEST) {
        size_t len = fitting(text, width);

        fprintf(print->out, "%.*s", (int)len, text);
        text += len;
        text += strspn(text, " ");
        if (!*text)
            return;
        fprintf(print->out, "\n%*s", indent, "");
    }
    fprintf(print->out, "%s", text);
}

static void print_line(const struct print *print, const char *const *cells, size_t n,
                       size_t stressed, enum terminal_tone tone)
{
    int indent = 0;

    for (size_t i = 0; i < n; i++) {
        enum terminal_tone own = i == stressed ? tone : TERMINAL_PLAIN;
        int len = (int)strlen(cells[i]);

        fputs(terminal_on(print->fd, own), print->out);
        if (i + 1 == n)
            print_last(print, cells[i], indent);
        else
            fputs(cells[i], print->out);
        fputs(terminal_off(print->fd, own), print->out);
        if (i + 1 < n)
            fprintf(print->out, "%*s", print->widths[i] - len + GAP, "");
        indent += print->widths[i] + GAP;
    }
    fputs("\n", print->out);
}

int table_print(const struct table *table, FILE *out)
{
    _cleanup_(freep) int *widths = calloc(table->columns, sizeof *widths);
    struct print print = {.out = out, .fd = fileno(out), .widths = widths};

    if (!widths)
        return -1;
    print.columns = print.fd >= 0 ? terminal_columns(print.fd) : 0;
    for (size_t i = 0; i < table->columns; i++)
        widths[i] = column_width(table, i);
    print_line(&print, table->titles, table->columns, 0, TERMINAL_PLAIN);
    for (const struct row *row = table->first; row; row = row->next)
        print_line(&print, (const char *const *)row->cells, table->columns, row->stressed,
                   row->tone);
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
