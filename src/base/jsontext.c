/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jsontext.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX   17 /* after which every double reads back the same */
#define NUMBER_BYTES 40

struct writer {
    struct buf *out;
    unsigned indent;
};

static int write_value(const struct writer *w, const json_t *value, unsigned depth);

/* ---- numbers */

/*
 * The fewest digits that read back as `value`, which is finite and not negative, and its decimal
 * exponent: value = D.DDD * 10^exponent. Whatever the locale has as a decimal point is left out.
 */
static size_t shortest_digits(double value, char digits[static DIGITS_MAX + 1], int *ret_exponent)
{
    char text[NUMBER_BYTES];
    size_t n = 0;
    int precision = 0;

    do
        snprintf(text, sizeof text, "%.*e", precision, value);
    while (++precision < DIGITS_MAX && strtod(text, NULL) != value);
    for (const char *p = text; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9')
            digits[n++] = *p;
    digits[n] = '\0';
    *ret_exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    return n;
}

/* As encoding/json has it: an exponent only for what is very large or very small. */
static int write_real(struct buf *out, double value)
{
    char digits[DIGITS_MAX + 1];
    int exponent, whole;
    size_t n = shortest_digits(fabs(value), digits, &exponent);
    int r = value < 0 ? buf_puts(out, "-") : 0; /* zero has no sign: "-0" is read as an integer */

    if (r)
        return r;
    if (exponent < -6 || exponent >= 21)
        return buf_printf(out, "%c%s%se%+d", digits[0], n > 1 ? "." : "", digits + 1, exponent);
    if (exponent < 0)
        return buf_printf(out, "0.%.*s%s", -exponent - 1, "00000", digits);
    whole = exponent + 1;
    if ((size_t)whole >= n)
        return buf_printf(out, "%s%.*s", digits, whole - (int)n, "00000000000000000000");
    return buf_printf(out, "%.*s.%s", whole, digits, digits + whole);
}

/* ---- strings */

static int write_escape(struct buf *out, uint32_t c)
{
    static const char letters[] = "\bb\ff\nn\rr\tt\"\"\\\\";

    for (const char *p = letters; c && *p; p += 2)
        if (c == (unsigned char)*p)
            return buf_append(out, (const char[]){'\\', p[1]}, 2);
    return buf_printf(out, "\\u%04x", (unsigned)c);
}

/* Steps over ASCII that stands for itself, which most of every text is. */
static const char *skip_plain(const char *text, const char *end)
{
    while (text < end && *text >= ' ' && *text < 0x7F && *text != '"' && *text != '\\')
        text++;
    return text;
}

static int write_string(struct buf *out, const char *text, size_t len)
{
    const char *end = text + len, *plain = text;
    int r = buf_puts(out, "\"");

    while (r == 0 && (text = skip_plain(text, end)) < end) {
        uint32_t c = 0;
        size_t n = text_utf8(text, (size_t)(end - text), &c);

        if (n && c != '"' && c != '\\' && !text_is_control(c)) {
            text += n;
            continue;
        }
        r = buf_append(out, plain, (size_t)(text - plain));
        if (r == 0)
            r = write_escape(out, n ? c : 0xFFFD); /* jansson lets no other bytes in */
        text += n ? n : 1;
        plain = text;
    }
    if (r == 0)
        r = buf_append(out, plain, (size_t)(text - plain));
    return r ? r : buf_puts(out, "\"");
}

/* ---- objects and arrays */

static int new_line(const struct writer *w, unsigned depth)
{
    return w->indent ? buf_printf(w->out, "\n%*s", (int)(w->indent * depth), "") : 0;
}

/* What stands before a member or an item. */
static int begin_part(const struct writer *w, size_t before, unsigned depth)
{
    int r = before > 0 ? buf_puts(w->out, ",") : 0;

    return r ? r : new_line(w, depth);
}

static int end_parts(const struct writer *w, size_t count, unsigned depth, const char *end)
{
    int r = count > 0 ? new_line(w, depth) : 0;

    return r ? r : buf_puts(w->out, end);
}

static int write_member(const struct writer *w, const char *key, size_t len, const json_t *value,
                        unsigned depth)
{
    int r = write_string(w->out, key, len);

    if (r == 0)
        r = buf_puts(w->out, w->indent ? ": " : ":");
    return r ? r : write_value(w, value, depth);
}

static int write_object(const struct writer *w, const json_t *object, unsigned depth)
{
    size_t n = 0, len;
    const char *key;
    json_t *value;
    int r = buf_puts(w->out, "{");

    json_object_keylen_foreach((json_t *)object, key, len, value)
    {
        if (r == 0)
            r = begin_part(w, n++, depth + 1);
        if (r == 0)
            r = write_member(w, key, len, value, depth + 1);
    }
    return r ? r : end_parts(w, n, depth, "}");
}

static int write_array(const struct writer *w, const json_t *array, unsigned depth)
{
    size_t n;
    json_t *value;
    int r = buf_puts(w->out, "[");

    json_array_foreach (array, n, value) {
        if (r == 0)
            r = begin_part(w, n, depth + 1);
        if (r == 0)
            r = write_value(w, value, depth + 1);
    }
    return r ? r : end_parts(w, n, depth, "]");
}

static int write_value(const struct writer *w, const json_t *value, unsigned depth)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return write_object(w, value, depth);
    case JSON_ARRAY:
        return write_array(w, value, depth);
    case JSON_STRING:
        return write_string(w->out, json_string_value(value), json_string_length(value));
    case JSON_INTEGER:
        return buf_printf(w->out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    case JSON_REAL:
        return write_real(w->out, json_real_value(value));
    case JSON_TRUE:
        return buf_puts(w->out, "true");
    case JSON_FALSE:
        return buf_puts(w->out, "false");
    case JSON_NULL:
        return buf_puts(w->out, "null");
    }
    return buf_puts(w->out, "null");
}

int jsontext_write(struct buf *out, const json_t *value, unsigned indent)
{
    const struct writer writer = {.out = out, .indent = indent};

    return write_value(&writer, value, 0);
}
