/* SPDX-License-Identifier: Apache-2.0 */
#include "state-file/document.h"

#include "base/jsonread.h"

#include <ctype.h>
#include <string.h>

#define FORMAT_VERSION 1

/* Where the reading is. */
struct cursor {
    const char *start, *at, *end;
    json_int_t version; /* 0: none so far */
    bool records;       /* began */
    bool others;        /* there are other keys beside */
    bool whole;         /* read to its end */
    bool stopped;       /* by `each` */
    document_record_fn *each;
    void *arg;
    json_t *pass;
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

static int read_value(struct cursor *c, json_t **ret)
{
    struct jsonread_fault fault;
    size_t len;
    int r = jsonread_value(c->at, (size_t)(c->end - c->at), ret, &len, &fault);

    c->at += r ? fault.at : len;
    if (r)
        return fault.problem ? damaged(c, fault.problem) : err_nomem(c->err);
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

    if (r)
        return r;
    r = c->each(uid, value, text, (size_t)(c->at - text), c->arg);
    c->stopped = r != 0;
    return r;
}

/* Records of another version are passed over. */
static int take_top(struct cursor *c, const char *key, const char *text)
{
    json_auto_t *value = NULL;
    bool records = strcmp(key, "records") == 0, version = strcmp(key, "version") == 0;
    int r;

    (void)text;
    c->records |= records;
    c->others |= !records && !version;
    if (records && (c->version == 0 || c->version == FORMAT_VERSION))
        return read_object(c, take_record);
    r = read_value(c, &value);
    if (r == 0 && version)
        c->version = json_integer_value(value);
    if (r == 0 && strcmp(key, "pass") == 0 && !c->pass)
        c->pass = TAKE_PTR(value);
    return r;
}

static int read_all(struct cursor *c)
{
    int r = read_object(c, take_top);

    if (r)
        return r;
    skip_blanks(c);
    c->whole = c->at == c->end;
    return c->whole ? 0 : damaged(c, "something follows the end");
}

/* A file system may leave a file of zeros behind, or none of what was written. */
static bool is_empty(const struct cursor *c)
{
    for (const char *p = c->start; p < c->end; p++)
        if (*p && !isspace((unsigned char)*p))
            return false;
    return true;
}

/* Where the text is damaged, its beginning must tell. */
static bool is_ours(const struct cursor *c)
{
    static const char begin[] = "{\"version\":";
    size_t len = (size_t)(c->end - c->start);

    if (c->whole)
        return c->version != 0 && (c->records || !c->others);
    if (c->version != 0)
        return c->version == FORMAT_VERSION || c->records;
    return is_empty(c) || (len < sizeof begin && memcmp(c->start, begin, len) == 0);
}

int document_read(const char *text, size_t len, document_record_fn *each, void *arg,
                  json_t **ret_pass, struct casb_error *err)
{
    struct casb_error damage = {0};
    struct cursor c = {
        .start = text, .at = text, .end = text + len, .each = each, .arg = arg, .err = &damage};
    int r = read_all(&c);

    if (r == 0 && ret_pass && c.version == FORMAT_VERSION && is_ours(&c))
        *ret_pass = TAKE_PTR(c.pass);
    json_decref(c.pass);
    if (c.stopped)
        return r;
    if (r == CASB_ENOMEM)
        return err_nomem(err);
    if (!is_ours(&c))
        return err_set(err, CASB_EINVALID, "it is no state of ours");
    if (r == 0 && c.version != FORMAT_VERSION)
        return err_set(err, CASB_EFAILED, "its version is not known here");
    return r ? err_pass(err, &damage) : 0;
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

int document_end(struct document *doc, const char *pass)
{
    if (pass)
        return buf_printf(&doc->out, "\n},\"pass\":%s}\n", pass);
    return buf_puts(&doc->out, "\n}}\n");
}
