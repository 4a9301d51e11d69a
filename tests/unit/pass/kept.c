/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/pass/kept.h"

#include <stdio.h>
#include <string.h>

static const char *keep(char *to, size_t size, const char *from)
{
    if (!from)
        return NULL;
    snprintf(to, size, "%s", from);
    return to;
}

void kept_set(struct kept_record *to, const struct casb_record *from)
{
    to->used = true;
    to->r = *from;
    to->r.uid = keep(to->uid, sizeof to->uid, from->uid);
    to->r.name = keep(to->name, sizeof to->name, from->name);
    to->r.source = keep(to->source, sizeof to->source, from->source);
    to->r.primary = keep(to->primary, sizeof to->primary, from->primary);
    to->r.release = keep(to->release, sizeof to->release, from->release);
    to->r.las_source = keep(to->las_source, sizeof to->las_source, from->las_source);
    to->r.reason = keep(to->reason, sizeof to->reason, from->reason);
    to->r.error = keep(to->error, sizeof to->error, from->error);
}

struct kept_record *kept_find(struct kept_record *records, size_t count, const char *uid, bool make)
{
    for (size_t i = 0; i < count; i++)
        if (records[i].used && strcmp(records[i].uid, uid) == 0)
            return &records[i];
    for (size_t i = 0; make && i < count; i++)
        if (!records[i].used)
            return &records[i];
    return NULL;
}
