/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/tape.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/jsonx.h"
#include "kit/imply.h"
#include "kit/redact.h"

#include <err.h>
#include <pthread.h>
#include <string.h>

struct tape {
    pthread_mutex_t lock; /* guards all below */
    char *path, *version;
    json_t *exchanges; /* as they were: secret */
    struct redact redact;
};

static void must(bool good)
{
    if (!good)
        errx(3, "out of memory");
}

struct tape *tape_new(const char *path, const struct buf *secrets)
{
    struct tape *tape = calloc(1, sizeof *tape);

    must(tape);
    pthread_mutex_init(&tape->lock, NULL);
    tape->path = strdup(path);
    tape->exchanges = json_array();
    must(tape->path && tape->exchanges);
    redact_init(&tape->redact, secrets);
    return tape;
}

void tape_free(struct tape *tape)
{
    redact_done(&tape->redact);
    json_decref(tape->exchanges);
    pthread_mutex_destroy(&tape->lock);
    free(tape->path);
    free(tape->version);
    free(tape);
}

/* One exchange without secrets; a path has names of its own. */
static json_t *clean_exchange(struct redact *redact, const json_t *exchange)
{
    json_t *clean = redact_value(redact, NULL, exchange);
    _cleanup_(freep) char *path = redact_path(redact, jsonx_string(exchange, "path"));

    must(json_object_set_new(clean, "path", json_string(path)) == 0);
    return clean;
}

static void write_file(struct tape *tape, const json_t *recording)
{
    _cleanup_(freep) char *text = json_dumps(recording, JSON_INDENT(2));
    struct casb_error error = {0};

    must(text);
    if (file_write(tape->path, text, strlen(text), 0644, &error) < 0)
        errx(3, "%s", error.text);
}

static void replace(json_t *object, const char *name, json_t *value)
{
    must(value && json_object_set_new(object, name, value) == 0);
}

/* The settings have names of their own; what came from a CAS is in paths and body. */
static void clean_settings(struct redact *redact, json_t *settings)
{
    static const char *const paths[] = {"certificate_path", "register_path"};
    const json_t *body = json_object_get(settings, "register_body");

    for (size_t i = 0; i < ELEMENTS(paths); i++) {
        const char *given = jsonx_string(settings, paths[i]);
        _cleanup_(freep) char *path = given ? redact_path(redact, given) : NULL;

        if (path)
            replace(settings, paths[i], json_string(path));
    }
    if (body)
        replace(settings, "register_body", redact_value(redact, NULL, body));
}

static json_t *clean_implied(struct tape *tape)
{
    static const char *const lists[] = {"cannot", "check"};
    json_t *implied = imply(tape->exchanges, tape->version);

    clean_settings(&tape->redact, json_object_get(implied, "settings"));
    for (size_t i = 0; i < ELEMENTS(lists); i++)
        replace(implied, lists[i],
                redact_value(&tape->redact, NULL, json_object_get(implied, lists[i])));
    return implied;
}

/* What is written, lock held. */
static json_t *make_recording(struct tape *tape)
{
    char now[CLOCK_RFC3339_BYTES];
    json_t *clean = json_array(), *recording;
    const json_t *each;
    size_t i;

    must(clean);
    json_array_foreach (tape->exchanges, i, each)
        must(json_array_append_new(clean, clean_exchange(&tape->redact, each)) == 0);
    recording = json_pack("{s:i, s:s, s:s?, s:o, s:o}", "recording", 1, "made",
                          clock_format(now, clock_wall_ms(), false), "cas", tape->version,
                          "implies", clean_implied(tape), "exchanges", clean);
    must(recording);
    return recording;
}

void tape_add(struct tape *tape, json_t *exchange)
{
    json_t *recording;

    pthread_mutex_lock(&tape->lock);
    must(json_array_append_new(tape->exchanges, exchange) == 0);
    recording = make_recording(tape);
    write_file(tape, recording);
    json_decref(recording);
    pthread_mutex_unlock(&tape->lock);
}

void tape_set_version(struct tape *tape, const char *version)
{
    pthread_mutex_lock(&tape->lock);
    free(tape->version);
    tape->version = version ? strdup(version) : NULL;
    pthread_mutex_unlock(&tape->lock);
}

json_t *tape_implies(struct tape *tape)
{
    json_t *clean;

    pthread_mutex_lock(&tape->lock);
    clean = clean_implied(tape);
    pthread_mutex_unlock(&tape->lock);
    return clean;
}

void tape_put_body(json_t *exchange, const char *name, const char *body, size_t len)
{
    json_t *value = NULL;
    char text_name[32];

    if (len == 0)
        return;
    if (jsonx_parse(body, len, name, &value, NULL) == 0) {
        must(json_object_set_new(exchange, name, value) == 0);
        return;
    }
    snprintf(text_name, sizeof text_name, "%s_text", name);
    value = json_stringn(body, len);
    if (!value)
        value = json_sprintf("(%zu bytes that are no text)", len);
    must(value && json_object_set_new(exchange, text_name, value) == 0);
}
