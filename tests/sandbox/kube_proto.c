/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/kube_proto.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/text.h"
#include "common/kube/kinds.h"

#include <err.h>
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#define PROTO_BUF BUF_INIT(SIZE_MAX / 2)

static void put(struct buf *out, const void *data, size_t len)
{
    if (buf_append(out, data, len))
        errx(3, "sandbox: out of memory");
}

static void put_varint(struct buf *out, uint64_t value)
{
    unsigned char byte;

    for (; value > 0x7f; value >>= 7) {
        byte = (unsigned char)(value | 0x80);
        put(out, &byte, 1);
    }
    byte = (unsigned char)value;
    put(out, &byte, 1);
}

static void put_number(struct buf *out, uint32_t number, uint64_t value)
{
    put_varint(out, (uint64_t)number << 3 | WIRE_VARINT);
    put_varint(out, value);
}

static void put_bytes(struct buf *out, uint32_t number, const void *data, size_t len)
{
    put_varint(out, (uint64_t)number << 3 | WIRE_BYTES);
    put_varint(out, len);
    put(out, data, len);
}

static void put_message(struct buf *out, uint32_t number, const struct buf *message)
{
    put_bytes(out, number, buf_text(message), message->len);
}

static bool put_text(struct buf *out, uint32_t number, const json_t *value)
{
    if (json_is_string(value))
        put_bytes(out, number, json_string_value(value), json_string_length(value));
    return json_is_string(value);
}

static bool put_base64(struct buf *out, uint32_t number, const json_t *value)
{
    size_t len = json_string_length(value);
    _cleanup_(freep) unsigned char *bytes = NULL;
    const char *text = json_string_value(value);
    int n;

    if (!text || len > INT_MAX)
        return false;
    bytes = malloc(len + 1);
    n = bytes ? EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len) : -1;
    while (n > 0 && len > 0 && text[--len] == '=')
        n--;
    if (n >= 0)
        put_bytes(out, number, bytes, (size_t)n);
    return n >= 0;
}

static bool put_time(struct buf *out, uint32_t number, const json_t *value)
{
    _cleanup_(buf_free) struct buf message = PROTO_BUF;
    const char *text = json_string_value(value);
    int64_t ms;

    if (!text || clock_parse(text, &ms))
        return false;
    put_number(&message, 1, (uint64_t)(ms / 1000));
    put_message(out, number, &message);
    return true;
}

static bool put_fields(struct buf *out, const struct proto_field *fields, const json_t *object);

static bool put_value(struct buf *out, uint32_t number, const struct proto_field *is,
                      const json_t *value)
{
    _cleanup_(buf_free) struct buf message = PROTO_BUF;
    bool fits = false;

    switch (is->type) {
    case PROTO_STRING:
        return put_text(out, number, value);
    case PROTO_BYTES:
        return put_base64(out, number, value);
    case PROTO_TIME:
        return put_time(out, number, value);
    case PROTO_BOOL:
        put_number(out, number, json_is_true(value));
        return json_is_boolean(value);
    case PROTO_INT:
        put_number(out, number, (uint64_t)json_integer_value(value));
        return json_is_integer(value);
    case PROTO_QUANTITY:
        fits = put_text(&message, 1, value);
        break;
    case PROTO_MESSAGE:
        fits = put_fields(&message, is->inner, value);
        break;
    }
    put_message(out, number, &message);
    return fits;
}

static bool put_list(struct buf *out, const struct proto_field *is, const json_t *array)
{
    bool fits = json_is_array(array);
    const json_t *value;
    size_t i;

    json_array_foreach (array, i, value)
        fits = fits && put_value(out, is->number, is, value);
    return fits;
}

static bool put_map(struct buf *out, const struct proto_field *is, const json_t *map)
{
    bool fits = json_is_object(map);
    const char *key;
    json_t *value;

    json_object_foreach ((json_t *)map, key, value) {
        _cleanup_(buf_free) struct buf entry = PROTO_BUF;

        put_bytes(&entry, 1, key, strlen(key));
        fits = fits && put_value(&entry, 2, is, value);
        put_message(out, is->number, &entry);
    }
    return fits;
}

static bool put_fields(struct buf *out, const struct proto_field *fields, const json_t *object)
{
    bool fits = json_is_object(object);

    for (; fits && fields->number; fields++) {
        const json_t *value = json_object_get(object, fields->name);

        if (!value || json_is_null(value))
            continue;
        if (fields->count == PROTO_LIST)
            fits = put_list(out, fields, value);
        else if (fields->count == PROTO_MAP)
            fits = put_map(out, fields, value);
        else
            fits = put_value(out, fields->number, fields, value);
    }
    return fits;
}

/* Of a list ("NodeList") the items are what its name says. */
static bool put_content(struct buf *out, const char *kind, const json_t *object)
{
    struct proto_field list[] = {
        {1, "metadata", PROTO_MESSAGE, PROTO_ONE, kinds_list_meta},
        {2, "items", PROTO_MESSAGE, PROTO_LIST, NULL},
        {.number = 0},
    };
    const char *suffix = strstr(kind, "List");
    char item[KINDS_NAME_BYTES];

    if (!suffix)
        return kinds_find(kind) && put_fields(out, kinds_find(kind), object);
    snprintf(item, sizeof item, "%.*s", (int)(suffix - kind), kind);
    list[1].inner = kinds_find(item);
    return list[1].inner && put_fields(out, list, object);
}

bool proto_put_object(struct buf *out, const json_t *object)
{
    _cleanup_(buf_free) struct buf type = PROTO_BUF, content = PROTO_BUF;
    const char *kind = jsonx_string(object, "kind");

    if (!kind || !put_content(&content, kind, object))
        return false;
    (void)!put_text(&type, 1, json_object_get(object, "apiVersion"));
    put_bytes(&type, 2, kind, strlen(kind));
    put(out, "k8s\0", KINDS_MAGIC_LEN);
    put_message(out, KINDS_TYPE, &type);
    put_message(out, KINDS_RAW, &content);
    return true;
}

bool proto_put_event(struct buf *out, const char *type, const json_t *object)
{
    _cleanup_(buf_free) struct buf whole = PROTO_BUF, extension = PROTO_BUF, event = PROTO_BUF;
    unsigned char head[4];

    if (!proto_put_object(&whole, object))
        return false;
    put_message(&extension, 1, &whole);
    put_bytes(&event, 1, type, strlen(type));
    put_message(&event, 2, &extension);
    for (size_t i = 0; i < sizeof head; i++)
        head[i] = (unsigned char)(event.len >> 8 * (sizeof head - 1 - i));
    put(out, head, sizeof head);
    put(out, buf_text(&event), event.len);
    return true;
}
