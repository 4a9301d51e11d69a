/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "report/table.h"

static const char *const titles[] = {"NODE", "REASON", NULL};

static char *printed(const struct table *table)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_int_equal(table_print(table, out), 0);
    fclose(out);
    return text;
}

static void columns_are_as_wide_as_their_content_and_lines_end_without_spaces(void **state)
{
    struct table *table = table_new(titles);
    char *text;

    (void)state;
    table_row(table, (const char *[]){"a-long-name", NULL});
    table_row(table, (const char *[]){"b", "two\nlines"});
    text = printed(table);
    assert_string_equal(text, "NODE         REASON\na-long-name  -\nb            two lines\n");
    assert_int_equal(table_rows(table), 2);
    free(text);
    table_free(table);
}

static void rows_are_sorted_with_numbers_by_value(void **state)
{
    struct table *table = table_new(titles);
    char *text;

    (void)state;
    table_row(table, (const char *[]){"node-10", "x"});
    table_row(table, (const char *[]){"node-9", "y"});
    table_sort(table);
    table_row(table, (const char *[]){"last", "z"});
    text = printed(table);
    assert_string_equal(text, "NODE     REASON\nnode-9   y\nnode-10  x\nlast     z\n");
    free(text);
    table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_content_and_lines_end_without_spaces),
        cmocka_unit_test(rows_are_sorted_with_numbers_by_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
