/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jsonx.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static void wipe_and_free(void *p)
{
    if (p)
        OPENSSL_cleanse(p, malloc_usable_size(p));
    free(p);
}

void jsonx_wipe_freed(void)
{
    json_set_alloc_funcs(malloc, wipe_and_free);
}

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

/* jansson does not set the code where an allocation fails early. */
bool jsonx_is_nomem(const json_error_t *error)
{
    return json_error_code(error) == json_error_out_of_memory ||
           json_error_code(error) == json_error_unknown;
}

int jsonx_parse(const char *data, size_t len, const char *what, json_t **ret,
                struct casb_error *err)
{
    json_error_t error = {0};
    json_t *value =
        json_loadb(data ? data : "", len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    const char *quote;

    if (value) {
        *ret = value;
        return 0;
    }
    if (jsonx_is_nomem(&error))
        return err_nomem(err);
    quote = strstr(error.text, " near "); /* the data from there on may be a secret */
    return err_set(err, CASB_EINVALID, "%s: line %d, column %d: %.*s", what, error.line,
                   error.column, quote ? (int)(quote - error.text) : JSON_ERROR_TEXT_LENGTH,
                   error.text);
}

static int merge_objects(json_t *target, const json_t *patch)
{
    const char *key;
    json_t *change;

    json_object_foreach ((json_t *)patch, key, change) {
        json_t *member = json_incref(json_object_get(target, key));
        int r;

        if (json_is_null(change)) {
            json_object_del(target, key);
            json_decref(member);
            continue;
        }
        r = jsonx_merge_patch(&member, change);
        if (json_object_set_new(target, key, member) || r)
            return CASB_ENOMEM;
    }
    return 0;
}

int jsonx_merge_patch(json_t **target, const json_t *patch)
{
    json_t *value;

    if (json_is_object(patch) && json_is_object(*target))
        return merge_objects(*target, patch);
    value = json_is_object(patch) ? json_object() : json_deep_copy(patch);
    json_decref(*target);
    *target = value;
    if (!value)
        return CASB_ENOMEM;
    return json_is_object(patch) ? merge_objects(value, patch) : 0;
}

int jsonx_pack(json_t **ret, struct casb_error *err, const char *format, ...)
{
    json_error_t error = {0};
    json_t *value;
    va_list ap;

    va_start(ap, format);
    value = json_vpack_ex(&error, 0, format, ap);
    va_end(ap);
    if (value) {
        *ret = value;
        return 0;
    }
    if (jsonx_is_nomem(&error))
        return err_nomem(err);
    return err_set(err, CASB_EINVALID, "cannot build JSON: %s", error.text);
}

int jsonx_dump(const json_t *value, char **ret, struct casb_error *err)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    if (!text)
        return err_nomem(err);
    *ret = text;
    return 0;
}
