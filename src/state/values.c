/* SPDX-License-Identifier: Apache-2.0 */
#include "state/values.h"

#include <stddef.h>
#include <string.h>

struct values {
    unsigned refs;
    uint32_t has; /* a bit for each of `fields` that follows */
    uint8_t status;
    bool las_none;
    char packed[];
};

enum form {
    IDENTITY, /* its kind in one byte, and its text */
    TEXT,     /* with its terminator */
    WORD,     /* a pointer to what many have in common */
    TIME,
    NUMBER,
};

#define FIELD(form, name) form, offsetof(struct casb_record, name)

static const struct field {
    enum form form;
    size_t offset;
} fields[] = {
    {FIELD(IDENTITY, machine.las)},
    {FIELD(IDENTITY, machine.boot)},
    {FIELD(TEXT, name)},
    {FIELD(TEXT, las_source)},
    {FIELD(TEXT, error)},
    {FIELD(WORD, source)},
    {FIELD(WORD, primary)},
    {FIELD(WORD, release)},
    {FIELD(WORD, reason)},
    {FIELD(TIME, registered)},
    {FIELD(TIME, attempted)},
    {FIELD(TIME, seen)},
    {FIELD(TIME, spawned)},
    {FIELD(TIME, changed)},
    {FIELD(TIME, absent)},
    {FIELD(TIME, missed)},
    {FIELD(TIME, told)},
    {FIELD(TIME, unprotected)},
    {FIELD(NUMBER, absent_s)},
    {FIELD(NUMBER, attempts)},
};

/* ---- packing */

/* `at` may be NULL: then it is only said how much that takes. */
static size_t put(char *at, const void *from, size_t size)
{
    if (at)
        memcpy(at, from, size);
    return size;
}

static size_t put_identity(char *at, const struct casb_identity *identity)
{
    char kind = (char)identity->kind;

    if (identity->kind == CASB_UNIDENTIFIED)
        return 0;
    put(at, &kind, 1);
    return 1 + put(at ? at + 1 : NULL, identity->text, strlen(identity->text) + 1);
}

static size_t put_field(char *at, const struct field *field, const struct casb_record *record)
{
    const void *member = (const char *)record + field->offset;
    const char *const *text = member;
    const int64_t *time = member;
    const uint32_t *number = member;

    switch (field->form) {
    case IDENTITY:
        return put_identity(at, member);
    case TEXT:
        return *text ? put(at, *text, strlen(*text) + 1) : 0;
    case WORD:
        return *text ? put(at, text, sizeof *text) : 0;
    case TIME:
        return *time ? put(at, time, sizeof *time) : 0;
    case NUMBER:
        return *number ? put(at, number, sizeof *number) : 0;
    }
    return 0;
}

static size_t put_all(char *at, const struct casb_record *record, uint32_t *ret_has)
{
    size_t size = 0;

    *ret_has = 0;
    for (size_t i = 0; i < ELEMENTS(fields); i++) {
        size_t n = put_field(at ? at + size : NULL, &fields[i], record);

        *ret_has |= (uint32_t)(n > 0) << i;
        size += n;
    }
    return size;
}

struct values *values_new(struct words *words, const struct casb_record *from)
{
    struct casb_record r = *from;
    struct values *v;
    uint32_t has;

    if (words_keep(words, r.source, &r.source) || words_keep(words, r.primary, &r.primary) ||
        words_keep(words, r.release, &r.release) || words_keep(words, r.reason, &r.reason))
        return NULL;
    v = malloc(sizeof *v + put_all(NULL, &r, &has));
    if (!v)
        return NULL;
    *v = (struct values){.refs = 1, .status = (uint8_t)r.status, .las_none = r.las_none};
    put_all(v->packed, &r, &v->has);
    return v;
}

struct values *values_ref(struct values *v)
{
    v->refs++;
    return v;
}

void values_unref(struct values *v)
{
    if (v && --v->refs == 0)
        free(v);
}

/* ---- unpacking */

static size_t size_at(const char *at, enum form form)
{
    switch (form) {
    case IDENTITY:
        return 1 + strlen(at + 1) + 1;
    case TEXT:
        return strlen(at) + 1;
    case WORD:
        return sizeof(const char *);
    case TIME:
        return sizeof(int64_t);
    case NUMBER:
        return sizeof(uint32_t);
    }
    return 0;
}

static void get_field(const char *at, const struct field *field, struct casb_record *ret)
{
    void *member = (char *)ret + field->offset;
    struct casb_identity *identity = member;

    if (field->form == IDENTITY) {
        identity->kind = (enum casb_identity_kind)at[0];
        memcpy(identity->text, at + 1, strlen(at + 1) + 1);
    } else if (field->form == TEXT) {
        *(const char **)member = at;
    } else {
        memcpy(member, at, size_at(at, field->form));
    }
}

void values_read(const struct values *v, const char *uid, struct casb_record *ret)
{
    const char *at = v->packed;

    *ret = (struct casb_record){
        .uid = uid, .status = (enum casb_status)v->status, .las_none = v->las_none};
    for (size_t i = 0; i < ELEMENTS(fields); i++) {
        if (!(v->has & (uint32_t)1 << i))
            continue;
        get_field(at, &fields[i], ret);
        at += size_at(at, fields[i].form);
    }
}

/* Where the member is; NULL: it is not there. */
static const char *find(const struct values *v, size_t offset)
{
    const char *at = v->packed;

    for (size_t i = 0; i < ELEMENTS(fields); i++) {
        bool there = v->has & (uint32_t)1 << i;

        if (fields[i].offset == offset)
            return there ? at : NULL;
        at += there ? size_at(at, fields[i].form) : 0;
    }
    return NULL;
}

const char *values_name(const struct values *v)
{
    return find(v, offsetof(struct casb_record, name));
}

const char *values_las(const struct values *v, enum casb_identity_kind *ret_kind)
{
    const char *at = find(v, offsetof(struct casb_record, machine.las));

    if (!at)
        return NULL;
    *ret_kind = (enum casb_identity_kind)at[0];
    return at + 1;
}

const char *values_boot(const struct values *v)
{
    const char *at = find(v, offsetof(struct casb_record, machine.boot));

    return at ? at + 1 : NULL;
}
