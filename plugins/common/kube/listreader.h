/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One page of a list, read as it arrives, item by item: Protocol Buffers, or JSON from a server or
 * gateway that has nothing else. Never more than one item is held.
 */
#ifndef KUBE_LISTREADER_H
#define KUBE_LISTREADER_H

#include "common/kube/jsonlist.h"
#include "common/kube/protolist.h"

#include "base/buf.h"
#include "base/error.h"

/* Takes one item, borrowed. Non-zero ends the page with that result. */
typedef int listreader_fn(const json_t *item, void *arg);

/* {.each = ..., .arg = ..., .err = ...}; free it by listreader_free(). */
struct listreader {
    listreader_fn *each;
    void *arg;
    struct casb_error *err;
    json_t *meta; /* the list's metadata; NULL: they did not come yet */
    /* what follows is the reader's own */
    enum { LISTREADER_UNKNOWN, LISTREADER_JSON, LISTREADER_PROTO } format;
    struct jsonlist json;
    struct protolist proto;
    struct buf pending; /* what was not taken yet */
    size_t bytes, items;
};

/*
 * Takes the next piece. Returns 0, what the function returned, CASB_EINVALID (what came is no
 * list, or is larger than one can be) or CASB_ENOMEM.
 */
int listreader_feed(struct listreader *reader, const char *data, size_t len) _warn_unused_;

/*
 * There is no further piece: is one missing? Where a server tells no length, and closes the
 * connection at the end, nothing else shows that it was cut.
 */
bool listreader_is_cut(const struct listreader *reader);

/* There is no further piece: CASB_EINVALID where the list is not whole. */
int listreader_end(struct listreader *reader) _warn_unused_;

/* Frees what it has. It can then be fed from the beginning again. */
void listreader_free(struct listreader *reader);

#endif
