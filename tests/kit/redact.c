/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/redact.h"

#include "base/jsonx.h"
#include "base/tls.h"

#include <err.h>
#include <string.h>

#define PATH_BYTES  4096
#define TEXT_BYTES  (4 * 1024 * 1024)
#define KEY_END     "PRIVATE KEY-----"
#define RUN         40 /* longer than what all keys of one kind have in common, as certificates do */
#define TOKEN_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

static void must(bool good)
{
    if (!good)
        errx(3, "out of memory");
}

void redact_init(struct redact *redact, const struct buf *secrets)
{
    *redact = (struct redact){secrets, json_object()};
    must(redact->seen);
}

void redact_done(struct redact *redact)
{
    json_decref(redact->seen);
    *redact = (struct redact){0};
}

/* A word that stands for the secret, the same one each time. */
static json_t *placeholder(struct redact *redact, const json_t *secret)
{
    _cleanup_(tls_secret_freep) char *text = NULL;
    const json_t *known;
    json_t *word;

    must(jsonx_dump(secret, &text, NULL) == 0);
    known = json_object_get(redact->seen, text);
    if (known)
        return json_incref((json_t *)(uintptr_t)known);
    word = json_sprintf(REDACT_PLACEHOLDER "%zu)", json_object_size(redact->seen) + 1);
    must(word && json_object_set(redact->seen, text, word) == 0);
    return word;
}

static bool is_called_secret(const char *name)
{
    static const char *const words[] = {"token",  "secret",  "passw",      "passphrase",
                                        "seed",   "private", "credential", "authorization",
                                        "cookie", "api-key", "apikey",     "api_key"};

    for (size_t i = 0; name && i < ELEMENTS(words); i++) {
        if (strcasestr(name, words[i]))
            return true;
    }
    /* a public key, and what is only the hash of one, are none */
    return name && strcasestr(name, "key") && !strcasestr(name, "public") &&
           !strcasestr(name, "hash");
}

/* Three parts of at least eight such characters each, as a JSON Web Token has them. */
static bool is_token(const char *text)
{
    for (int part = 0; part < 3; part++) {
        size_t len = strspn(text, TOKEN_CHARS);

        if (len < 8 || text[len] != (part < 2 ? '.' : 0))
            return false;
        text += len + (part < 2);
    }
    return true;
}

/* Where a block "-----BEGIN ... PRIVATE KEY-----" begins, and how long it is; NULL: there is none.
 */
static const char *private_block(const char *text, size_t *ret_len)
{
    const char *begin = text;

    while ((begin = strstr(begin, "-----BEGIN "))) {
        const char *label = strstr(begin + 11, "-----");
        const char *end = strstr(begin, "-----END ");

        if (label && label + 5 - strlen(KEY_END) >= begin &&
            memcmp(label + 5 - strlen(KEY_END), KEY_END, strlen(KEY_END)) == 0) {
            end = end ? strstr(end + 9, "-----") : NULL;
            *ret_len = end ? (size_t)(end + 5 - begin) : strlen(begin);
            return begin;
        }
        begin += 11;
    }
    return NULL;
}

/* The text with a placeholder for each private key in it; NULL: there is none. */
static json_t *without_private_blocks(struct redact *redact, const char *text)
{
    _cleanup_(buf_free_secret) struct buf out = BUF_INIT(TEXT_BYTES);
    const char *block;
    json_t *result;
    size_t len;

    if (!private_block(text, &len))
        return NULL;
    while ((block = private_block(text, &len))) {
        json_auto_t *secret = json_stringn(block, len);
        json_auto_t *word = placeholder(redact, secret);

        must(buf_append(&out, text, (size_t)(block - text)) == 0 &&
             buf_puts(&out, json_string_value(word)) == 0);
        text = block + len;
    }
    must(buf_puts(&out, text) == 0);
    result = json_string(buf_text(&out));
    must(result);
    return result;
}

/* Is a long run of the text part of a secret, or all of a shorter secret? */
static bool holds_secret(const struct buf *secrets, const char *text, size_t len)
{
    for (size_t i = 0; secrets->len > 0 && i + RUN <= len; i++) {
        if (memmem(secrets->data, secrets->len, text + i, RUN))
            return true;
    }
    for (size_t i = 0, n; i < secrets->len; i += n + 1) {
        n = strlen(secrets->data + i);
        if (n > 0 && n < RUN && memmem(text, len, secrets->data + i, n))
            return true;
    }
    return false;
}

static json_t *redact_string(struct redact *redact, const char *name, const json_t *value)
{
    const char *text = json_string_value(value);
    json_t *result;

    if (is_called_secret(name) || is_token(text))
        return placeholder(redact, value);
    result = without_private_blocks(redact, text);
    if (result)
        return result;
    if (holds_secret(redact->secrets, text, json_string_length(value)))
        return placeholder(redact, value);
    return json_incref((json_t *)(uintptr_t)value);
}

static json_t *redact_object(struct redact *redact, const json_t *object)
{
    json_t *result = json_object(), *each;
    const char *key;

    must(result);
    json_object_foreach ((json_t *)(uintptr_t)object, key, each)
        must(json_object_set_new(result, key, redact_value(redact, key, each)) == 0);
    return result;
}

static json_t *redact_array(struct redact *redact, const char *name, const json_t *array)
{
    json_t *result = json_array();
    const json_t *each;
    size_t i;

    must(result);
    json_array_foreach (array, i, each)
        must(json_array_append_new(result, redact_value(redact, name, each)) == 0);
    return result;
}

/* A list of numbers that is called a secret is one as a whole. */
static bool is_list_of_numbers(const json_t *value)
{
    return json_is_array(value) && json_is_number(json_array_get(value, 0));
}

json_t *redact_value(struct redact *redact, const char *name, const json_t *value)
{
    if (json_is_object(value))
        return redact_object(redact, value);
    if (is_list_of_numbers(value) && is_called_secret(name))
        return placeholder(redact, value);
    if (json_is_array(value))
        return redact_array(redact, name, value);
    if (json_is_string(value))
        return redact_string(redact, name, value);
    if (json_is_number(value) && is_called_secret(name))
        return placeholder(redact, value);
    return json_incref((json_t *)(uintptr_t)value);
}

/* One parameter NAME=VALUE of a query. */
static void redact_parameter(struct redact *redact, const char *text, size_t len, struct buf *out)
{
    const char *equals = memchr(text, '=', len);
    size_t name_len = equals ? (size_t)(equals - text) : len;
    _cleanup_(freep) char *name = strndup(text, name_len);
    json_auto_t *value = NULL;
    json_auto_t *clean = NULL;

    must(name);
    if (!equals) {
        must(buf_append(out, text, len) == 0);
        return;
    }
    value = json_stringn(equals + 1, len - name_len - 1);
    /* what is no UTF-8 is nothing that one could show */
    clean = value ? redact_value(redact, name, value) : json_string("?");
    must(clean && buf_printf(out, "%s=%s", name, json_string_value(clean)) == 0);
}

char *redact_path(struct redact *redact, const char *path)
{
    _cleanup_(buf_free_secret) struct buf out = BUF_INIT(2 * PATH_BYTES);
    size_t len = strcspn(path, "?");
    char *text;

    must(buf_append(&out, path, len) == 0);
    for (path += len; *path; path += len) {
        must(buf_append(&out, path, 1) == 0);
        path++;
        len = strcspn(path, "&");
        redact_parameter(redact, path, len, &out);
    }
    text = buf_take(&out);
    must(text);
    return text;
}

bool redact_is_placeholder(const json_t *value)
{
    return json_is_string(value) && strstr(json_string_value(value), REDACT_PLACEHOLDER);
}
