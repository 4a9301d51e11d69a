/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the lines of the log go: standard error, written by a thread of its own, so that nobody
 * else waits where its reader does not read (a terminal that was stopped, a pipe that is full).
 * What does not fit meanwhile is lost, and counted. Used by log.c alone; thread-safe.
 */
#ifndef CAS_BACKUP_LOGSINK_H
#define CAS_BACKUP_LOGSINK_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Starts the thread. Before that, and where there can be none, whoever logs a line writes it.
 */
void logsink_start(void);

/*
 * Takes text that ends with '\n'; false where it is lost, and with it `lines` lines. What is not
 * urgent is written within a tenth of a second.
 */
bool logsink_put(const char *text, size_t lines, bool urgent);

/* How many lines were lost since it was last asked. */
size_t logsink_take_lost(void);

/* Shows a text on the last line of a terminal, below the log, or takes it away with "". */
void logsink_show(const char *text);

/*
 * Waits until all is written; false where the reader has not read for a second, or reads so slowly
 * that ten seconds were not enough.
 */
bool logsink_flush(void);

/* Ends the thread, unless it still has something to write. */
void logsink_stop(void);

#endif
