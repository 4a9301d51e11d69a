/* SPDX-License-Identifier: Apache-2.0 */
/* A list of the API as Protocol Buffers, taken apart as it arrives. */
#ifndef KUBE_PROTOLIST_H
#define KUBE_PROTOLIST_H

#include "common/kube/kinds.h"
#include "common/kube/listpart.h"

#include "base/error.h"

/* How far it came; {0} at the beginning. */
struct protolist {
    enum {
        PROTOLIST_BEGIN,
        PROTOLIST_AROUND, /* within runtime.Unknown */
        PROTOLIST_WITHIN, /* within the list itself */
    } state;
    bool any;                        /* there was a list */
    uint64_t left;                   /* of it, in bytes */
    const struct proto_field *items; /* what is read of an item */
};

/* As jsonlist_take(). */
int protolist_take(struct protolist *list, const char *data, size_t len, struct listpart *ret,
                   struct casb_error *err) _warn_unused_;

/* Is it whole if nothing more comes? */
bool protolist_is_whole(const struct protolist *list);

#endif
