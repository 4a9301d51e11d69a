/* SPDX-License-Identifier: Apache-2.0 */
#include "base/identity.h"

#include "base/text.h"

#include <cas-backup/error.h>

#include <string.h>

int identity_set(struct casb_identity *ret, enum casb_identity_kind kind, const char *text)
{
    size_t len = text ? strlen(text) : 0;

    if (len == 0 || len > CASB_IDENTITY_LENGTH)
        return CASB_EINVALID;
    *ret = (struct casb_identity){.kind = kind};
    memcpy(ret->text, text, len);
    return 0;
}

bool identity_is_known(const struct casb_identity *identity)
{
    return identity->kind != CASB_UNIDENTIFIED;
}

const char *identity_text(const struct casb_identity *identity, enum casb_identity_kind kind)
{
    return identity->kind == kind ? identity->text : NULL;
}

const char *identity_kind_name(enum casb_identity_kind kind)
{
    static const char *const names[] = {"nothing", "LAS key", "boot ID", "LAS QE ID"};

    return names[kind];
}

enum identity_evidence identity_compare(const struct casb_identity *a,
                                        const struct casb_identity *b)
{
    if (!identity_is_known(a) || a->kind != b->kind)
        return IDENTITY_SILENT;
    return text_equal(a->text, b->text) ? IDENTITY_SAME : IDENTITY_DIFFERS;
}
