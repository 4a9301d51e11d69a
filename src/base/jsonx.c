/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jsonx.h"

#include "base/jsonread.h"
#include "base/jsontext.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const json_t *jsonx_get(const json_t *root, const char *path)
{
    while (*path) {
        size_t len = strcspn(path, ".");

        root = json_object_getn(root, path, len);
        path += len + (path[len] == '.');
    }
    return root;
}

const char *jsonx_string(const json_t *root, const char *path)
{
    return json_string_value(jsonx_get(root, path));
}

const json_t *jsonx_object(const json_t *root, const char *path)
{
    const json_t *value = jsonx_get(root, path);

    return json_is_object(value) ? value : NULL;
}

const json_t *jsonx_array(const json_t *root, const char *path)
{
    const json_t *value = jsonx_get(root, path);

    return json_is_array(value) ? value : NULL;
}

int64_t jsonx_int(const json_t *root, const char *path, int64_t fallback)
{
    const json_t *value = jsonx_get(root, path);

    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool jsonx_bool(const json_t *root, const char *path, bool fallback)
{
    const json_t *value = jsonx_get(root, path);

    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

/* Where an offset is, in lines and characters; both count from 1. */
static void place_of(const char *text, size_t at, size_t *ret_line, size_t *ret_column)
{
    size_t line = 1, column = 1;

    for (size_t i = 0; i < at; i++) {
        bool newline = text[i] == '\n';

        line += newline;
        column = newline ? 1 : column + (((unsigned char)text[i] & 0xC0) != 0x80);
    }
    *ret_line = line;
    *ret_column = column;
}

/* The value of the whole text, which must be an object or an array. */
static int parse_whole(const char *text, size_t len, json_t **ret, struct jsonread_fault *fault)
{
    json_auto_t *value = NULL;
    size_t end;
    int r = jsonread_value(text, len, &value, &end, fault);

    if (r)
        return r;
    *fault = (struct jsonread_fault){0, "'[' or '{' expected"};
    if (!json_is_object(value) && !json_is_array(value))
        return CASB_EINVALID;
    while (end < len && text[end] && strchr(" \t\r\n", text[end]))
        end++;
    if (end < len) {
        *fault = (struct jsonread_fault){end, "end of file expected"};
        return CASB_EINVALID;
    }
    *ret = TAKE_PTR(value);
    return 0;
}

int jsonx_parse(const char *data, size_t len, const char *what, json_t **ret,
                struct casb_error *err)
{
    size_t bom = text_bom(data, len), line, column;
    const char *text = data ? data + bom : "";
    struct jsonread_fault fault;
    int r = parse_whole(text, len - bom, ret, &fault);

    if (r == 0)
        return 0;
    if (r == CASB_ENOMEM)
        return err_nomem(err);
    place_of(text, fault.at, &line, &column);
    return err_set(err, r, "%s%sline %zu, column %zu: %s", what ? what : "", what ? ": " : "", line,
                   column, fault.problem);
}

/* What `patch` makes of `target`, which may be NULL: new where it differs. NULL: no memory. */
static json_t *merge(const json_t *target, const json_t *patch)
{
    json_auto_t *merged = NULL;
    const char *key;
    json_t *change;

    if (!json_is_object(patch))
        return json_deep_copy(patch);
    merged = json_is_object(target) ? json_copy((json_t *)target) : json_object();
    json_object_foreach ((json_t *)patch, key, change) {
        if (json_is_null(change))
            json_object_del(merged, key);
        else if (json_object_set_new(merged, key, merge(json_object_get(target, key), change)))
            return NULL;
    }
    return TAKE_PTR(merged);
}

/* A member that json_copy() has no memory for is left out, and it says nothing. */
int jsonx_merge_patch(json_t **target, const json_t *patch)
{
    json_t *merged;

    errno = 0;
    merged = merge(*target, patch);
    if (!merged || errno == ENOMEM) {
        json_decref(merged);
        return CASB_ENOMEM;
    }
    json_decref(*target);
    *target = merged;
    return 0;
}

/*
 * A member that may be absent is left out where there is no memory for it, and jansson says
 * nothing. What malloc() leaves in errno does.
 */
static json_t *pack(json_error_t *error, const char *format, va_list ap)
{
    json_t *value;

    errno = 0;
    value = json_vpack_ex(error, 0, format, ap);
    if (errno != ENOMEM)
        return value;
    json_decref(value);
    errno = ENOMEM;
    return NULL;
}

json_t *jsonx_new(const char *format, ...)
{
    json_error_t error;
    json_t *value;
    va_list ap;

    va_start(ap, format);
    value = pack(&error, format, ap);
    va_end(ap);
    return value;
}

int jsonx_pack(json_t **ret, struct casb_error *err, const char *format, ...)
{
    json_error_t error = {0};
    json_t *value;
    va_list ap;

    va_start(ap, format);
    value = pack(&error, format, ap);
    va_end(ap);
    if (value) {
        *ret = value;
        return 0;
    }
    if (errno == ENOMEM)
        return err_nomem(err);
    return err_set(err, CASB_EINVALID, "cannot build JSON: %s", error.text);
}

int jsonx_dump(const json_t *value, char **ret, struct casb_error *err)
{
    _cleanup_(buf_free) struct buf out = BUF_INIT(SIZE_MAX / 2);
    char *text = value && jsontext_write(&out, value, 0) == 0 ? buf_take(&out) : NULL;

    if (!text)
        return err_nomem(err);
    *ret = text;
    return 0;
}

int jsonx_print(const json_t *value, FILE *out)
{
    _cleanup_(buf_free) struct buf text = BUF_INIT(SIZE_MAX / 2);

    if (!value || jsontext_write(&text, value, 2) || buf_puts(&text, "\n"))
        return CASB_ENOMEM;
    return fwrite(text.data, text.len, 1, out) == 1 ? 0 : CASB_EFAILED;
}
