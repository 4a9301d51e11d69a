/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>

#define TEXT_BYTES 1024
#define LINE_BYTES (TEXT_BYTES + 512)

/* Guards `around` and keeps lines whole. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void (*around)(bool before, void *arg);
static void *around_arg;

/* Set by log_init() before threads start. */
static enum casb_level lowest = CASB_INFO;
static bool as_json;

static const char *level_name(enum casb_level level)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};

    return (size_t)level < ELEMENTS(names) ? names[level] : "error";
}

void log_init(enum casb_level lowest_level, bool json)
{
    lowest = lowest_level;
    as_json = json;
}

void log_set_screen(void (*screen)(bool before, void *arg), void *arg)
{
    pthread_mutex_lock(&lock);
    around = screen;
    around_arg = arg;
    pthread_mutex_unlock(&lock);
}

bool log_enabled(enum casb_level level)
{
    return level >= lowest;
}

static void write_all(const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, data, len);

        if (n < 0 && errno != EINTR)
            return;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
}

static void put_line(const char *line)
{
    pthread_mutex_lock(&lock);
    if (around)
        around(true, around_arg);
    write_all(line, strlen(line));
    if (around)
        around(false, around_arg);
    pthread_mutex_unlock(&lock);
}

/* NULL where out of memory. The caller frees it. */
static char *json_line(const char *time, enum casb_level level, const struct log_field *fields,
                       const char *text)
{
    json_auto_t *line =
        json_pack("{ss, ss, ss}", "time", time, "level", level_name(level), "message", text);
    _cleanup_(freep) char *dump = NULL;
    char clean[TEXT_BYTES];
    char *ret;

    for (; line && fields && fields->name; fields++)
        if (fields->value)
            json_object_set_new(line, fields->name,
                                json_string(text_clean(clean, sizeof clean, fields->value)));
    dump = line ? json_dumps(line, JSON_COMPACT) : NULL;
    return dump && asprintf(&ret, "%s\n", dump) >= 0 ? ret : NULL;
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
    char clean[256], about[300] = "";

    if (node)
        snprintf(about, sizeof about, "node '%s': ", text_clean(clean, sizeof clean, node));
    else if (plugin)
        snprintf(about, sizeof about, "%s: ", text_clean(clean, sizeof clean, plugin));
    snprintf(line, LINE_BYTES, "%s %-5s %s%s\n", time, level_name(level), about, text);
}

void log_line(enum casb_level level, const struct log_field *fields, const char *format, ...)
{
    char time[CLOCK_RFC3339_BYTES], raw[TEXT_BYTES], text[TEXT_BYTES], line[LINE_BYTES];
    _cleanup_(freep) char *json = NULL;
    va_list ap;

    if (!log_enabled(level))
        return;
    va_start(ap, format);
    vsnprintf(raw, sizeof raw, format, ap);
    va_end(ap);
    text_clean(text, sizeof text, raw);
    clock_format(time, clock_wall_ms(), true);
    json = as_json ? json_line(time, level, fields, text) : NULL;
    if (!json)
        text_line(line, time, level, fields, text);
    put_line(json ? json : line);
}

void log_from_plugin(const struct casb_host *host, enum casb_level level, const char *node,
                     const char *text)
{
    const char *source = text_empty(host->source) ? NULL : host->source;

    log_line(level, LOG_FIELDS({"node", node}, {"source", source}, {"plugin", host->arg}), "%s",
             text);
}
