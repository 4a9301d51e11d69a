/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/affinity.h"

#include "base/jsonx.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

/* strconv.ParseInt(): a sign and leading zeros are fine, blanks are not. */
static bool parse_int(const char *text, int64_t *ret)
{
    char *end;

    if (text_empty(text) || !strchr("+-0123456789", text[0]))
        return false;
    errno = 0;
    *ret = strtoll(text, &end, 10);
    return errno == 0 && *end == 0;
}

static bool is_among(const char *value, const json_t *values)
{
    const json_t *each;
    size_t i;

    json_array_foreach (values, i, each) {
        if (text_equal(json_string_value(each), value))
            return true;
    }
    return false;
}

/* Does `value` (NULL: there is none) meet the requirement? True for one that the API refuses. */
static bool meets(const json_t *requirement, const char *value)
{
    const json_t *values = jsonx_array(requirement, "values");
    const char *op = jsonx_string(requirement, "operator");
    int64_t bound, number;

    if (text_equal(op, "Exists"))
        return value != NULL;
    if (text_equal(op, "DoesNotExist"))
        return value == NULL;
    if (json_array_size(values) == 0)
        return true;
    if (text_equal(op, "In"))
        return value && is_among(value, values);
    if (text_equal(op, "NotIn"))
        return !value || !is_among(value, values);
    if (!text_equal(op, "Gt") && !text_equal(op, "Lt"))
        return true;
    if (!parse_int(json_string_value(json_array_get(values, 0)), &bound))
        return true;
    return parse_int(value, &number) && (*op == 'G' ? number > bound : number < bound);
}

/* The one field that a node can be chosen by is its name. */
static bool meets_all(const json_t *requirements, const json_t *labels, const char *name)
{
    const json_t *requirement;
    size_t i;

    json_array_foreach (requirements, i, requirement) {
        const char *key = jsonx_string(requirement, "key");
        const char *value = name;

        if (!key || (name && strcmp(key, "metadata.name") != 0))
            continue;
        if (!name)
            value = json_string_value(json_object_get(labels, key));
        if (!meets(requirement, value))
            return false;
    }
    return true;
}

/* An empty term matches nothing. */
static bool is_empty(const json_t *term)
{
    return json_array_size(jsonx_array(term, "matchExpressions")) == 0 &&
           json_array_size(jsonx_array(term, "matchFields")) == 0;
}

static bool term_allows(const json_t *term, const json_t *node)
{
    const char *name = jsonx_string(node, "metadata.name");

    return !is_empty(term) &&
           meets_all(jsonx_array(term, "matchExpressions"), jsonx_object(node, "metadata.labels"),
                     NULL) &&
           meets_all(jsonx_array(term, "matchFields"), NULL, name ? name : "");
}

static bool selector_allows(const json_t *selector, const json_t *node)
{
    const json_t *labels = jsonx_object(node, "metadata.labels");
    const char *key;
    json_t *value;

    json_object_foreach ((json_t *)(uintptr_t)selector, key, value) {
        if (json_is_string(value) && !json_equal(json_object_get(labels, key), value))
            return false;
    }
    return true;
}

bool affinity_allows(const json_t *selector, const json_t *terms, const json_t *node)
{
    bool allowed = json_array_size(terms) == 0;
    const json_t *term;
    size_t i;

    json_array_foreach (terms, i, term)
        allowed |= term_allows(term, node);
    return allowed && selector_allows(selector, node);
}

/* What the term says and the requirement as well; one that is empty stays so. NULL: no memory. */
static json_t *narrow(const json_t *term, json_t *requirement)
{
    const json_t *given = jsonx_array(term, "matchFields");
    json_auto_t *fields = given ? json_deep_copy(given) : json_array();
    json_auto_t *narrowed = json_deep_copy(term);

    if (!is_empty(term) && (json_array_append(fields, requirement) < 0 ||
                            json_object_set(narrowed, "matchFields", fields) < 0))
        return NULL;
    return TAKE_PTR(narrowed);
}

int affinity_pin(const json_t *terms, const char *node, json_t **ret, struct casb_error *err)
{
    json_auto_t *pinned = json_array(), *requirement = NULL;
    const json_t *term;
    size_t i;
    int r;

    r = jsonx_pack(&requirement, err, "{s:s, s:s, s:[s]}", "key", "metadata.name", "operator", "In",
                   "values", node);
    if (r < 0)
        return r;
    if (json_array_size(terms) == 0)
        return jsonx_pack(ret, err, "[{s:[O]}]", "matchFields", requirement);
    json_array_foreach (terms, i, term) {
        if (json_array_append_new(pinned, narrow(term, requirement)) < 0)
            return err_nomem(err);
    }
    *ret = TAKE_PTR(pinned);
    return 0;
}
