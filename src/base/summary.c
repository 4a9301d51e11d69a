/* SPDX-License-Identifier: Apache-2.0 */
#include "base/summary.h"

#include "base/clock.h"
#include "base/jsonx.h"

#define MEMBER(name) #name, offsetof(struct casb_pass, name)

struct field {
    const char *name;
    size_t offset;
};

static const struct field strings[] = {
    {MEMBER(release)},
    {MEMBER(version)},
    {MEMBER(address)},
    {MEMBER(primary)},
};

static const struct field times[] = {
    {MEMBER(started)},
    {MEMBER(finished)},
    {MEMBER(succeeded)},
    {MEMBER(chain_not_after)},
};

static const struct field numbers[] = {
    {MEMBER(duration_ms)}, {MEMBER(exit)},   {MEMBER(nodes)},          {MEMBER(selected)},
    {MEMBER(registered)},  {MEMBER(newly)},  {MEMBER(kept)},           {MEMBER(failed)},
    {MEMBER(skipped)},     {MEMBER(absent)}, {MEMBER(min_registered)},
};

static void *member(const struct casb_pass *pass, const struct field *field)
{
    return (char *)pass + field->offset;
}

static int set_strings(json_t *json, const struct casb_pass *pass, struct casb_error *err)
{
    for (size_t i = 0; i < ELEMENTS(strings); i++) {
        const char *const *text = member(pass, &strings[i]);
        json_t *value = NULL;
        int r = *text ? jsonx_pack(&value, err, "s", *text) : 0;

        if (r)
            return err_wrap(err, r, "'%s' of the pass", strings[i].name);
        if (value && json_object_set_new(json, strings[i].name, value))
            return err_nomem(err);
    }
    return 0;
}

static int set_times(json_t *json, const struct casb_pass *pass, struct casb_error *err)
{
    for (size_t i = 0; i < ELEMENTS(times); i++) {
        const int64_t *seconds = member(pass, &times[i]);
        char text[CLOCK_RFC3339_BYTES];

        if (*seconds > 0 &&
            json_object_set_new(json, times[i].name,
                                json_string(clock_format(text, *seconds * 1000, false))))
            return err_nomem(err);
    }
    return 0;
}

static int set_numbers(json_t *json, const struct casb_pass *pass, struct casb_error *err)
{
    for (size_t i = 0; i < ELEMENTS(numbers); i++) {
        const int64_t *number = member(pass, &numbers[i]);

        if (json_object_set_new(json, numbers[i].name, json_integer(*number)))
            return err_nomem(err);
    }
    return 0;
}

int summary_to_json(const struct casb_pass *pass, json_t **ret, struct casb_error *err)
{
    json_auto_t *json = json_object();
    int r;

    if (!json)
        return err_nomem(err);
    r = set_strings(json, pass, err);
    if (!r)
        r = set_times(json, pass, err);
    if (!r)
        r = set_numbers(json, pass, err);
    if (!r)
        *ret = TAKE_PTR(json);
    return r;
}

int summary_to_text(const struct casb_pass *pass, char **ret, struct casb_error *err)
{
    json_auto_t *json = NULL;
    int r = summary_to_json(pass, &json, err);

    return r ? r : jsonx_dump(json, ret, err);
}

void summary_from_json(const json_t *json, struct casb_pass *ret)
{
    *ret = (struct casb_pass){0};
    for (size_t i = 0; i < ELEMENTS(strings); i++)
        *(const char **)member(ret, &strings[i]) =
            json_string_value(json_object_get(json, strings[i].name));
    for (size_t i = 0; i < ELEMENTS(times); i++) {
        const char *text = json_string_value(json_object_get(json, times[i].name));
        int64_t wall_ms;

        if (text && clock_parse(text, &wall_ms) == 0)
            *(int64_t *)member(ret, &times[i]) = wall_ms / 1000;
    }
    for (size_t i = 0; i < ELEMENTS(numbers); i++) {
        json_int_t n = json_integer_value(json_object_get(json, numbers[i].name));

        *(int64_t *)member(ret, &numbers[i]) = n > 0 ? n : 0;
    }
}
