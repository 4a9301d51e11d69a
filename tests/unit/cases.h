/* SPDX-License-Identifier: Apache-2.0 */
/* Test cases as JSON files, one a case, in a folder below tests/unit/data. */
#ifndef TESTS_UNIT_CASES_H
#define TESTS_UNIT_CASES_H

#include "unit/unit.h"

#include <dirent.h>
#include <jansson.h>

/* Calls `run` with each case of the folder; an empty folder or a damaged file fails the test. */
static inline __attribute__((unused)) void
cases_run(const char *folder, void (*run)(const char *name, const json_t *test))
{
    char path[4096], file[4096 + 256];
    const struct dirent *entry;
    size_t count = 0;
    DIR *dir = opendir(unit_data(path, sizeof path, folder));

    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        json_auto_t *test = NULL;
        json_error_t error;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        test = json_load_file(file, 0, &error);
        if (!test)
            fail_msg("%s:%d: %s", file, error.line, error.text);
        run(entry->d_name, test);
        count++;
    }
    closedir(dir);
    assert_true(count > 0);
}

/* Like assert_string_equal(), but NULL is allowed and the message names the case. */
static inline __attribute__((unused)) void cases_equal(const char *name, const char *got,
                                                       const char *want)
{
    if (got != want && (!got || !want || strcmp(got, want) != 0))
        fail_msg("%s: got '%s', want '%s'", name, got ? got : "(null)", want ? want : "(null)");
}

#endif
