/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yamlscalar.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <string.h>
#include <yaml.h>

#define DIGITS "0123456789"

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

static bool is_null(const char *text)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};

    return is_one_of(text, words);
}

static bool is_true(const char *text)
{
    static const char *const words[] = {"true", "True", "TRUE", NULL};

    return is_one_of(text, words);
}

static bool is_false(const char *text)
{
    static const char *const words[] = {"false", "False", "FALSE", NULL};

    return is_one_of(text, words);
}

static size_t sign_length(const char *text)
{
    return *text == '-' || *text == '+';
}

static bool is_not_finite(const char *text)
{
    static const char *const infinite[] = {".inf", ".Inf", ".INF", NULL};
    static const char *const nans[] = {".nan", ".NaN", ".NAN", NULL};

    return is_one_of(text, nans) || is_one_of(text + sign_length(text), infinite);
}

/* The base of an integer, or 0 where the text is none. */
static int integer_base(const char *text)
{
    static const struct {
        const char *prefix, *digits;
        int base;
    } forms[] = {
        {"0o", "01234567", 8},
        {"0x", DIGITS "abcdefABCDEF", 16},
    };
    const char *decimal = text + sign_length(text);

    for (size_t i = 0; i < ELEMENTS(forms); i++)
        if (strncmp(text, forms[i].prefix, 2) == 0 && text[2] &&
            !text[2 + strspn(text + 2, forms[i].digits)])
            return forms[i].base;
    return *decimal && !decimal[strspn(decimal, DIGITS)] ? 10 : 0;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_real(const char *text)
{
    size_t whole, fraction = 0;

    text += sign_length(text);
    whole = strspn(text, DIGITS);
    text += whole;
    if (*text == '.') {
        fraction = strspn(++text, DIGITS);
        text += fraction;
    }
    if (!whole && !fraction)
        return false;
    if (*text == 'e' || *text == 'E') {
        text += 1 + sign_length(text + 1);
        if (!*text)
            return false;
        text += strspn(text, DIGITS);
    }
    return !*text;
}

static int resolve_integer(const char *text, int base, json_t **ret, const char **ret_problem)
{
    intmax_t value;

    errno = 0;
    value = strtoimax(base == 10 ? text : text + 2, NULL, base);
    if (errno || value > INT64_MAX || value < INT64_MIN) {
        *ret_problem = "the number does not fit into 64 bits: put it in quotes if it is a text";
        return -1;
    }
    *ret = json_integer(value);
    return *ret ? 0 : -1;
}

/* strtod() would follow the locale of the process in what a decimal point is. */
static int resolve_real(const char *text, json_t **ret, const char **ret_problem)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", NULL);
    double value;

    if (!c)
        return -1;
    value = strtod_l(text, NULL, c);
    freelocale(c);
    if (!isfinite(value)) {
        *ret_problem = "the number is too large";
        return -1;
    }
    *ret = json_real(value);
    return *ret ? 0 : -1;
}

static int resolve_plain(const struct yamlscalar *scalar, json_t **ret, const char **ret_problem)
{
    const char *text = scalar->text;
    int base = integer_base(text);

    if (is_not_finite(text)) {
        *ret_problem = "infinity and not-a-number are not supported";
        return -1;
    }
    if (base)
        return resolve_integer(text, base, ret, ret_problem);
    if (is_real(text))
        return resolve_real(text, ret, ret_problem);
    if (is_null(text))
        *ret = json_null();
    else if (is_true(text) || is_false(text))
        *ret = json_boolean(is_true(text));
    else
        *ret = json_stringn(text, scalar->len);
    return *ret ? 0 : -1;
}

static bool fits_tag(const json_t *value, const char *tag)
{
    switch (json_typeof(value)) {
    case JSON_NULL:
        return strcmp(tag, YAML_NULL_TAG) == 0;
    case JSON_TRUE:
    case JSON_FALSE:
        return strcmp(tag, YAML_BOOL_TAG) == 0;
    case JSON_INTEGER:
        return strcmp(tag, YAML_INT_TAG) == 0 || strcmp(tag, YAML_FLOAT_TAG) == 0;
    case JSON_REAL:
        return strcmp(tag, YAML_FLOAT_TAG) == 0;
    default:
        return false;
    }
}

static int resolve_tagged(const struct yamlscalar *scalar, json_t **ret, const char **ret_problem)
{
    json_auto_t *value = NULL;
    int rc = resolve_plain(scalar, &value, ret_problem);

    if (rc < 0)
        return rc;
    if (!fits_tag(value, scalar->tag)) {
        *ret_problem = "the tag is not supported here or does not fit the value";
        return -1;
    }
    *ret = json_is_integer(value) && strcmp(scalar->tag, YAML_FLOAT_TAG) == 0
               ? json_real((double)json_integer_value(value))
               : TAKE_PTR(value);
    return *ret ? 0 : -1;
}

int yamlscalar_resolve(const struct yamlscalar *scalar, json_t **ret, const char **ret_problem)
{
    *ret_problem = NULL;
    if (strlen(scalar->text) != scalar->len) {
        *ret_problem = "a NUL character is not supported";
        return -1;
    }
    if (scalar->tag && strcmp(scalar->tag, YAML_STR_TAG) != 0)
        return resolve_tagged(scalar, ret, ret_problem);
    if (scalar->tag || !scalar->plain) {
        *ret = json_stringn(scalar->text, scalar->len);
        return *ret ? 0 : -1;
    }
    return resolve_plain(scalar, ret, ret_problem);
}
