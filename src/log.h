/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one line per event on standard error, as text or JSON, always with a UTC time in
 * milliseconds and a level. Text from outside is cleaned here. Thread-safe; only src/ logs.
 */
#ifndef CAS_BACKUP_LOG_H
#define CAS_BACKUP_LOG_H

#include "base/cleanup.h"

#include <cas-backup/host.h>

#include <stdbool.h>

/*
 * One field of a line, for machines: "node", "source", "reason", "seconds". Text lines begin with
 * the node ("node 'b': text") and leave the other fields out: the sentence says what people need.
 */
struct log_field {
    const char *name, *value; /* a NULL value leaves the field out */
};

/* The fields of a log line, a NULL-terminated compound literal: LOG_FIELDS({"node", name}). */
#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {NULL, NULL}})

/*
 * Sets what is written from now on. Called once, before threads start. Where standard error is the
 * journal's stream (JOURNAL_STREAM, systemd.exec(5)), each line of text begins with its priority,
 * "<4>" (sd-daemon(3)), which the journal takes off.
 */
void log_init(enum casb_level lowest, bool json);

/*
 * From here on no line is waited for: a thread writes them. Where nobody reads standard error, what
 * goes beyond 256 KiB is lost, and a line says later how many were.
 */
void log_start(void);

/*
 * Waits until every line is written, as long as somebody reads: for one second, or ten where it is
 * read slowly.
 */
void log_flush(void);

/* The same, and ends the thread of log_start(), unless it is held up. To be called at the end. */
void log_stop(void);

/*
 * Shows a text in the last line of the terminal that standard error is, below the log; "" takes it
 * away. It must fit into the line.
 */
void log_show(const char *text);

/* Would a line of this level be written? */
bool log_enabled(enum casb_level level);

/* Writes one line; `fields` may be NULL. */
void log_line(enum casb_level level, const struct log_field *fields, const char *format, ...)
    _printf_(3, 4);

#define log_debug(...) log_line(CASB_DEBUG, NULL, __VA_ARGS__)
#define log_info(...)  log_line(CASB_INFO, NULL, __VA_ARGS__)
#define log_warn(...)  log_line(CASB_WARN, NULL, __VA_ARGS__)
#define log_error(...) log_line(CASB_ERROR, NULL, __VA_ARGS__)

/*
 * casb_host.log for every plugin: goes to log_line() with the fields node, source and plugin, whose
 * name is in host->arg.
 */
void log_from_plugin(const struct casb_host *host, enum casb_level level, const char *node,
                     const char *text);

#endif
