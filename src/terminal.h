/* SPDX-License-Identifier: Apache-2.0 */
/* What the process's standard output and error are shown on: colours, and how wide it is. */
#ifndef CAS_BACKUP_TERMINAL_H
#define CAS_BACKUP_TERMINAL_H

#include <stdbool.h>

enum terminal_colors { TERMINAL_AUTO, TERMINAL_NEVER, TERMINAL_ALWAYS };

/* What something is coloured for. */
enum terminal_tone {
    TERMINAL_PLAIN,
    TERMINAL_DOUBTFUL, /* worth a look */
    TERMINAL_BAD,      /* what went wrong */
};

/*
 * Sets when there are colours. TERMINAL_AUTO: on a terminal, unless NO_COLOR (no-color.org) is set
 * or TERM is "dumb" or nothing. Called once, before threads start; without it there are none.
 */
void terminal_init(enum terminal_colors when);

/*
 * What turns the tone on for what is written to the descriptor, 1 or 2, and off again; "" where
 * there are no colours. Static. Thread-safe, as the next.
 */
const char *terminal_on(int fd, enum terminal_tone tone);
const char *terminal_off(int fd, enum terminal_tone tone);

/* How many characters a line of the descriptor's terminal has; 0: it is none, or nobody knows. */
int terminal_columns(int fd);

#endif
