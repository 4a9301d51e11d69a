/* SPDX-License-Identifier: Apache-2.0 */
#include "common/cas/secrets.h"

#include "base/jsonx.h"
#include "base/text.h"
#include "base/tls.h"

#include <cas-backup/error.h>

#include <string.h>

#define SHORTEST 16 /* a text that is shorter protects nothing */
#define RUN      12 /* so many bytes in a row are no coincidence */

static bool is_called_secret(const char *name)
{
    static const char *const words[] = {"key", "seed", "secret", "passw", "passphrase", "token"};

    for (size_t i = 0; i < ELEMENTS(words); i++) {
        if (strcasestr(name, words[i]))
            return true;
    }
    return false;
}

/* Two texts never make one run: the byte between them is in no text. */
static int add(struct buf *out, const char *text, size_t len)
{
    int r = len < SHORTEST ? 0 : buf_append(out, text, len);

    return r == 0 ? buf_append(out, "\0", 1) : r;
}

/* As a program prints a list that JSON writes as "[1,2]". */
static int add_spaced(struct buf *out, const char *list)
{
    _cleanup_(buf_free_secret) struct buf spaced = BUF_INIT(out->limit);
    int r = 0;

    for (const char *c = list; *c && r == 0; c++)
        r = *c == ',' ? buf_puts(&spaced, ", ") : buf_append(&spaced, c, 1);
    return r == 0 ? add(out, buf_text(&spaced), spaced.len) : r;
}

static int add_written(struct buf *out, const json_t *value)
{
    _cleanup_(tls_secret_freep) char *text = NULL;
    int r = jsonx_dump(value, &text, NULL);

    if (r == 0)
        r = add(out, text, strlen(text));
    return r == 0 && json_is_array(value) ? add_spaced(out, text) : r;
}

/* A text as it is, and as JSON writes it. */
static int add_text(struct buf *out, const char *text, size_t len)
{
    json_auto_t *value = json_stringn_nocheck(text, len);
    int r = value ? add(out, text, len) : CASB_ENOMEM;

    return r == 0 ? add_written(out, value) : r;
}

/* Of a PEM text the content of its private keys: the rest of it is public. */
static int add_pem(struct buf *out, const char *text)
{
    static const char end[] = "-----END ", mark[] = "PRIVATE KEY-----";
    int r = 0;

    while (r == 0 && (text = strstr(text, mark))) {
        const char *stop = strstr(text += strlen(mark), end);

        /* the line that ends a key has the mark, too */
        if (!stop)
            return add_text(out, text, strlen(text));
        r = add_text(out, text, (size_t)(stop - text));
        text = stop + strlen(end) + strcspn(stop + strlen(end), "\n");
    }
    return r;
}

static int add_string(struct buf *out, const json_t *value)
{
    const char *text = json_string_value(value);

    return strstr(text, "-----BEGIN ") ? add_pem(out, text)
                                       : add_text(out, text, json_string_length(value));
}

static int add_all(struct buf *out, const json_t *value);

static int add_members(struct buf *out, const json_t *object)
{
    const char *key;
    json_t *each;
    int r = 0;

    json_object_foreach ((json_t *)(uintptr_t)object, key, each) {
        r = add_all(out, each);
        if (r < 0)
            return r;
    }
    return 0;
}

static int add_elements(struct buf *out, const json_t *array)
{
    const json_t *each;
    size_t i;
    int r = 0;

    json_array_foreach (array, i, each) {
        r = add_all(out, each);
        if (r < 0)
            return r;
    }
    return add_written(out, array);
}

static int add_all(struct buf *out, const json_t *value)
{
    if (json_is_object(value))
        return add_members(out, value);
    if (json_is_array(value))
        return add_elements(out, value);
    return json_is_string(value) ? add_string(out, value) : 0;
}

static int add_called(struct buf *out, const json_t *object)
{
    const char *key;
    json_t *each;
    int r = 0;

    json_object_foreach ((json_t *)(uintptr_t)object, key, each) {
        if (is_called_secret(key))
            r = add_all(out, each);
        else if (json_is_object(each))
            r = add_called(out, each);
        if (r < 0)
            return r;
    }
    return 0;
}

int secrets_collect(const json_t *config, struct buf *out)
{
    const char *key;
    json_t *each;
    int r = 0;

    json_object_foreach ((json_t *)(uintptr_t)config, key, each) {
        if (text_equal(key, "cas_db"))
            r = add_called(out, each);
        else if (!text_equal(key, "default_cas"))
            r = add_all(out, each);
        if (r < 0)
            return r;
    }
    return 0;
}

void secrets_mask(const struct buf *secrets, struct buf *text)
{
    size_t end = 0;

    /* What is looked at next is still as it was: only what lies behind is overwritten. */
    for (size_t i = 0; secrets->len > 0 && i < text->len; i++) {
        if (i + RUN <= text->len && memmem(secrets->data, secrets->len, text->data + i, RUN))
            end = i + RUN;
        if (i < end)
            text->data[i] = '*';
    }
}
