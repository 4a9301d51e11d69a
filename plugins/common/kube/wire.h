/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wire format of Protocol Buffers (protobuf.dev, "Encoding"): fields one after the other. Pure
 * and thread-safe; of what comes in nothing is copied.
 */
#ifndef KUBE_WIRE_H
#define KUBE_WIRE_H

#include <stddef.h>
#include <stdint.h>

struct wire_bytes {
    const unsigned char *data;
    size_t len;
};

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct wire_field {
    uint32_t number;
    enum wire_type type;
    uint64_t value;          /* of a varint; how many bytes a WIRE_BYTES says that it has */
    struct wire_bytes bytes; /* what it has */
};

enum wire_result {
    WIRE_END,    /* there is no further field */
    WIRE_FIELD,  /* there was one */
    WIRE_CUT,    /* the bytes end within one */
    WIRE_BROKEN, /* this is no such encoding; nor are groups, which nobody writes any more */
};

/*
 * Takes the next field off the front of *rest, which is left as it is where there is none.
 */
enum wire_result wire_next(struct wire_bytes *rest, struct wire_field *ret);

/* The same, but of WIRE_BYTES no more than tag and length is taken, and need be there. */
enum wire_result wire_head(struct wire_bytes *rest, struct wire_field *ret);

#endif
