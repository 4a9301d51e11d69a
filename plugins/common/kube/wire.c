/* SPDX-License-Identifier: Apache-2.0 */
#include "common/kube/wire.h"

#define VARINT_BYTES 10
#define NUMBER_MAX   ((1 << 29) - 1)

static enum wire_result take_long_varint(struct wire_bytes *rest, uint64_t *ret)
{
    uint64_t value = 0;

    for (size_t i = 0; i < VARINT_BYTES; i++) {
        if (i == rest->len)
            return WIRE_CUT;
        value |= (uint64_t)(rest->data[i] & 0x7F) << (7 * i);
        if (rest->data[i] & 0x80)
            continue;
        if (i == VARINT_BYTES - 1 && rest->data[i] > 1) /* more than 64 bits */
            return WIRE_BROKEN;
        *rest = (struct wire_bytes){rest->data + i + 1, rest->len - i - 1};
        *ret = value;
        return WIRE_FIELD;
    }
    return WIRE_BROKEN;
}

/* Nearly all have one byte. */
static enum wire_result take_varint(struct wire_bytes *rest, uint64_t *ret)
{
    if (rest->len == 0 || rest->data[0] > 0x7F)
        return take_long_varint(rest, ret);
    *ret = rest->data[0];
    *rest = (struct wire_bytes){rest->data + 1, rest->len - 1};
    return WIRE_FIELD;
}

static enum wire_result take_bytes(struct wire_bytes *rest, uint64_t len, struct wire_bytes *ret)
{
    if (len > rest->len)
        return WIRE_CUT;
    *ret = (struct wire_bytes){rest->data, (size_t)len};
    *rest = (struct wire_bytes){rest->data + len, rest->len - (size_t)len};
    return WIRE_FIELD;
}

enum wire_result wire_head(struct wire_bytes *rest, struct wire_field *ret)
{
    struct wire_bytes next = *rest;
    enum wire_result r;
    uint64_t tag;

    if (next.len == 0)
        return WIRE_END;
    r = take_varint(&next, &tag);
    if (r != WIRE_FIELD)
        return r;
    if (tag >> 3 == 0 || tag >> 3 > NUMBER_MAX)
        return WIRE_BROKEN;
    *ret = (struct wire_field){.number = (uint32_t)(tag >> 3), .type = (enum wire_type)(tag & 7)};
    switch (ret->type) {
    case WIRE_VARINT:
    case WIRE_BYTES:
        r = take_varint(&next, &ret->value);
        break;
    case WIRE_FIXED64:
        r = take_bytes(&next, 8, &ret->bytes);
        break;
    case WIRE_FIXED32:
        r = take_bytes(&next, 4, &ret->bytes);
        break;
    default:
        r = WIRE_BROKEN;
    }
    if (r == WIRE_FIELD)
        *rest = next;
    return r;
}

enum wire_result wire_next(struct wire_bytes *rest, struct wire_field *ret)
{
    struct wire_bytes next = *rest;
    enum wire_result r = wire_head(&next, ret);

    if (r == WIRE_FIELD && ret->type == WIRE_BYTES)
        r = take_bytes(&next, ret->value, &ret->bytes);
    if (r == WIRE_FIELD)
        *rest = next;
    return r;
}
