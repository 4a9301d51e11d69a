/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/sieve.h"

#include "base/cleanup.h"

#include <string.h>

/* A member to leave out, or with `inner` one in which, or in whose elements, to go on. */
struct rule {
    const char *key;
    const struct rule *inner;
};

static const struct rule metadata_rules[] = {{"managedFields", NULL}, {NULL, NULL}};
static const struct rule container_rules[] = {
    {"env", NULL},           {"ports", NULL},          {"resources", NULL}, {"volumeMounts", NULL},
    {"livenessProbe", NULL}, {"readinessProbe", NULL}, {NULL, NULL}};
static const struct rule spec_rules[] = {{"affinity", NULL},
                                         {"tolerations", NULL},
                                         {"volumes", NULL},
                                         {"containers", container_rules},
                                         {NULL, NULL}};
static const struct rule status_rules[] = {{"images", NULL}, {NULL, NULL}};
static const struct rule item_rules[] = {
    {"metadata", metadata_rules}, {"spec", spec_rules}, {"status", status_rules}, {NULL, NULL}};

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

static const struct rule *find_rule(const struct rule *rules, const struct sieve_span *key)
{
    for (; rules->key; rules++)
        if (sieve_is(key, rules->key))
            return rules;
    return NULL;
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

static void squeeze(struct sieve_span *value, const struct rule *rules);

/* Moves what stays towards the front; what is still to be read is never written to. */
static void squeeze_members(struct sieve_span *object, const struct rule *rules)
{
    struct sieve sieve = {.text = *object};
    struct sieve_span key, value;
    const struct rule *rule;

    object->len = 0;
    while (sieve_member(&sieve, &key, &value)) {
        rule = find_rule(rules, &key);
        if (rule && !rule->inner)
            continue;
        if (rule)
            squeeze(&value, rule->inner);
        append(object, object->len ? "," : "{", 1);
        append(object, key.data - 1, key.len + 2);
        append(object, ":", 1);
        append(object, value.data, value.len);
    }
    finish(object, &sieve, "{}");
}

static void squeeze_elements(struct sieve_span *array, const struct rule *rules)
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

static void squeeze(struct sieve_span *value, const struct rule *rules)
{
    if (value->data[0] == '{')
        squeeze_members(value, rules);
    else if (value->data[0] == '[')
        squeeze_elements(value, rules);
}

void sieve_item(struct sieve_span *item)
{
    squeeze_members(item, item_rules);
}
