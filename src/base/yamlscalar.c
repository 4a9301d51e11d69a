/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yamlscalar.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <string.h>
#include <yaml.h>

#define OCTAL       "01234567"
#define DECIMAL     OCTAL "89"
#define HEXADECIMAL DECIMAL "abcdefABCDEF"

#define WHOLE_MAX 9007199254740992.0 /* up to which a double holds every integer */

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
    static const char *const words[] = {"true", "True", "TRUE", "yes", "Yes", "YES",
                                        "y",    "Y",    "on",   "On",  "ON",  NULL};

    return is_one_of(text, words);
}

static bool is_false(const char *text)
{
    static const char *const words[] = {"false", "False", "FALSE", "no",  "No",  "NO",
                                        "n",     "N",     "off",   "Off", "OFF", NULL};

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

/* ---- numbers */

/*
 * The base of an integer without its sign, or 0 where the text is none, and where its digits
 * begin. What begins with a 0 is octal, but for what has an 8 or a 9 in it.
 */
static int integer_base(const char *text, const char **ret_digits)
{
    static const struct {
        const char *prefix, *digits;
        int base;
    } forms[] = {
        {"0b", "01", 2},         {"0B", "01", 2},         {"0o", OCTAL, 8}, {"0O", OCTAL, 8},
        {"0x", HEXADECIMAL, 16}, {"0X", HEXADECIMAL, 16}, {"0", OCTAL, 8},  {"", DECIMAL, 10},
    };

    for (size_t i = 0; i < ELEMENTS(forms); i++) {
        size_t skip = strlen(forms[i].prefix);

        *ret_digits = text + skip;
        if (strncmp(text, forms[i].prefix, skip) == 0 && text[skip] &&
            !text[skip + strspn(text + skip, forms[i].digits)])
            return forms[i].base;
    }
    return 0;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_real(const char *text)
{
    size_t whole, fraction = 0;

    text += sign_length(text);
    whole = strspn(text, DECIMAL);
    text += whole;
    if (*text == '.') {
        fraction = strspn(++text, DECIMAL);
        text += fraction;
    }
    if (!whole && !fraction)
        return false;
    if (*text == 'e' || *text == 'E') {
        text += 1 + sign_length(text + 1);
        if (!*text)
            return false;
        text += strspn(text, DECIMAL);
    }
    return !*text;
}

/* False where it does not fit. */
static bool to_integer(const char *digits, int base, bool negative, json_int_t *ret)
{
    const uintmax_t most = (uintmax_t)INT64_MAX + negative;
    uintmax_t value;

    errno = 0;
    value = strtoumax(digits, NULL, base);
    *ret = negative ? (json_int_t)(0 - value) : (json_int_t)value;
    return !errno && value <= most;
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
        *ret_problem = "the number is too large: put it in quotes if it is a text";
        return -1;
    }
    *ret = json_real(value);
    return *ret ? 0 : -1;
}

/*
 * A number without the underscores in it, which the caller frees; NULL in *ret where they make it a
 * text. They may be anywhere behind a first digit or sign, but behind a dot only between digits.
 */
static int without_underscores(const char *text, char **ret)
{
    char *out = strdup(text), *end = out;

    if (!out)
        return -1;
    for (const char *p = text; *p; p++) {
        bool between = p > text && strchr(DECIMAL, p[-1]) && p[1] && strchr(DECIMAL, p[1]);

        if (*p != '_') {
            *end++ = *p;
        } else if (*text == '.' && !between) {
            free(out);
            out = NULL;
            break;
        }
    }
    if (out)
        *end = '\0';
    *ret = out;
    return 0;
}

/* Leaves *ret NULL where the text is no number. */
static int resolve_number(const char *text, bool lax, json_t **ret, const char **ret_problem)
{
    _cleanup_(freep) char *plain = NULL;
    const char *digits;
    json_int_t integer;
    int base;

    if (!*text || !strchr("+-." DECIMAL, *text))
        return 0;
    if (without_underscores(text, &plain) < 0)
        return -1;
    if (!plain)
        return 0;
    base = integer_base(plain + sign_length(plain), &digits);
    if (base && to_integer(digits, base, *plain == '-', &integer)) {
        *ret = json_integer(integer);
        return *ret ? 0 : -1;
    }
    if (base && !(lax && is_real(plain))) {
        *ret_problem = "the number does not fit into 64 bits: put it in quotes if it is a text";
        return -1;
    }
    return is_real(plain) ? resolve_real(plain, ret, ret_problem) : 0;
}

/* ---- scalars */

static int resolve_plain(const struct yamlscalar *scalar, json_t **ret, const char **ret_problem)
{
    const char *text = scalar->text;
    json_t *value = NULL;

    if (is_not_finite(text)) {
        *ret_problem = "infinity and not-a-number are not supported";
        return -1;
    }
    if (resolve_number(text, scalar->lax, &value, ret_problem) < 0)
        return -1;
    if (!value && is_null(text))
        value = json_null();
    else if (!value && (is_true(text) || is_false(text)))
        value = json_boolean(is_true(text));
    else if (!value)
        value = json_stringn(text, scalar->len);
    *ret = value;
    return value ? 0 : -1;
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
    *ret = TAKE_PTR(value);
    return 0;
}

static int resolve_any(const struct yamlscalar *scalar, json_t **ret, const char **ret_problem)
{
    if (scalar->tag && strcmp(scalar->tag, YAML_STR_TAG) != 0)
        return resolve_tagged(scalar, ret, ret_problem);
    if (!scalar->tag && scalar->plain)
        return resolve_plain(scalar, ret, ret_problem);
    *ret = json_stringn(scalar->text, scalar->len);
    return *ret ? 0 : -1;
}

/* JSON has one kind of number: 1e3 is 1000 for whoever reads it as an integer. */
static bool is_whole(const json_t *value)
{
    double number = json_real_value(value);

    return json_is_real(value) && fabs(number) < WHOLE_MAX && (double)(json_int_t)number == number;
}

int yamlscalar_resolve(const struct yamlscalar *scalar, json_t **ret, const char **ret_problem)
{
    json_auto_t *value = NULL;

    *ret_problem = NULL;
    if (strlen(scalar->text) != scalar->len) {
        *ret_problem = "a NUL character is not supported";
        return -1;
    }
    if (resolve_any(scalar, &value, ret_problem) < 0)
        return -1;
    *ret = is_whole(value) ? json_integer((json_int_t)json_real_value(value)) : TAKE_PTR(value);
    return *ret ? 0 : -1;
}
