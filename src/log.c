/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/jsontext.h"
#include "base/jsonx.h"
#include "base/text.h"
#include "logsink.h"
#include "terminal.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_BYTES 1024
#define LINE_BYTES (TEXT_BYTES + 512)

/* Set by log_init() before threads start. */
static enum casb_level lowest = CASB_INFO;
static bool as_json, for_journal;

static const char *level_name(enum casb_level level)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};

    return (size_t)level < ELEMENTS(names) ? names[level] : "error";
}

/* "<N>" of sd-daemon(3), by syslog(3)'s priorities. */
static const char *level_priority(enum casb_level level)
{
    static const char *const priorities[] = {"<7>", "<6>", "<4>", "<3>"};

    return (size_t)level < ELEMENTS(priorities) ? priorities[level] : "<3>";
}

/* The stream is named DEVICE:INODE: a variable that was handed on may mean somebody else's. */
static bool is_journal(const char *stream)
{
    char own[64];
    struct stat st;

    if (!stream || fstat(STDERR_FILENO, &st))
        return false;
    snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(own, stream) == 0;
}

void log_init(enum casb_level lowest_level, bool json)
{
    lowest = lowest_level;
    as_json = json;
    for_journal = !json && is_journal(getenv("JOURNAL_STREAM"));
}

void log_start(void)
{
    logsink_start();
}

void log_show(const char *text)
{
    logsink_show(text);
}

bool log_enabled(enum casb_level level)
{
    return level >= lowest;
}

/* NULL where out of memory. The caller frees it. */
static char *json_line(const char *time, enum casb_level level, const struct log_field *fields,
                       const char *text)
{
    json_auto_t *line =
        jsonx_new("{ss, ss, ss}", "time", time, "level", level_name(level), "message", text);
    struct buf out = BUF_INIT(SIZE_MAX / 2);
    char clean[TEXT_BYTES];

    for (; line && fields && fields->name; fields++)
        if (fields->value)
            json_object_set_new(line, fields->name,
                                json_string(text_clean(clean, sizeof clean, fields->value)));
    if (line && jsontext_write(&out, line, 0) == 0 && buf_puts(&out, "\n") == 0)
        return buf_take(&out);
    buf_free(&out);
    return NULL;
}

static const char *field_value(const struct log_field *fields, const char *name)
{
    for (; fields && fields->name; fields++)
        if (strcmp(fields->name, name) == 0)
            return fields->value;
    return NULL;
}

/* For people: whom it is about goes first, the sentence says the rest. */
static void text_line(char line[static LINE_BYTES], const char *time, enum casb_level level,
                      const struct log_field *fields, const char *text)
{
    const char *node = field_value(fields, "node"), *plugin = field_value(fields, "plugin");
    const enum terminal_tone tone = level == CASB_ERROR  ? TERMINAL_BAD
                                    : level == CASB_WARN ? TERMINAL_DOUBTFUL
                                                         : TERMINAL_PLAIN;
    char clean[256], about[300] = "";

    if (node)
        snprintf(about, sizeof about, "node '%s': ", text_clean(clean, sizeof clean, node));
    else if (plugin)
        snprintf(about, sizeof about, "%s: ", text_clean(clean, sizeof clean, plugin));
    snprintf(line, LINE_BYTES, "%s%s %s%-5s%s %s%s\n", for_journal ? level_priority(level) : "",
             time, terminal_on(STDERR_FILENO, tone), level_name(level),
             terminal_off(STDERR_FILENO, tone), about, text);
}

/* A line that stands for `lines` of them where it is lost. */
static void put(enum casb_level level, const struct log_field *fields, const char *text,
                size_t lines)
{
    char time[CLOCK_RFC3339_BYTES], line[LINE_BYTES];
    _cleanup_(freep) char *json = NULL;

    clock_format(time, clock_wall_ms(), true);
    json = as_json ? json_line(time, level, fields, text) : NULL;
    if (!json)
        text_line(line, time, level, fields, text);
    logsink_put(json ? json : line, lines, level >= CASB_WARN);
}

/* Are there any? */
static bool tell_of_lost(void)
{
    size_t lost = logsink_take_lost();
    char text[TEXT_BYTES];

    if (lost == 0)
        return false;
    snprintf(text, sizeof text, "%zu line%s of the log %s lost: standard error was not read", lost,
             lost == 1 ? "" : "s", lost == 1 ? "was" : "were");
    put(CASB_WARN, NULL, text, lost);
    return true;
}

void log_line(enum casb_level level, const struct log_field *fields, const char *format, ...)
{
    char raw[TEXT_BYTES], text[TEXT_BYTES];
    va_list ap;

    if (!log_enabled(level))
        return;
    va_start(ap, format);
    vsnprintf(raw, sizeof raw, format, ap);
    va_end(ap);
    text_clean(text, sizeof text, raw);
    tell_of_lost();
    put(level, fields, text, 1);
}

void log_flush(void)
{
    if (logsink_flush() && tell_of_lost())
        logsink_flush();
}

void log_stop(void)
{
    log_flush();
    logsink_stop();
}

void log_from_plugin(const struct casb_host *host, enum casb_level level, const char *node,
                     const char *text)
{
    const char *source = text_empty(host->source) ? NULL : host->source;

    log_line(level, LOG_FIELDS({"node", node}, {"source", source}, {"plugin", host->arg}), "%s",
             text);
}
