/* SPDX-License-Identifier: Apache-2.0 */
/* What a list consists of, whatever its format. */
#ifndef KUBE_LISTPART_H
#define KUBE_LISTPART_H

#include <jansson.h>
#include <stddef.h>

struct listpart {
    enum {
        LISTPART_NONE, /* it is not there whole yet */
        LISTPART_SKIPPED,
        LISTPART_META,
        LISTPART_ITEM,
    } kind;
    size_t len;    /* of it, from the beginning of the bytes */
    json_t *value; /* of LISTPART_META and LISTPART_ITEM; the caller frees it */
};

#endif
