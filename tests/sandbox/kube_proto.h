/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sandbox's objects as Protocol Buffers, the other way round than plugins/common/kube/proto.h
 * and by the same tables: what these do not name nobody gets to see. Ends the process where memory
 * runs out; thread-safe.
 */
#ifndef SANDBOX_KUBE_PROTO_H
#define SANDBOX_KUBE_PROTO_H

#include "base/buf.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * Appends the object or list. False, and nothing is appended: there is no table for its `kind`, or
 * it has something of another type than the table says, which only JSON can have.
 */
bool proto_put_object(struct buf *out, const json_t *object);

/* Appends an event of a watch, length first. False as above. */
bool proto_put_event(struct buf *out, const char *type, const json_t *object);

#endif
