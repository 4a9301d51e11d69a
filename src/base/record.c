/* SPDX-License-Identifier: Apache-2.0 */
#include "base/record.h"

#include "base/clock.h"
#include "base/identity.h"
#include "base/jsonx.h"
#include "base/text.h"

#include <ctype.h>
#include <string.h>

#define REASON_BYTES 512 /* "untolerated-taint (KEY)" has 338 */

#define MEMBER(name) #name, offsetof(struct casb_record, name)

struct field {
    const char *name;
    size_t offset;
};

static const struct field strings[] = {
    {MEMBER(name)},       {MEMBER(source)}, {MEMBER(primary)}, {MEMBER(release)},
    {MEMBER(las_source)}, {MEMBER(reason)}, {MEMBER(error)},
};

/* Each kind has a key of its own, so that people can read it. */
static const struct {
    struct field field;
    enum casb_identity_kind kind;
} identities[] = {
    {{"las_key", offsetof(struct casb_record, machine.las)}, CASB_LAS_KEY},
    {{"las_qe_id", offsetof(struct casb_record, machine.las)}, CASB_LAS_QE_ID},
    {{"boot_id", offsetof(struct casb_record, machine.boot)}, CASB_BOOT_ID},
};

static const struct field times[] = {
    {MEMBER(registered)}, {MEMBER(attempted)},   {MEMBER(seen)},
    {MEMBER(spawned)},    {MEMBER(changed)},     {MEMBER(absent)},
    {MEMBER(missed)},     {MEMBER(unprotected)}, {MEMBER(told)},
};

static const struct field numbers[] = {
    {MEMBER(absent_s)},
    {MEMBER(attempts)},
};

static const char *const statuses[] = {
    [CASB_REGISTERED] = "registered",
    [CASB_FAILED] = "failed",
};

bool record_is_uid(const char *text)
{
    size_t len = 0;

    for (; text[len]; len++)
        if (!isalnum((unsigned char)text[len]) && !strchr("-._", text[len]))
            return false;
    return len > 0 && len <= RECORD_UID_LENGTH && strcmp(text, ".") != 0 &&
           strncmp(text, "..", 2) != 0;
}

static void *member(struct casb_record *record, const struct field *field)
{
    return (char *)record + field->offset;
}

/* `text` may be NULL: it is unknown then. */
static int set_string(json_t *json, const char *uid, const char *name, const char *text,
                      struct casb_error *err)
{
    json_t *value = NULL;
    int r = text ? jsonx_pack(&value, err, "s", text) : 0;

    if (r)
        return err_wrap(err, r, "record '%s', '%s'", uid, name);
    return value && json_object_set_new(json, name, value) ? err_nomem(err) : 0;
}

static int set_strings(json_t *json, struct casb_record *record, struct casb_error *err)
{
    int r = 0;

    for (size_t i = 0; i < ELEMENTS(strings) && !r; i++) {
        const char *const *text = member(record, &strings[i]);

        r = set_string(json, record->uid, strings[i].name, *text, err);
    }
    return r;
}

static int set_identities(json_t *json, struct casb_record *record, struct casb_error *err)
{
    int r = 0;

    for (size_t i = 0; i < ELEMENTS(identities) && !r; i++) {
        const struct field *field = &identities[i].field;
        const char *text = identity_text(member(record, field), identities[i].kind);

        r = set_string(json, record->uid, field->name, text, err);
    }
    return r;
}

static int set_times(json_t *json, struct casb_record *record, struct casb_error *err)
{
    for (size_t i = 0; i < ELEMENTS(times); i++) {
        const int64_t *seconds = member(record, &times[i]);
        char text[CLOCK_RFC3339_BYTES];

        if (*seconds == 0)
            continue;
        clock_format(text, *seconds * 1000, false);
        if (json_object_set_new(json, times[i].name, json_string(text)))
            return err_nomem(err);
    }
    return 0;
}

static int set_numbers(json_t *json, struct casb_record *record, struct casb_error *err)
{
    for (size_t i = 0; i < ELEMENTS(numbers); i++) {
        const uint32_t *number = member(record, &numbers[i]);

        if (*number && json_object_set_new(json, numbers[i].name, json_integer(*number)))
            return err_nomem(err);
    }
    return 0;
}

int record_to_json(const struct casb_record *record, json_t **ret, struct casb_error *err)
{
    struct casb_record copy = *record;
    char error[CASB_RECORD_ERROR_BYTES], reason[REASON_BYTES];
    json_auto_t *json = json_object();
    int r;

    if (!json)
        return err_nomem(err);
    if (!record_is_uid(record->uid))
        return err_set(err, CASB_EINVALID, "'%s' cannot be a uid", record->uid);
    if (copy.error)
        copy.error = text_clean(error, sizeof error, copy.error);
    if (copy.reason)
        copy.reason = text_clean(reason, sizeof reason, copy.reason);
    if (copy.status != CASB_NONE &&
        json_object_set_new(json, "status", json_string(statuses[copy.status])))
        return err_nomem(err);
    r = set_strings(json, &copy, err);
    if (!r)
        r = set_identities(json, &copy, err);
    if (!r)
        r = set_times(json, &copy, err);
    if (r)
        return r;
    if (copy.las_none && json_object_set_new(json, "las_none", json_true()))
        return err_nomem(err);
    r = set_numbers(json, &copy, err);
    if (r)
        return r;
    *ret = TAKE_PTR(json);
    return 0;
}

static int damaged(const char *name, struct casb_error *err)
{
    return err_set(err, CASB_EINVALID, "its '%s' is damaged", name);
}

static int get_strings(const json_t *json, struct casb_record *ret, struct casb_error *err)
{
    for (size_t i = 0; i < ELEMENTS(strings); i++) {
        const json_t *value = json_object_get(json, strings[i].name);
        const char **text = member(ret, &strings[i]);

        if (!value)
            continue;
        *text = json_string_value(value);
        if (!*text)
            return damaged(strings[i].name, err);
    }
    return 0;
}

static int get_identities(const json_t *json, struct casb_record *ret, struct casb_error *err)
{
    for (size_t i = 0; i < ELEMENTS(identities); i++) {
        const struct field *field = &identities[i].field;
        const json_t *value = json_object_get(json, field->name);

        if (value && identity_set(member(ret, field), identities[i].kind, json_string_value(value)))
            return damaged(field->name, err);
    }
    return 0;
}

static int get_times(const json_t *json, struct casb_record *ret, struct casb_error *err)
{
    for (size_t i = 0; i < ELEMENTS(times); i++) {
        const json_t *value = json_object_get(json, times[i].name);
        int64_t *seconds = member(ret, &times[i]);
        int64_t wall_ms;

        if (!value)
            continue;
        if (!json_is_string(value) || clock_parse(json_string_value(value), &wall_ms))
            return damaged(times[i].name, err);
        *seconds = wall_ms / 1000;
    }
    return 0;
}

static int get_status(const json_t *json, struct casb_record *ret, struct casb_error *err)
{
    const json_t *value = json_object_get(json, "status");

    if (!value)
        return 0;
    for (size_t i = CASB_REGISTERED; i < ELEMENTS(statuses); i++) {
        if (!text_equal(json_string_value(value), statuses[i]))
            continue;
        ret->status = (enum casb_status)i;
        return 0;
    }
    return damaged("status", err);
}

static int get_numbers(const json_t *json, struct casb_record *ret, struct casb_error *err)
{
    for (size_t i = 0; i < ELEMENTS(numbers); i++) {
        const json_t *value = json_object_get(json, numbers[i].name);
        json_int_t n = json_integer_value(value);
        uint32_t *number = member(ret, &numbers[i]);

        if (value && (!json_is_integer(value) || n < 0 || n > UINT32_MAX))
            return damaged(numbers[i].name, err);
        *number = (uint32_t)n;
    }
    return 0;
}

/* Before there was a flag of its own it was a '!' in front of the word. */
static int get_las_none(const json_t *json, struct casb_record *ret, struct casb_error *err)
{
    const json_t *value = json_object_get(json, "las_none");

    if (value && !json_is_boolean(value))
        return damaged("las_none", err);
    ret->las_none = json_is_true(value);
    if (ret->las_source && ret->las_source[0] == '!') {
        ret->las_source++;
        ret->las_none = true;
    }
    return 0;
}

int record_from_json(const char *uid, const json_t *json, struct casb_record *ret,
                     struct casb_error *err)
{
    struct casb_record record = {.uid = uid};
    int r;

    if (!record_is_uid(uid))
        return err_set(err, CASB_EINVALID, "its key is no uid");
    if (!json_is_object(json))
        return err_set(err, CASB_EINVALID, "it is no JSON object");
    r = get_strings(json, &record, err);
    if (!r)
        r = get_identities(json, &record, err);
    if (!r)
        r = get_las_none(json, &record, err);
    if (!r)
        r = get_times(json, &record, err);
    if (!r)
        r = get_status(json, &record, err);
    if (!r)
        r = get_numbers(json, &record, err);
    if (r)
        return r;
    *ret = record;
    return 0;
}

static int set_change(json_t *changes, const struct casb_record *record, struct casb_error *err)
{
    json_auto_t *json = NULL;
    _cleanup_(freep) char *text = NULL;
    int r = record_to_json(record, &json, err);

    if (!r)
        r = jsonx_dump(json, &text, err);
    if (r)
        return r;
    return json_object_set_new(changes, record->uid, json_string(text)) ? err_nomem(err) : 0;
}

int record_changes(const struct casb_record *records, size_t count, json_t **ret,
                   struct casb_error *err)
{
    json_auto_t *changes = json_object();

    if (!changes)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        int r = set_change(changes, &records[i], err);

        if (r)
            return r;
    }
    *ret = TAKE_PTR(changes);
    return 0;
}

int record_drops(const char *const *uids, size_t count, json_t **ret, struct casb_error *err)
{
    json_auto_t *changes = json_object();

    for (size_t i = 0; i < count; i++)
        if (json_object_set_new(changes, uids[i], json_null()))
            return err_nomem(err);
    if (!changes)
        return err_nomem(err);
    *ret = TAKE_PTR(changes);
    return 0;
}
