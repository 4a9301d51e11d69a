/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "report/table.h"
#include "terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SHOWN_BYTES 4096

/* A terminal of that width as standard output, and what it was before. */
struct screen {
    int own, saved;
};

static struct screen screen_open(unsigned short columns)
{
    const struct winsize size = {.ws_col = columns, .ws_row = 24};
    struct screen screen = {posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK), dup(STDOUT_FILENO)};
    int fd;

    assert_true(screen.own >= 0 && grantpt(screen.own) == 0 && unlockpt(screen.own) == 0);
    fd = open(ptsname(screen.own), O_RDWR | O_NOCTTY);
    assert_true(fd >= 0 && ioctl(fd, TIOCSWINSZ, &size) == 0);
    fflush(stdout);
    dup2(fd, STDOUT_FILENO);
    close(fd);
    return screen;
}

/* Ends it; what it showed is in `out`, its lines ended as they were written. */
static void screen_close(struct screen *screen, char out[static SHOWN_BYTES])
{
    size_t len = 0, kept = 0;
    ssize_t n;

    fflush(stdout);
    while ((n = read(screen->own, out + len, SHOWN_BYTES - 1 - len)) > 0)
        len += (size_t)n;
    for (size_t i = 0; i < len; i++)
        if (out[i] != '\r')
            out[kept++] = out[i];
    out[kept] = '\0';
    dup2(screen->saved, STDOUT_FILENO);
    close(screen->saved);
    close(screen->own);
}

/* A table with a bad row, as a terminal of that width shows it. */
static void shown(unsigned short columns, enum terminal_colors when, char out[static SHOWN_BYTES])
{
    static const char *const titles[] = {"NODE", "OPENS", "REASON", NULL};
    struct table *table = table_new(titles);
    struct screen screen = screen_open(columns);
    int r;

    terminal_init(when);
    table_row(table, (const char *[]){"node-1", "yes", NULL});
    table_row(table, (const char *[]){"node-2", "no",
                                      "the image cannot be pulled: n\303\266 such "
                                      "thing"});
    table_stress(table, 1, TERMINAL_BAD);
    r = table_print(table, stdout);
    screen_close(&screen, out);
    assert_int_equal(r, 0);
    table_free(table);
    terminal_init(TERMINAL_NEVER);
}

static void the_last_column_is_wrapped_under_itself(void **state)
{
    char out[SHOWN_BYTES];

    (void)state;
    shown(39, TERMINAL_NEVER, out);
    assert_string_equal(out, "NODE    OPENS  REASON\n"
                             "node-1  yes    -\n"
                             "node-2  no     the image cannot be\n"
                             "               pulled: n\303\266 such thing\n");
}

static void it_is_not_where_it_fits_or_has_no_room(void **state)
{
    static const unsigned short widths[] = {0, 20, 34, 56, 200};
    char out[SHOWN_BYTES];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(widths); i++) {
        shown(widths[i], TERMINAL_NEVER, out);
        assert_string_equal(out,
                            "NODE    OPENS  REASON\n"
                            "node-1  yes    -\n"
                            "node-2  no     the image cannot be pulled: n\303\266 such thing\n");
    }
}

static void a_word_without_a_blank_is_cut(void **state)
{
    static const char *const titles[] = {"A", NULL};
    struct table *table = table_new(titles);
    struct screen screen = screen_open(20);
    char out[SHOWN_BYTES];

    (void)state;
    table_row(table, (const char *[]){"abcdefghijklmnopqrstuvwxyz"});
    assert_int_equal(table_print(table, stdout), 0);
    screen_close(&screen, out);
    assert_string_equal(out, "A\nabcdefghijklmnopqrst\nuvwxyz\n");
    table_free(table);
}

static void what_is_bad_is_red_where_there_are_colours(void **state)
{
    static const struct {
        enum terminal_colors when;
        const char *term, *no_color;
        bool red;
    } rows[] = {
        {TERMINAL_AUTO, "xterm", NULL, true}, {TERMINAL_AUTO, "xterm", "", true},
        {TERMINAL_AUTO, "xterm", "1", false}, {TERMINAL_AUTO, "dumb", NULL, false},
        {TERMINAL_AUTO, "", NULL, false},     {TERMINAL_NEVER, "xterm", NULL, false},
        {TERMINAL_ALWAYS, "dumb", "1", true},
    };
    char out[SHOWN_BYTES];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        setenv("TERM", rows[i].term, 1);
        if (rows[i].no_color)
            setenv("NO_COLOR", rows[i].no_color, 1);
        else
            unsetenv("NO_COLOR");
        shown(200, rows[i].when, out);
        assert_int_equal(strstr(out, "node-2  \033[31mno\033[0m     the") != NULL, rows[i].red);
        assert_int_equal(strchr(out, '\033') != NULL, rows[i].red);
    }
}

static void in_a_pipe_nothing_changes(void **state)
{
    int saved = dup(STDOUT_FILENO), file = open("/dev/null", O_WRONLY);

    (void)state;
    fflush(stdout);
    dup2(file, STDOUT_FILENO);
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    terminal_init(TERMINAL_AUTO);
    assert_string_equal(terminal_on(STDOUT_FILENO, TERMINAL_BAD), "");
    assert_string_equal(terminal_off(STDOUT_FILENO, TERMINAL_BAD), "");
    assert_int_equal(terminal_columns(STDOUT_FILENO), 0);
    terminal_init(TERMINAL_ALWAYS);
    assert_string_equal(terminal_on(STDOUT_FILENO, TERMINAL_BAD), "\033[31m");
    assert_string_equal(terminal_on(STDOUT_FILENO, TERMINAL_PLAIN), "");
    terminal_init(TERMINAL_NEVER);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_column_is_wrapped_under_itself),
        cmocka_unit_test(it_is_not_where_it_fits_or_has_no_room),
        cmocka_unit_test(a_word_without_a_blank_is_cut),
        cmocka_unit_test(what_is_bad_is_red_where_there_are_colours),
        cmocka_unit_test(in_a_pipe_nothing_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
