/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/kube_select.h"

#include "base/cleanup.h"
#include "base/jsonx.h"

#include <stdbool.h>
#include <string.h>

#define KEY_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./"

typedef int select_term_fn(char *term, const json_t *object);

/* Cuts spaces off both ends, in place. */
static char *trim(char *text)
{
    size_t len;

    text += strspn(text, " ");
    len = strlen(text);
    while (len > 0 && text[len - 1] == ' ')
        text[--len] = 0;
    return text;
}

static bool is_key(const char *text)
{
    return *text && text[strspn(text, KEY_CHARACTERS)] == 0;
}

static bool is_value(const char *text)
{
    return text[strspn(text, KEY_CHARACTERS)] == 0 && !strchr(text, '/');
}

/* Ends the term at `end` where its comma is, and gives the next one; NULL: it was the last. */
static char *cut_term(char *term)
{
    int depth = 0;

    for (; *term; term++) {
        depth += (*term == '(') - (*term == ')');
        if (*term == ',' && depth == 0) {
            *term = 0;
            return term + 1;
        }
    }
    return NULL;
}

static int match_all(const char *selector, const json_t *object, select_term_fn *match)
{
    _cleanup_(freep) char *copy = NULL;
    int result = 1;

    if (!selector || !*selector)
        return 1;
    copy = strdup(selector);
    for (char *term = copy, *next; term; term = next) {
        int r;

        next = cut_term(term);
        r = match(trim(term), object);
        if (r < 0)
            return r;
        result &= r;
    }
    return result;
}

/* Splits at = == or !=; *ret_not says which. The operator's place is NUL then. */
static char *split_equation(char *term, bool *ret_not)
{
    char *sign = strchr(term, '=');

    if (!sign)
        return NULL;
    *ret_not = sign > term && sign[-1] == '!';
    sign[-(int)*ret_not] = 0;
    return trim(sign[1] == '=' ? sign + 2 : sign + 1);
}

/* "(a,b)": 1 where the value is among them, -1 where it is not valid. */
static int is_among(char *set, const char *value)
{
    size_t len = strlen(set);
    int found = 0;

    if (len < 2 || set[0] != '(' || set[len - 1] != ')')
        return -1;
    set[len - 1] = 0;
    for (char *each = set + 1, *next; each; each = next) {
        next = cut_term(each);
        each = trim(each);
        if (!is_value(each))
            return -1;
        found |= value && strcmp(each, value) == 0;
    }
    return found;
}

static int match_set(const char *key, char *rest, const json_t *labels)
{
    const char *value = json_string_value(json_object_get(labels, key));
    bool not = strncmp(rest, "notin", 5) == 0;
    int r;

    if (!is_key(key) || (!not &&strncmp(rest, "in", 2) != 0))
        return -1;
    r = is_among(trim(rest + (not ? 5 : 2)), value);
    return r < 0 ? r : r != not ;
}

static int match_label(char *term, const json_t *object)
{
    const json_t *labels = jsonx_object(object, "metadata.labels");
    bool not = false;
    char *space, *value;

    if (*term == '!')
        return is_key(term + 1) ? !json_object_get(labels, term + 1) : -1;
    value = strchr(term, '(') ? NULL : split_equation(term, &not );
    if (value) {
        const char *have = json_string_value(json_object_get(labels, trim(term)));

        if (!is_key(trim(term)) || !is_value(value))
            return -1;
        return (have && strcmp(have, value) == 0) != not ;
    }
    space = strchr(term, ' ');
    if (!space)
        return is_key(term) ? json_object_get(labels, term) != NULL : -1;
    *space = 0;
    return match_set(term, trim(space + 1), labels);
}

int select_labels(const char *selector, const json_t *object)
{
    return match_all(selector, object, match_label);
}

static int match_field(char *term, const json_t *object)
{
    static const char *const known[] = {"metadata.name", "metadata.namespace", "spec.nodeName",
                                        "status.phase"};
    bool not = false;
    const char *value = split_equation(term, &not ), *have;

    for (size_t i = 0; value && i < ELEMENTS(known); i++) {
        if (strcmp(trim(term), known[i]) == 0) {
            have = jsonx_string(object, known[i]);
            return (strcmp(have ? have : "", value) == 0) != not ;
        }
    }
    return -1;
}

int select_fields(const char *selector, const json_t *object)
{
    return match_all(selector, object, match_field);
}
