/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/buf.h"
#include "base/file.h"
#include "command/termination.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of the test's own, and paths in it. */
struct place {
    char folder[64], file[80], other[80];
};

static int place_begin(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    if (!place)
        return -1;
    snprintf(place->folder, sizeof place->folder, "/tmp/termination.XXXXXX");
    if (!mkdtemp(place->folder))
        return -1;
    snprintf(place->file, sizeof place->file, "%s/log", place->folder);
    snprintf(place->other, sizeof place->other, "%s/other", place->folder);
    *state = place;
    return 0;
}

static int place_end(void **state)
{
    struct place *place = *state;

    unlink(place->file);
    unlink(place->other);
    rmdir(place->folder);
    free(place);
    return 0;
}

static void put(const char *path, const char *text)
{
    assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), 0);
}

static void holds(const char *path, const char *want)
{
    _cleanup_(buf_free) struct buf text = BUF_INIT(2 * TERMINATION_BYTES);

    assert_int_equal(file_read(path, &text, NULL), 0);
    assert_string_equal(buf_text(&text), want);
}

static void a_line_replaces_what_was_there(void **state)
{
    const struct place *place = *state;

    put(place->file, "an older and longer text\n");
    assert_int_equal(termination_write(place->file, "the end", NULL), 0);
    holds(place->file, "the end\n");
}

static void no_more_is_written_than_is_kept(void **state)
{
    const struct place *place = *state;
    char text[TERMINATION_BYTES + 100];
    struct stat st;

    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    put(place->file, "");
    assert_int_equal(termination_write(place->file, text, NULL), 0);
    assert_int_equal(stat(place->file, &st), 0);
    assert_int_equal(st.st_size, TERMINATION_BYTES - 1);
}

static void where_there_is_none_none_is_made(void **state)
{
    const struct place *place = *state;

    assert_int_equal(termination_write(place->file, "text", NULL), CASB_ENOTFOUND);
    assert_int_equal(access(place->file, F_OK), -1);
}

static void only_a_file_is_written_to(void **state)
{
    const struct place *place = *state;

    put(place->other, "mine\n");
    assert_int_equal(symlink(place->other, place->file), 0);
    assert_true(termination_write(place->file, "text", NULL) < 0);
    holds(place->other, "mine\n");
    unlink(place->file);
    assert_int_equal(mkfifo(place->file, 0600), 0);
    assert_true(termination_write(place->file, "text", NULL) < 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, place_begin, place_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_replaces_what_was_there),
        TEST(no_more_is_written_than_is_kept),
        TEST(where_there_is_none_none_is_made),
        TEST(only_a_file_is_written_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
