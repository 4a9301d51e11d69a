/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is read of the API's objects where they come as Protocol Buffers: the field numbers of
 * k8s.io/api/core/v1/generated.proto and k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto,
 * which never change. Nothing else of an object reaches its reader.
 */
#ifndef KUBE_KINDS_H
#define KUBE_KINDS_H

#include "common/kube/proto.h"

/* With so many bytes every encoded object begins (runtime/serializer/protobuf of apimachinery). */
#define KINDS_MAGIC_LEN 4

/* The fields of runtime.Unknown, which is around every object. */
enum { KINDS_TYPE = 1, KINDS_RAW = 2, KINDS_ENCODING = 3 };

#define KINDS_NAME_BYTES 32

/* The table of a kind; NULL: nothing is known of it. */
const struct proto_field *kinds_find(const char *kind);

extern const struct proto_field kinds_list_meta[];

/*
 * The `kind` of a TypeMeta, "" where it has none or a longer one than any that is known. Returns 0
 * or CASB_EINVALID.
 */
int kinds_read_type(struct wire_bytes type_meta, char ret[static KINDS_NAME_BYTES]) _warn_unused_;

/* Do the bytes begin as an encoded object does? */
bool kinds_is_encoded(struct wire_bytes bytes);

/*
 * Reads an object with its magic and runtime.Unknown. Like in JSON, it has its `kind`; of one that
 * is not known nothing else. Returns 0, CASB_EINVALID or CASB_ENOMEM; the caller owns *ret.
 */
int kinds_decode(struct wire_bytes bytes, json_t **ret) _warn_unused_;

/*
 * Reads a meta/v1 WatchEvent: its type, "" where it has none or an odd one, and its object as
 * kinds_decode() gives it, a Pod without what is the same from its creation to its end.
 */
int kinds_decode_event(struct wire_bytes event, char ret_type[static KINDS_NAME_BYTES],
                       json_t **ret) _warn_unused_;

#endif
