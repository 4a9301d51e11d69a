/* SPDX-License-Identifier: Apache-2.0 */
#include "common/kube/proto.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

#include <cas-backup/error.h>

#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>

/* Of the years 1 to 9999, as RFC 3339 has them. */
#define SECONDS_MIN (-62135596800)
#define SECONDS_MAX 253402300799

/* What an absent string is. */
#define EMPTY                                                                                      \
    {                                                                                              \
        (const unsigned char *)"", 0                                                               \
    }

static bool is_utf8(struct wire_bytes text)
{
    const char *p = (const char *)text.data, *end = p + text.len;
    uint32_t c;
    size_t n;

    while (p < end) {
        n = (unsigned char)*p < 0x80 ? 1 : text_utf8(p, (size_t)(end - p), &c);
        if (n == 0)
            return false;
        p += n;
    }
    return true;
}

/* Makes *text one in `copy` where it is no UTF-8. */
static int repair(struct wire_bytes *text, struct buf *copy)
{
    const char *p = (const char *)text->data, *end = p + text->len;
    int r = 0;

    if (is_utf8(*text))
        return 0;
    while (p < end && r == 0) {
        uint32_t c;
        size_t n = text_utf8(p, (size_t)(end - p), &c);

        r = n ? buf_append(copy, p, n) : buf_puts(copy, "\xEF\xBF\xBD");
        p += n ? n : 1;
    }
    *text = (struct wire_bytes){(const unsigned char *)copy->data, copy->len};
    return r;
}

static int read_string(struct wire_bytes text, json_t **ret)
{
    _cleanup_(buf_free) struct buf copy = BUF_INIT(SIZE_MAX / 2);
    int r = repair(&text, &copy);

    if (r)
        return r;
    *ret = json_stringn_nocheck((const char *)text.data, text.len);
    return *ret ? 0 : CASB_ENOMEM;
}

static int read_bytes(struct wire_bytes bytes, json_t **ret)
{
    _cleanup_(freep) char *text = NULL;

    if (bytes.len > INT_MAX / 2)
        return CASB_EINVALID;
    text = malloc((bytes.len + 2) / 3 * 4 + 1);
    if (!text)
        return CASB_ENOMEM;
    *ret = json_stringn_nocheck(
        text, (size_t)EVP_EncodeBlock((unsigned char *)text, bytes.data, (int)bytes.len));
    return *ret ? 0 : CASB_ENOMEM;
}

/* The field `number` of a message that has one field only; all else is left as it is. */
static int find(struct wire_bytes message, uint32_t number, enum wire_type type,
                struct wire_field *ret)
{
    enum wire_result r;
    struct wire_field field;

    while ((r = wire_next(&message, &field)) == WIRE_FIELD) {
        if (field.number == number && field.type != type)
            return CASB_EINVALID;
        if (field.number == number)
            *ret = field;
    }
    return r == WIRE_END ? 0 : CASB_EINVALID;
}

/* An empty message is the zero time, which JSON has as null (time_proto.go). */
static int read_time(struct wire_bytes message, json_t **ret)
{
    struct wire_field seconds = {0};
    char text[CLOCK_RFC3339_BYTES];
    int r = find(message, 1, WIRE_VARINT, &seconds);

    if (r || message.len == 0)
        return r;
    if ((int64_t)seconds.value > SECONDS_MAX || (int64_t)seconds.value < SECONDS_MIN)
        return CASB_EINVALID;
    *ret = json_string(clock_format(text, (int64_t)seconds.value * 1000, false));
    return *ret ? 0 : CASB_ENOMEM;
}

static int read_quantity(struct wire_bytes message, json_t **ret)
{
    struct wire_field text = {.bytes = EMPTY};
    int r = find(message, 1, WIRE_BYTES, &text);

    return r ? r : read_string(text.bytes, ret);
}

/* Protocol Buffers merge a message that comes twice. */
static int read_message(struct wire_bytes message, const struct proto_field *fields,
                        json_t *earlier, json_t **ret)
{
    json_auto_t *object = earlier ? json_incref(earlier) : json_object();
    int r = object ? proto_merge(message, fields, object) : CASB_ENOMEM;

    if (r == 0)
        *ret = TAKE_PTR(object);
    return r;
}

/* *ret stays NULL for what JSON leaves out. */
static int read_value(const struct proto_field *is, const struct wire_field *field, json_t *earlier,
                      json_t **ret)
{
    bool number = is->type == PROTO_BOOL || is->type == PROTO_INT;

    if (field->type != (number ? WIRE_VARINT : WIRE_BYTES))
        return CASB_EINVALID;
    switch (is->type) {
    case PROTO_STRING:
        if (field->bytes.len == 0 && is->count == PROTO_ONE)
            return 0;
        return read_string(field->bytes, ret);
    case PROTO_BYTES:
        return read_bytes(field->bytes, ret);
    case PROTO_TIME:
        return read_time(field->bytes, ret);
    case PROTO_QUANTITY:
        return read_quantity(field->bytes, ret);
    case PROTO_MESSAGE:
        return read_message(field->bytes, is->inner, earlier, ret);
    case PROTO_BOOL:
        *ret = json_boolean(field->value != 0);
        return 0;
    case PROTO_INT:
        *ret = json_integer((json_int_t)field->value);
        break;
    }
    return *ret ? 0 : CASB_ENOMEM;
}

/* The object or array `name`, made where there is none. */
static json_t *part(json_t *object, const char *name, json_t *(*make)(void))
{
    json_t *there = json_object_get(object, name);

    if (there)
        return there;
    there = make();
    return json_object_set_new_nocheck(object, name, there) ? NULL : there;
}

static int add_element(json_t *object, const struct proto_field *is, const struct wire_field *field)
{
    json_t *array = part(object, is->name, json_array), *value = NULL;
    int r = array ? read_value(is, field, NULL, &value) : CASB_ENOMEM;

    if (r || !value)
        return r;
    return json_array_append_new(array, value) ? CASB_ENOMEM : 0;
}

/* An entry of a map is a message: the key is field 1, the value field 2. */
static int add_entry(json_t *object, const struct proto_field *is, const struct wire_field *field)
{
    _cleanup_(buf_free) struct buf copy = BUF_INIT(SIZE_MAX / 2);
    json_t *map = part(object, is->name, json_object), *value = NULL;
    struct wire_field key = {.type = WIRE_BYTES, .bytes = EMPTY};
    struct wire_field content = key;
    int r = field->type == WIRE_BYTES ? 0 : CASB_EINVALID;

    if (r == 0)
        r = find(field->bytes, 1, WIRE_BYTES, &key);
    if (r == 0)
        r = find(field->bytes, 2, WIRE_BYTES, &content);
    if (r == 0)
        r = map ? repair(&key.bytes, &copy) : CASB_ENOMEM;
    if (r == 0)
        r = read_value(is, &content, NULL, &value);
    if (r || !value)
        return r;
    return json_object_setn_new_nocheck(map, (const char *)key.bytes.data, key.bytes.len, value)
               ? CASB_ENOMEM
               : 0;
}

static int set_member(json_t *object, const struct proto_field *is, const struct wire_field *field)
{
    json_t *value = NULL;
    int r = read_value(is, field, json_object_get(object, is->name), &value);

    if (r || !value)
        return r;
    return json_object_set_new_nocheck(object, is->name, value) ? CASB_ENOMEM : 0;
}

int proto_merge(struct wire_bytes message, const struct proto_field *fields, json_t *object)
{
    struct wire_field field;
    enum wire_result next;
    int r = 0;

    while (r == 0 && (next = wire_next(&message, &field)) != WIRE_END) {
        const struct proto_field *is = fields;

        if (next != WIRE_FIELD)
            return CASB_EINVALID;
        while (is->number && is->number != field.number)
            is++;
        if (!is->number)
            continue;
        if (is->count == PROTO_LIST)
            r = add_element(object, is, &field);
        else if (is->count == PROTO_MAP)
            r = add_entry(object, is, &field);
        else
            r = set_member(object, is, &field);
    }
    return r;
}
