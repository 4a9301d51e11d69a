/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/sieve.h"

#include "base/cleanup.h"

#include <string.h>

struct rules;

/* A member, in which or in whose elements to go on by `inner`. */
struct rule {
    const char *key;
    const struct rules *inner; /* NULL: nothing more to do there */
};

struct rules {
    const struct rule *list; /* ends with a key of NULL */
    bool only;               /* these members stay and no other; else those without `inner` go */
};

#define RULES(only_, ...)                                                                          \
    {                                                                                              \
        .only = (only_), .list = (const struct rule[])                                             \
        {                                                                                          \
            __VA_ARGS__,                                                                           \
            {                                                                                      \
                NULL, NULL                                                                         \
            }                                                                                      \
        }                                                                                          \
    }

static const struct rules metadata_rules = RULES(false, {"managedFields", NULL});
static const struct rules name_rules = RULES(true, {"name", NULL});
static const struct rules spec_rules = RULES(true, {"nodeName", NULL}, {"containers", &name_rules},
                                             {"taints", NULL}, {"unschedulable", NULL});
static const struct rules condition_rules =
    RULES(true, {"type", NULL}, {"status", NULL}, {"reason", NULL}, {"message", NULL});
static const struct rules container_rules =
    RULES(false, {"image", NULL}, {"imageID", NULL}, {"containerID", NULL});
static const struct rules status_rules =
    RULES(false, {"images", NULL}, {"podIPs", NULL}, {"conditions", &condition_rules},
          {"containerStatuses", &container_rules});
static const struct rules item_rules =
    RULES(false, {"metadata", &metadata_rules}, {"spec", &spec_rules}, {"status", &status_rules});

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static size_t skip_space(const struct sieve_span *text, size_t pos)
{
    while (pos < text->len && is_space(text->data[pos]))
        pos++;
    return pos;
}

/* From an opening quote to behind the closing one; the text's end where there is none. */
static size_t skip_string(const struct sieve_span *text, size_t pos)
{
    const char *end = text->data + text->len;
    const char *p = text->data + pos + 1;
    size_t slashes;

    while (p < end && (p = memchr(p, '"', (size_t)(end - p)))) {
        for (slashes = 0; p[-1 - (ptrdiff_t)slashes] == '\\'; slashes++)
            ;
        p++;
        if (slashes % 2 == 0)
            return (size_t)(p - text->data);
    }
    return text->len;
}

/* From a value's first character to behind its last. */
static size_t skip_value(const struct sieve_span *text, size_t pos)
{
    size_t depth = 0;

    while (pos < text->len) {
        switch (text->data[pos]) {
        case '"':
            pos = skip_string(text, pos) - 1;
            break;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            if (!depth)
                return pos;
            if (!--depth)
                return pos + 1;
            break;
        case ',':
            if (!depth)
                return pos;
            break;
        }
        pos++;
    }
    return pos;
}

static char at(const struct sieve_span *text, size_t pos)
{
    return pos < text->len ? text->data[pos] : 0;
}

/* To the next member or element; false where there is none. */
static bool step(struct sieve *sieve, char open, char close)
{
    const struct sieve_span *text = &sieve->text;
    bool first = !sieve->pos;
    size_t pos = skip_space(text, sieve->pos);
    bool begun = at(text, pos) == (first ? open : ',');

    if (begun)
        pos = skip_space(text, pos + 1);
    if (begun && (!first || at(text, pos) != close)) {
        sieve->pos = pos;
        return true;
    }
    sieve->pos = skip_space(text, pos + 1);
    sieve->broken = (first && !begun) || at(text, pos) != close || sieve->pos != text->len;
    return false;
}

static bool take_value(struct sieve *sieve, struct sieve_span *ret)
{
    const struct sieve_span *text = &sieve->text;
    size_t end = skip_value(text, sieve->pos);

    *ret = (struct sieve_span){text->data + sieve->pos, end - sieve->pos};
    sieve->broken = !ret->len;
    sieve->pos = end;
    return !sieve->broken;
}

bool sieve_element(struct sieve *sieve, struct sieve_span *ret_value)
{
    return step(sieve, '[', ']') && take_value(sieve, ret_value);
}

bool sieve_member(struct sieve *sieve, struct sieve_span *ret_key, struct sieve_span *ret_value)
{
    const struct sieve_span *text = &sieve->text;
    size_t end;

    if (!step(sieve, '{', '}'))
        return false;
    sieve->broken = true;
    if (at(text, sieve->pos) != '"')
        return false;
    end = skip_string(text, sieve->pos);
    if (end >= text->len)
        return false;
    *ret_key = (struct sieve_span){text->data + sieve->pos + 1, end - sieve->pos - 2};
    end = skip_space(text, end);
    if (at(text, end) != ':')
        return false;
    sieve->pos = skip_space(text, end + 1);
    return take_value(sieve, ret_value);
}

bool sieve_is(const struct sieve_span *key, const char *name)
{
    return key->len == strlen(name) && !memcmp(key->data, name, key->len);
}

static const struct rule *find_rule(const struct rules *rules, const struct sieve_span *key)
{
    for (const struct rule *rule = rules->list; rule->key; rule++)
        if (sieve_is(key, rule->key))
            return rule;
    return NULL;
}

static bool stays(const struct rules *rules, const struct rule *rule)
{
    return rules->only ? rule != NULL : !rule || rule->inner;
}

static void append(struct sieve_span *to, const char *data, size_t len)
{
    memmove(to->data + to->len, data, len);
    to->len += len;
}

/* Ends what was squeezed; nothing stays of what is no JSON. */
static void finish(struct sieve_span *to, const struct sieve *sieve, const char *brackets)
{
    if (sieve->broken) {
        to->len = 0;
        return;
    }
    if (!to->len)
        append(to, brackets, 1);
    append(to, brackets + 1, 1);
}

static void squeeze(struct sieve_span *value, const struct rules *rules);

/* Moves what stays towards the front; what is still to be read is never written to. */
static void squeeze_members(struct sieve_span *object, const struct rules *rules)
{
    struct sieve sieve = {.text = *object};
    struct sieve_span key, value;
    const struct rule *rule;

    object->len = 0;
    while (sieve_member(&sieve, &key, &value)) {
        rule = find_rule(rules, &key);
        if (!stays(rules, rule))
            continue;
        if (rule && rule->inner)
            squeeze(&value, rule->inner);
        append(object, object->len ? "," : "{", 1);
        append(object, key.data - 1, key.len + 2);
        append(object, ":", 1);
        append(object, value.data, value.len);
    }
    finish(object, &sieve, "{}");
}

static void squeeze_elements(struct sieve_span *array, const struct rules *rules)
{
    struct sieve sieve = {.text = *array};
    struct sieve_span value;

    array->len = 0;
    while (sieve_element(&sieve, &value)) {
        if (value.data[0] == '{')
            squeeze_members(&value, rules);
        append(array, array->len ? "," : "[", 1);
        append(array, value.data, value.len);
    }
    finish(array, &sieve, "[]");
}

static void squeeze(struct sieve_span *value, const struct rules *rules)
{
    if (value->data[0] == '{')
        squeeze_members(value, rules);
    else if (value->data[0] == '[')
        squeeze_elements(value, rules);
}

void sieve_item(struct sieve_span *item)
{
    squeeze_members(item, &item_rules);
}
