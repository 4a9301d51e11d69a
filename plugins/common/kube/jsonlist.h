/* SPDX-License-Identifier: Apache-2.0 */
/* A list of the API as JSON, taken apart as it arrives. */
#ifndef KUBE_JSONLIST_H
#define KUBE_JSONLIST_H

#include "common/kube/listpart.h"

#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>

/* How far it came; {0} at the beginning. */
struct jsonlist {
    enum {
        JSONLIST_BEGIN,
        JSONLIST_FIRST_KEY, /* ... or the end */
        JSONLIST_KEY,
        JSONLIST_COLON,
        JSONLIST_VALUE,
        JSONLIST_NEXT_KEY, /* ',' or '}' */
        JSONLIST_FIRST_ITEM,
        JSONLIST_ITEM,
        JSONLIST_NEXT_ITEM,
        JSONLIST_END,
    } state;
    enum { JSONLIST_OTHER, JSONLIST_KIND, JSONLIST_META, JSONLIST_ITEMS } key;
    /* of the value that `bytes` begin with */
    size_t scanned;
    unsigned depth;
    bool string;
};

/*
 * Takes the next part off the front of the bytes, which are the same ones as before, and maybe
 * more, where there was none. Returns 0, CASB_EINVALID or CASB_ENOMEM.
 */
int jsonlist_take(struct jsonlist *list, const char *data, size_t len, struct listpart *ret,
                  struct casb_error *err) _warn_unused_;

#endif
