/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of Protocol Buffers as the JSON that Kubernetes has for them: of a message no more than
 * what a table names, the rest is skipped. Thread-safe.
 */
#ifndef KUBE_PROTO_H
#define KUBE_PROTO_H

#include "common/kube/wire.h"

#include "base/cleanup.h"

#include <jansson.h>
#include <stdbool.h>

enum proto_type {
    PROTO_STRING,
    PROTO_BYTES, /* in JSON a string: base64 */
    PROTO_BOOL,
    PROTO_INT,
    PROTO_TIME,     /* meta/v1 Time: in JSON a string (RFC 3339) */
    PROTO_QUANTITY, /* resource.Quantity: in JSON a string */
    PROTO_MESSAGE,
};

enum proto_count {
    PROTO_ONE,
    PROTO_LIST,
    PROTO_MAP, /* of strings to what `type` says */
};

struct proto_field {
    uint32_t number; /* 0 ends a table */
    const char *name;
    enum proto_type type;
    enum proto_count count;
    const struct proto_field *inner; /* of a PROTO_MESSAGE */
};

/*
 * Sets in `object` what the message has of `fields`. What has its zero value may be absent
 * ("omitempty"), and a string that is empty always is; what is no UTF-8 in it becomes U+FFFD.
 * Returns 0, CASB_EINVALID for what is no such message, or CASB_ENOMEM.
 */
int proto_merge(struct wire_bytes message, const struct proto_field *fields, json_t *object)
    _warn_unused_;

#endif
