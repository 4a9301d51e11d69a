/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jsonread.h"

#include "base/buf.h"
#include "base/text.h"

#include <cas-backup/error.h>

#include <math.h>
#include <string.h>

#define DEPTH_MAX  2048
#define UTF8_BYTES 4 /* of a character, at the most */

struct reader {
    const char *at, *end;
    size_t depth;
    const char *problem;
};

static int read_value(struct reader *r, json_t **ret);

static int fail(struct reader *r, const char *problem)
{
    r->problem = problem;
    return CASB_EINVALID;
}

/* The next byte; -1 at the end. */
static int peek(const struct reader *r)
{
    return r->at < r->end ? (unsigned char)*r->at : -1;
}

static bool skip(struct reader *r, char c)
{
    bool found = peek(r) == c;

    r->at += found;
    return found;
}

static void skip_blanks(struct reader *r)
{
    while (r->at < r->end && *r->at && strchr(" \t\r\n", *r->at))
        r->at++;
}

/* What is wrong with the next byte where another one should stand. */
static int unexpected(struct reader *r, const char *expected)
{
    return fail(r, peek(r) < 0 ? "premature end of input" : expected);
}

/* ---- strings */

/* Steps over the characters that stand for themselves. */
static int skip_plain(struct reader *r)
{
    uint32_t c;
    size_t n;

    while (peek(r) >= ' ' && *r->at != '"' && *r->at != '\\') {
        n = text_utf8(r->at, (size_t)(r->end - r->at), &c);
        if (!n)
            return fail(r, "it is not UTF-8");
        r->at += n;
    }
    return peek(r) >= ' ' ? 0 : unexpected(r, "control character in a string");
}

/* Four hexadecimal digits. */
static int read_unit(struct reader *r, uint32_t *ret)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    uint32_t unit = 0;

    for (int i = 0; i < 4; i++) {
        const char *digit = peek(r) > 0 ? strchr(digits, *r->at) : NULL;

        if (!digit)
            return unexpected(r, "invalid escape");
        unit = unit << 4 | (uint32_t)((digit - digits) & 15);
        r->at++;
    }
    *ret = unit;
    return 0;
}

/* What follows \u: one unit of UTF-16, or two for what one cannot hold. */
static int read_code(struct reader *r, uint32_t *ret)
{
    uint32_t high, low;
    int rc = read_unit(r, &high);

    if (rc)
        return rc;
    *ret = high;
    if (high < 0xD800 || high > 0xDFFF)
        return 0;
    if (high > 0xDBFF || !skip(r, '\\') || !skip(r, 'u'))
        return fail(r, "invalid surrogate");
    rc = read_unit(r, &low);
    if (rc == 0 && (low < 0xDC00 || low > 0xDFFF))
        rc = fail(r, "invalid surrogate");
    if (rc == 0)
        *ret = 0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF);
    return rc;
}

static int append_code(struct buf *out, uint32_t c)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    char bytes[UTF8_BYTES];

    for (size_t i = n; i-- > 1; c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3F));
    bytes[0] = (char)(n == 1 ? c : (0xF00 >> n & 0xFF) | c);
    return buf_append(out, bytes, n);
}

/* What follows a backslash, decoded. */
static int read_escape(struct reader *r, struct buf *out)
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *name = peek(r) > 0 ? strchr(names, *r->at) : NULL;
    uint32_t c;
    int rc;

    if (name) {
        r->at++;
        return buf_append(out, &meanings[name - names], 1);
    }
    if (!skip(r, 'u'))
        return unexpected(r, "invalid escape");
    rc = read_code(r, &c);
    return rc ? rc : append_code(out, c);
}

/*
 * The bytes of a string: of the text itself where nothing is escaped, else decoded into `out`.
 * Borrowed from either.
 */
static int read_string(struct reader *r, struct buf *out, const char **ret, size_t *ret_len)
{
    const char *start = ++r->at;
    int rc;

    while ((rc = skip_plain(r)) == 0 && *r->at == '\\') {
        rc = buf_append(out, start, (size_t)(r->at++ - start));
        if (rc == 0)
            rc = read_escape(r, out);
        if (rc)
            return rc;
        start = r->at;
    }
    if (rc == 0 && out->len > 0)
        rc = buf_append(out, start, (size_t)(r->at - start));
    if (rc)
        return rc;
    *ret = out->len > 0 ? out->data : start;
    *ret_len = out->len > 0 ? out->len : (size_t)(r->at - start);
    r->at++;
    return 0;
}

static int read_text(struct reader *r, json_t **ret)
{
    _cleanup_(buf_free_secret) struct buf decoded = BUF_INIT(SIZE_MAX);
    const char *text;
    size_t len;
    int rc = read_string(r, &decoded, &text, &len);

    if (rc)
        return rc;
    *ret = json_stringn_nocheck(text, len);
    return *ret ? 0 : CASB_ENOMEM;
}

/* ---- numbers */

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool skip_digits(struct reader *r)
{
    const char *start = r->at;

    while (is_digit(peek(r)))
        r->at++;
    return r->at > start;
}

/* Steps over a number and tells whether it is more than an integer. */
static int skip_number(struct reader *r, bool *ret_real)
{
    const char *start;

    (void)skip(r, '-');
    start = r->at;
    if (!skip_digits(r))
        return unexpected(r, "invalid number");
    if (*start == '0' && r->at > start + 1)
        return fail(r, "a number begins with 0");
    *ret_real = false;
    if (skip(r, '.')) {
        *ret_real = true;
        if (!skip_digits(r))
            return unexpected(r, "invalid number");
    }
    if (skip(r, 'e') || skip(r, 'E')) {
        *ret_real = true;
        if (!skip(r, '-'))
            (void)skip(r, '+');
        if (!skip_digits(r))
            return unexpected(r, "invalid number");
    }
    return 0;
}

/* False where it does not fit. */
static bool to_integer(const char *start, const char *end, json_int_t *ret)
{
    bool negative = *start == '-';
    json_int_t n = 0;

    for (const char *p = start + negative; p < end; p++)
        if (__builtin_mul_overflow(n, 10, &n) ||
            __builtin_sub_overflow(n, (json_int_t)(*p - '0'), &n))
            return false;
    *ret = n;
    return negative || !__builtin_sub_overflow(0, n, ret);
}

static int read_real(struct reader *r, const char *start, json_t **ret)
{
    _cleanup_(freep) char *text = strndup(start, (size_t)(r->at - start));
    double real;

    if (!text)
        return CASB_ENOMEM;
    real = strtod(text, NULL);
    if (!isfinite(real))
        return fail(r, "too big number");
    *ret = json_real(real);
    return *ret ? 0 : CASB_ENOMEM;
}

static int read_number(struct reader *r, json_t **ret)
{
    const char *start = r->at;
    json_int_t integer;
    bool real;
    int rc = skip_number(r, &real);

    if (rc)
        return rc;
    if (real || !to_integer(start, r->at, &integer))
        return read_real(r, start, ret);
    *ret = json_integer(integer);
    return *ret ? 0 : CASB_ENOMEM;
}

/* ---- objects, arrays, words */

static int read_member(struct reader *r, json_t *object)
{
    _cleanup_(buf_free_secret) struct buf decoded = BUF_INIT(SIZE_MAX);
    const char *start = r->at, *key;
    json_t *value;
    size_t len;
    int rc;

    if (peek(r) != '"')
        return unexpected(r, "a key must be a string");
    rc = read_string(r, &decoded, &key, &len);
    if (rc)
        return rc;
    if (memchr(key, '\0', len) || json_object_getn(object, key, len)) {
        r->at = start;
        return fail(r, memchr(key, '\0', len) ? "NUL in a key" : "duplicate object key");
    }
    skip_blanks(r);
    if (!skip(r, ':'))
        return unexpected(r, "':' expected");
    rc = read_value(r, &value);
    if (rc)
        return rc;
    return json_object_setn_new_nocheck(object, key, len, value) ? CASB_ENOMEM : 0;
}

static int read_item(struct reader *r, json_t *array)
{
    json_t *value;
    int rc = read_value(r, &value);

    if (rc)
        return rc;
    return json_array_append_new(array, value) ? CASB_ENOMEM : 0;
}

/* The members up to `close`. */
static int read_members(struct reader *r, json_t *into, char close,
                        int (*read)(struct reader *r, json_t *into))
{
    int rc;

    r->at++;
    skip_blanks(r);
    if (skip(r, close))
        return 0;
    do {
        skip_blanks(r);
        rc = read(r, into);
        if (rc)
            return rc;
        skip_blanks(r);
    } while (skip(r, ','));
    return skip(r, close) ? 0 : unexpected(r, close == '}' ? "'}' expected" : "']' expected");
}

static int read_container(struct reader *r, json_t **ret)
{
    bool object = *r->at == '{';
    json_auto_t *container = NULL;
    int rc;

    if (r->depth == DEPTH_MAX)
        return fail(r, "nested too deep");
    container = object ? json_object() : json_array();
    if (!container)
        return CASB_ENOMEM;
    r->depth++;
    rc = read_members(r, container, object ? '}' : ']', object ? read_member : read_item);
    r->depth--;
    if (rc == 0)
        *ret = TAKE_PTR(container);
    return rc;
}

/* jansson's three constants cannot fail. */
static int read_word(struct reader *r, json_t **ret)
{
    static const char *const words[] = {"null", "false", "true"};

    for (size_t i = 0; i < ELEMENTS(words); i++) {
        size_t len = strlen(words[i]);

        if ((size_t)(r->end - r->at) < len || memcmp(r->at, words[i], len) != 0)
            continue;
        r->at += len;
        *ret = i == 0 ? json_null() : json_boolean(i == 2);
        return 0;
    }
    return unexpected(r, "a value expected");
}

static int read_value(struct reader *r, json_t **ret)
{
    int c;

    skip_blanks(r);
    c = peek(r);
    if (c == '{' || c == '[')
        return read_container(r, ret);
    if (c == '"')
        return read_text(r, ret);
    return c == '-' || is_digit(c) ? read_number(r, ret) : read_word(r, ret);
}

int jsonread_value(const char *text, size_t len, json_t **ret, size_t *ret_len,
                   struct jsonread_fault *ret_fault)
{
    struct reader r = {.at = text, .end = text + len};
    int rc = read_value(&r, ret);

    if (rc == 0)
        *ret_len = (size_t)(r.at - text);
    else
        *ret_fault = (struct jsonread_fault){(size_t)(r.at - text), r.problem};
    return rc;
}
