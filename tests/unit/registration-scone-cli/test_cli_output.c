/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "unit/chaos.h"

#include "base/buf.h"
#include "base/file.h"
#include "registration-scone-cli/cli_output.h"

#include <dirent.h>

static void what_the_cli_said_becomes_one_line(void **state)
{
    static const struct {
        const char *err, *out, *want;
    } rows[] = {
        {"", "", ""},
        {"\n \n", "\t\n", ""},
        {"Error: no backup\n", "", "no backup"},
        {"Error: a\nCaused by: b\nCaused by: c\n", "Error: d\n", "a: b: c: d"},
        {"Error: a\nCaused by: b\nCaused by: b\n", "Error: a\n", "a: b"},
        {"Error 1 of 2: one\nError 2 of 2: two\nError: a\n", "", "one: two: a"},
        {"Error 1 of two: a\n", "", "Error 1 of two: a"},
        {"Error 1: a\n", "", "Error 1: a"},
        {"[SCONE|FATAL] a\n", "", "a"},
        {"[SCONE|FATAL] file.c:3:main(): a b\n", "", "a b"},
        {"[SCONE|FATAL] file.c:3:main():\n", "", "file.c:3:main():"},
        {"[SCONE|WARN] a\n[SCONE|ERROR] file.c:3:main(): b\n", "", "b"},
        {"Error: a\n  Caused by: unexpected enclave measurement\n", "",
         "unexpected enclave measurement: a"},
        {"last\n", "Unexpected enclave measurement\n", "last"},
        {"info: trying\nError: a\nsomething else\n    Caused by:   b\n\n", "", "a: b"},
        {"noise\n", "Error: a\r\nCaused by: b\r\n", "a: b"},
        {"noise\nlast words\n\n", "output\n", "last words"},
        {"", "registering...\rgave up\n", "gave up"},
        {"\033[31;1mError:\033[0m red\n\033[1mCaused by:\033[0m bold \033[4mtext\033[0m\n", "",
         "red: bold text"},
        {"Error: a\n\nCaused by:\n    0: b\n    1: c: d\n\nStack backtrace:\n   2: main\n", "",
         "a: b: c: d"},
        {"Error: a\nCaused by:\nnot indented\n", "", "a"},
        {"Caused by: alone", "", "alone"},
        {"error: Found argument '-x'\n\nUSAGE: scone\n", "", "Found argument '-x'"},
        {"Error:\n", "said\n", "said"},
        {"Error: \xff\xfe\001 bytes\n", "", "?? bytes"},
        {"No Error: here\n", "", "No Error: here"},
    };
    char said[256];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        cli_output_message(said, sizeof said, rows[i].err, rows[i].out);
        assert_string_equal(said, rows[i].want);
    }
}

/* A file of a case; one that is not there is empty, unless it must be. */
static void read_case(const char *name, const char *file, bool must, struct buf *ret)
{
    char inside[512], path[4096];
    int r;

    snprintf(inside, sizeof inside, "cli_output/%s/%s", name, file);
    r = file_read(unit_data(path, sizeof path, inside), ret, NULL);
    assert_true(r == 0 || !must);
}

static void run_case(const char *name)
{
    _cleanup_(buf_free) struct buf input = BUF_INIT(8192);
    _cleanup_(buf_free) struct buf output = BUF_INIT(8192);
    _cleanup_(buf_free) struct buf want = BUF_INIT(8192);
    char said[2048];

    read_case(name, "input", true, &input);
    read_case(name, "output", false, &output);
    read_case(name, "want", true, &want);
    want.data[want.len - 1] = 0;
    cli_output_message(said, sizeof said, buf_text(&input), buf_text(&output));
    if (strcmp(said, want.data) != 0)
        fail_msg("%s: got '%s', want '%s'", name, said, want.data);
}

static void whole_outputs_give_their_causes(void **state)
{
    char path[4096];
    DIR *dir = opendir(unit_data(path, sizeof path, "cli_output"));
    const struct dirent *entry;
    int count = 0;

    (void)state;
    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        run_case(entry->d_name);
        count++;
    }
    closedir(dir);
    assert_true(count > 0);
}

static void a_long_message_is_cut_and_says_so(void **state)
{
    char text[4096], said[64];

    (void)state;
    snprintf(text, sizeof text, "Error: %02000d\nCaused by: %01000d\n", 1, 2);
    cli_output_message(said, sizeof said, text, "");
    assert_int_equal(strlen(said), sizeof said - 1);
    assert_string_equal(said + strlen(said) - 3, "...");
}

static void of_a_message_that_does_not_fit_the_last_cause_comes_first(void **state)
{
    static const char text[] = "Error: could not register\nCaused by: this happened\n"
                               "Caused by: and that\nCaused by: disk full\n";
    char said[64];

    (void)state;
    cli_output_message(said, 55, text, "");
    assert_string_equal(said, "could not register: this happened: and that: disk full");
    cli_output_message(said, 54, text, "");
    assert_string_equal(said, "disk full: could not register: this happened: and...");
    cli_output_message(said, 32, text, "");
    assert_string_equal(said, "disk full: could not registe...");
    cli_output_message(said, 64, "Error: could not register\nCaused by: disk full\n", "");
    assert_string_equal(said, "could not register: disk full");
}

static void of_too_many_lines_the_last_one_stays(void **state)
{
    char text[8192] = "", said[4096];
    size_t len = 0;

    (void)state;
    for (int i = 0; i < 300; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "Caused by: %d\n", i);
    cli_output_message(said, sizeof said, text, "");
    assert_non_null(strstr(said, "0: 1: 2: "));
    assert_string_equal(said + strlen(said) - 5, ": 299");
}

static void without_memory_nothing_is_said(void **state)
{
    char said[64] = "x";

    (void)state;
    chaos_left = 0;
    cli_output_message(said, sizeof said, "Error: a\n", "");
    chaos_left = -1;
    assert_string_equal(said, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_cli_said_becomes_one_line),
        cmocka_unit_test(whole_outputs_give_their_causes),
        cmocka_unit_test(a_long_message_is_cut_and_says_so),
        cmocka_unit_test(of_a_message_that_does_not_fit_the_last_cause_comes_first),
        cmocka_unit_test(of_too_many_lines_the_last_one_stays),
        cmocka_unit_test(without_memory_nothing_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
