/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <cas-backup/error.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#define LABEL_MAX     63
#define LABEL_DIGITS  10
#define NAME_MAX_DNS  253
#define YEARS_100_NS  (INT64_C(100) * 365 * 24 * 3600 * 1000000000)
#define NEAREST_BYTES 64

int text_dup(const char *text, char **ret)
{
    *ret = text ? strdup(text) : NULL;
    return text && !*ret ? CASB_ENOMEM : 0;
}

bool text_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool text_empty(const char *text)
{
    return !text || !*text;
}

/* ---- cleaning */

/*
 * The length of the valid UTF-8 sequence at p (RFC 3629: no overlong forms, no surrogates), or 0.
 */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    static const struct {
        unsigned char from, to, second_from, second_to;
        size_t len;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < ELEMENTS(forms); i++) {
        if (p[0] < forms[i].from || p[0] > forms[i].to)
            continue;
        if (forms[i].len == 1)
            return 1;
        if (left < forms[i].len || p[1] < forms[i].second_from || p[1] > forms[i].second_to)
            return 0;
        for (size_t k = 2; k < forms[i].len; k++)
            if ((p[k] & 0xc0) != 0x80)
                return 0;
        return forms[i].len;
    }
    return 0;
}

/* The length of the escape sequence at p (ECMA-48: ESC, or CSI with its parameters). */
static size_t escape_length(const unsigned char *p, size_t left)
{
    size_t n = 2;

    if (left < 2 || p[1] != '[')
        return left < 2 ? left : 2;
    while (n < left && (p[n] < 0x40 || p[n] > 0x7e))
        n++;
    return n < left ? n + 1 : n;
}

/* C0 controls, DEL, and C1 controls in UTF-8 (0xc2 0x80 to 0xc2 0x9f). */
static bool is_control(const unsigned char *p, size_t len)
{
    return (len == 1 && (p[0] < 0x20 || p[0] == 0x7f)) || (len == 2 && p[0] == 0xc2 && p[1] < 0xa0);
}

/* What becomes of one clean piece of text. */
struct cleaner {
    char *out;
    size_t size, len;
    size_t cut; /* the last length at which "..." still fits */
    bool space, full;
};

static void put(struct cleaner *c, const void *piece, size_t len)
{
    if (c->full)
        return;
    if (c->len + len >= c->size) {
        c->full = true;
        return;
    }
    memcpy(c->out + c->len, piece, len);
    c->len += len;
    if (c->len + 3 < c->size)
        c->cut = c->len;
}

static void put_pending_space(struct cleaner *c)
{
    if (c->space && c->len > 0)
        put(c, " ", 1);
    c->space = false;
}

char *text_clean_bytes(char *out, size_t size, const char *text, size_t len)
{
    struct cleaner c = {.out = out, .size = size};
    const unsigned char *p = (const unsigned char *)text;
    size_t step;

    for (; len > 0 && !c.full; p += step, len -= step) {
        step = utf8_length(p, len);
        if (*p == 0x1b) {
            step = escape_length(p, len);
            c.space = true;
        } else if (step == 0) {
            step = 1;
            put_pending_space(&c);
            put(&c, "?", 1);
        } else if (*p == ' ' || is_control(p, step)) {
            c.space = true;
        } else {
            put_pending_space(&c);
            put(&c, p, step);
        }
    }
    if (c.full && size > 3) {
        memcpy(out + c.cut, "...", 3);
        c.len = c.cut + 3;
    }
    out[c.len] = '\0';
    return out;
}

char *text_clean(char *out, size_t size, const char *text)
{
    return text_clean_bytes(out, size, text, strlen(text));
}

/* ---- numbers, durations, addresses */

int text_parse_int(const char *text, int64_t min, int64_t max, int64_t *ret)
{
    long long value;
    char *end;

    if (!isdigit((unsigned char)text[0]))
        return CASB_EINVALID;
    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno || *end || value < min || value > max)
        return CASB_EINVALID;
    *ret = value;
    return 0;
}

/* The unit at *p in nanoseconds; 0: none. */
static int64_t take_unit(const char **p)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {
        {"ms", INT64_C(1000000)},           {"s", INT64_C(1000000000)},
        {"m", INT64_C(60000000000)},        {"h", INT64_C(3600000000000)},
        {"d", INT64_C(24) * 3600000000000},
    };

    for (size_t i = 0; i < ELEMENTS(units); i++) {
        size_t len = strlen(units[i].name);

        if (strncmp(*p, units[i].name, len) == 0) {
            *p += len;
            return units[i].ns;
        }
    }
    return 0;
}

int text_parse_duration(const char *text, int64_t *ret_ns)
{
    int64_t total_ns = 0, unit_ns;
    long long number;
    char *end;

    do {
        if (!isdigit((unsigned char)*text))
            return CASB_EINVALID;
        errno = 0;
        number = strtoll(text, &end, 10);
        text = end;
        unit_ns = take_unit(&text);
        if (errno || unit_ns == 0 || number > (YEARS_100_NS - total_ns) / unit_ns)
            return CASB_EINVALID;
        total_ns += number * unit_ns;
    } while (*text);
    if (total_ns == 0)
        return CASB_EINVALID;
    *ret_ns = total_ns;
    return 0;
}

static bool is_ip6(const char *text)
{
    struct in6_addr addr;

    return inet_pton(AF_INET6, text, &addr) == 1;
}

/* A name by RFC 1123, section 2.1; an IPv4 address is one too. */
static bool is_host_name(const char *text)
{
    size_t len = 0;

    if (strlen(text) > NAME_MAX_DNS)
        return false;
    for (const char *p = text;; p++) {
        if (isalnum((unsigned char)*p) || *p == '-' || *p == '_') {
            len++;
            continue;
        }
        if ((*p != '.' && *p) || len == 0 || len > LABEL_MAX || p[-1] == '-' || p[-(int)len] == '-')
            return false;
        if (!*p)
            return true;
        len = 0;
    }
}

int text_parse_address(const char *text, uint16_t default_port, char host[static 256],
                       uint16_t *ret_port)
{
    bool bracket = text[0] == '[';
    const char *end = bracket ? strchr(text, ']') : strchr(text, ':'), *port = NULL;
    char name[256];
    int64_t number = default_port;
    size_t len;

    if (bracket && !end)
        return CASB_EINVALID;
    if (!bracket && end && strchr(end + 1, ':'))
        end = NULL; /* a bare IPv6 address */
    text += bracket;
    len = end ? (size_t)(end - text) : strlen(text);
    if (len >= sizeof name)
        return CASB_EINVALID;
    memcpy(name, text, len);
    name[len] = '\0';
    if (end)
        port = bracket ? end + 1 : end;
    if (port && *port && (*port != ':' || text_parse_int(port + 1, 1, UINT16_MAX, &number)))
        return CASB_EINVALID;
    if (bracket ? !is_ip6(name) : !is_ip6(name) && !is_host_name(name))
        return CASB_EINVALID;
    memcpy(host, name, len + 1);
    *ret_port = (uint16_t)number;
    return 0;
}

int text_join_address(char *out, size_t size, const char *host, uint16_t port)
{
    bool ip6 = strchr(host, ':') != NULL;
    char text[512];
    int len = snprintf(text, sizeof text, "%s%s%s:%u", ip6 ? "[" : "", host, ip6 ? "]" : "", port);

    if (len < 0 || (size_t)len >= sizeof text || (size_t)len >= size)
        return CASB_EINVALID;
    memcpy(out, text, (size_t)len + 1);
    return 0;
}

/* ---- names */

bool text_is_label(const char *text)
{
    size_t len = strlen(text);

    if (len == 0 || len > LABEL_MAX || text[0] == '-' || text[len - 1] == '-')
        return false;
    return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

int text_sha256(const void *data, size_t len, char hex[static 65])
{
    unsigned char digest[32];

    if (EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL) != 1)
        return CASB_EFAILED;
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return 0;
}

/* As much of the text as fits into `max` characters, made lower case and clean. */
static size_t squeeze(char *out, size_t max, const char *text)
{
    size_t len = 0;

    for (; *text && len < max; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x80 && isalnum(c))
            out[len++] = (char)tolower(c);
        else if (len > 0 && out[len - 1] != '-')
            out[len++] = '-';
    }
    while (len > 0 && out[len - 1] == '-')
        len--;
    if (len == 0)
        out[len++] = 'x';
    out[len] = '\0';
    return len;
}

char *text_label(char out[static TEXT_LABEL_BYTES], size_t max, const char *text)
{
    char hex[65] = "0000000000"; /* where OpenSSL has no memory: a valid label all the same */
    size_t len;

    if (text_is_label(text) && strlen(text) <= max) {
        memcpy(out, text, strlen(text) + 1);
        return out;
    }
    (void)!text_sha256(text, strlen(text), hex);
    len = squeeze(out, max - LABEL_DIGITS - 1, text);
    snprintf(out + len, TEXT_LABEL_BYTES - len, "-%.*s", LABEL_DIGITS, hex);
    return out;
}

char *text_label_join(char out[static TEXT_LABEL_BYTES], const char *base, const char *name)
{
    char text[1024];

    snprintf(text, sizeof text, "%s-%s", base, name);
    return text_label(out, LABEL_MAX, text);
}

/* ---- spelling */

/* Levenshtein's distance; words longer than the rows are taken to be far apart. */
static size_t distance(const char *a, const char *b)
{
    size_t row[NEAREST_BYTES], n = strlen(b), above, left;

    if (n >= NEAREST_BYTES)
        return SIZE_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; *a; a++, i++) {
        above = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            left = above + (*a != b[j - 1]);
            above = row[j];
            row[j] = above + 1 < row[j - 1] + 1 ? above + 1 : row[j - 1] + 1;
            if (left < row[j])
                row[j] = left;
        }
    }
    return row[n];
}

const char *text_nearest(const char *word, const char *const *candidates)
{
    size_t best = strlen(word) / 3 + 2, d;
    const char *nearest = NULL;

    for (; *candidates; candidates++) {
        d = distance(word, *candidates);
        if (d < best) {
            best = d;
            nearest = *candidates;
        }
    }
    return nearest;
}
