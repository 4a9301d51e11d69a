/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Set by terminal_init() before threads start: of standard output, and of standard error. */
static bool colored[2];

static bool is_colored(int fd, enum terminal_colors when)
{
    const char *term = getenv("TERM");

    if (when != TERMINAL_AUTO)
        return when == TERMINAL_ALWAYS;
    return isatty(fd) && text_empty(getenv("NO_COLOR")) && !text_empty(term) &&
           strcmp(term, "dumb") != 0;
}

void terminal_init(enum terminal_colors when)
{
    colored[0] = is_colored(STDOUT_FILENO, when);
    colored[1] = is_colored(STDERR_FILENO, when);
}

static bool has_colors(int fd)
{
    return (fd == STDOUT_FILENO && colored[0]) || (fd == STDERR_FILENO && colored[1]);
}

const char *terminal_on(int fd, enum terminal_tone tone)
{
    static const char *const codes[] = {"", "\033[33m", "\033[31m"};

    return has_colors(fd) ? codes[tone] : "";
}

const char *terminal_off(int fd, enum terminal_tone tone)
{
    return has_colors(fd) && tone != TERMINAL_PLAIN ? "\033[0m" : "";
}

int terminal_columns(int fd)
{
    struct winsize size;

    return isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
