/* SPDX-License-Identifier: Apache-2.0 */
#include "state-file/document.h"

#include "base/jsonx.h"

#include <ctype.h>
#include <string.h>

#define FORMAT_VERSION 1

/* Where the reading is. */
struct cursor {
    const char *start, *at, *end;
    bool versioned;
    document_record_fn *each;
    void *arg;
    struct casb_error *err;
};

/* Takes the value of the member that begins at `text`; leaves the cursor behind it. */
typedef int member_fn(struct cursor *c, const char *key, const char *text);

static int damaged(const struct cursor *c, const char *what)
{
    size_t line = 1;

    for (const char *p = c->start; p < c->at; p++)
        line += *p == '\n';
    return err_set(c->err, CASB_EFAILED, "line %zu: %s", line, what);
}

static void skip_blanks(struct cursor *c)
{
    while (c->at < c->end && isspace((unsigned char)*c->at))
        c->at++;
}

/* Steps over the next token; false where it is another one. */
static bool skip(struct cursor *c, char token)
{
    skip_blanks(c);
    if (c->at == c->end || *c->at != token)
        return false;
    c->at++;
    return true;
}

/* Any value, by jansson, which says how far it read. */
static int read_value(struct cursor *c, json_t **ret)
{
    const size_t flags = JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES;
    json_error_t error = {0};
    json_t *value;

    skip_blanks(c);
    value = json_loadb(c->at, (size_t)(c->end - c->at), flags, &error);
    if (!value)
        return jsonx_is_nomem(&error) ? err_nomem(c->err) : damaged(c, error.text);
    c->at += error.position;
    *ret = value;
    return 0;
}

static int read_member(struct cursor *c, member_fn *take)
{
    json_auto_t *key = NULL;
    const char *text;
    int r;

    skip_blanks(c);
    text = c->at;
    r = read_value(c, &key);
    if (r)
        return r;
    if (!json_is_string(key) || !skip(c, ':'))
        return damaged(c, "expected a key and a colon");
    return take(c, json_string_value(key), text);
}

static int read_object(struct cursor *c, member_fn *take)
{
    if (!skip(c, '{'))
        return damaged(c, "expected an object");
    if (skip(c, '}'))
        return 0;
    do {
        int r = read_member(c, take);

        if (r)
            return r;
    } while (skip(c, ','));
    return skip(c, '}') ? 0 : damaged(c, "expected a comma or the end of an object");
}

static int take_record(struct cursor *c, const char *uid, const char *text)
{
    json_auto_t *value = NULL;
    int r = read_value(c, &value);

    return r ? r : c->each(uid, value, text, (size_t)(c->at - text), c->arg);
}

static int take_top(struct cursor *c, const char *key, const char *text)
{
    json_auto_t *value = NULL;
    int r;

    (void)text;
    if (strcmp(key, "records") == 0)
        return read_object(c, take_record);
    r = read_value(c, &value);
    if (r || strcmp(key, "version") != 0)
        return r;
    c->versioned = json_integer_value(value) == FORMAT_VERSION;
    return c->versioned ? 0 : damaged(c, "its version is not known here");
}

int document_read(const char *text, size_t len, document_record_fn *each, void *arg,
                  struct casb_error *err)
{
    struct cursor c = {.start = text, .at = text, .each = each, .arg = arg, .err = err};
    int r;

    c.end = text + strnlen(text, len); /* jansson loses count where a NUL follows a number */
    r = read_object(&c, take_top);
    if (r)
        return r;
    skip_blanks(&c);
    if (c.at < text + len)
        return damaged(&c, "something follows the end");
    return c.versioned ? 0 : damaged(&c, "there is no version in it");
}

int document_begin(struct document *doc)
{
    doc->n = 0;
    return buf_printf(&doc->out, "{\"version\":%d,\"records\":{", FORMAT_VERSION);
}

static int next_line(struct document *doc)
{
    return buf_puts(&doc->out, doc->n++ ? ",\n" : "\n");
}

int document_copy(struct document *doc, const char *text, size_t len)
{
    int r = next_line(doc);

    return r ? r : buf_append(&doc->out, text, len);
}

int document_put(struct document *doc, const char *uid, const char *value)
{
    int r = next_line(doc);

    return r ? r : buf_printf(&doc->out, "\"%s\":%s", uid, value);
}

int document_end(struct document *doc)
{
    return buf_puts(&doc->out, "\n}}\n");
}
