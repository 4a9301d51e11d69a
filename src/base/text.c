/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include "base/buf.h"

#include <cas-backup/error.h>

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <string.h>

#define HASH_DIGITS 10

/* ASCII whatever the locale. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* A line that is being cleaned into out[size]. */
struct line {
    char *out;
    size_t size, len;
    size_t cut; /* the last border of a character before which "..." fits */
    bool space; /* white space came since the last character */
};

/* Adds a character, and the space before it. False where it does not fit. */
static bool line_add(struct line *line, const char *bytes, size_t len)
{
    size_t space = line->space && line->len;

    if (line->len + space + len >= line->size)
        return false;
    if (space)
        line->out[line->len++] = ' ';
    memcpy(line->out + line->len, bytes, len);
    line->len += len;
    line->space = false;
    if (line->len + sizeof "..." <= line->size)
        line->cut = line->len;
    return true;
}

/* How many bytes a character of RFC 3629 has by its first one; 0: it cannot be a first one. */
static size_t utf8_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xC0)
        return 0;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF8 ? 4 : 0;
}

/* Decodes one character. Returns its length, 0 where it is not valid. */
static size_t utf8_decode(const char *text, size_t len, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)text[0];
    size_t n = utf8_length(first);
    uint32_t c;

    if (!n || n > len)
        return 0;
    c = n == 1 ? first : first & (0x7FU >> n);
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)text[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | ((unsigned char)text[i] & 0x3F);
    }
    if (c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return 0;
    *ret = c;
    return n;
}

/* Control characters, white space, and what reorders or breaks a line in a terminal. */
static bool is_blank(uint32_t c)
{
    return c <= ' ' || (c >= 0x7F && c <= 0xA0) || (c >= 0x2028 && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069);
}

static size_t span(const char *text, size_t len, size_t from, char low, char high)
{
    while (from < len && text[from] >= low && text[from] <= high)
        from++;
    return from;
}

/* The length of the escape sequence (ECMA-48) that starts with the ESC at text[0]. */
static size_t escape_length(const char *text, size_t len)
{
    size_t n;

    if (len > 1 && text[1] == '[') {
        n = span(text, len, 2, ' ', '?');
        return n < len && text[n] >= '@' && text[n] <= '~' ? n + 1 : n;
    }
    if (len > 1 && text[1] && strchr("]PX^_", text[1])) { /* a string up to BEL or ESC \ */
        for (n = 2; n < len && (unsigned char)text[n] >= ' ';)
            n++;
        if (n < len && text[n] == '\a')
            return n + 1;
        return n + 1 < len && text[n] == '\033' && text[n + 1] == '\\' ? n + 2 : n;
    }
    n = span(text, len, 1, ' ', '/');
    return n < len && text[n] >= '0' && text[n] <= '~' ? n + 1 : n;
}

/* Ends a line that did not fit. */
static void line_cut(struct line *line)
{
    line->len = line->cut;
    if (line->len + sizeof "..." > line->size)
        return;
    memcpy(line->out + line->len, "...", 3);
    line->len += 3;
}

char *text_clean_bytes(char *out, size_t size, const char *text, size_t len)
{
    struct line line = {.out = out, .size = size};
    uint32_t c = 0;

    for (size_t i = 0, n; i < len; i += n) {
        bool escape = text[i] == '\033';

        n = escape ? escape_length(text + i, len - i) : utf8_decode(text + i, len - i, &c);
        if (escape || (n && is_blank(c))) {
            line.space = true;
        } else if (!line_add(&line, n ? text + i : "?", n ? n : 1)) {
            line_cut(&line);
            break;
        }
        if (!n)
            n = 1;
    }
    if (size)
        out[line.len] = 0;
    return out;
}

char *text_clean(char *out, size_t size, const char *text)
{
    return text_clean_bytes(out, size, text, strlen(text));
}

int text_dup(const char *text, char **ret)
{
    char *copy = NULL;

    if (text) {
        copy = strdup(text);
        if (!copy)
            return CASB_ENOMEM;
    }
    *ret = copy;
    return 0;
}

bool text_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool text_empty(const char *text)
{
    return !text || !text[0];
}

/* Reads digits into *ret. Returns how many, 0 where there are none or too large a number. */
static size_t take_digits(const char *text, int64_t *ret)
{
    int64_t value = 0;
    size_t n = 0;

    for (; is_digit(text[n]); n++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text[n] - '0', &value))
            return 0;
    *ret = value;
    return n;
}

int text_parse_int(const char *text, int64_t min, int64_t max, int64_t *ret)
{
    int64_t value;
    size_t n = take_digits(text, &value);

    if (!n || text[n] || value < min || value > max)
        return CASB_EINVALID;
    *ret = value;
    return 0;
}

static int64_t unit_ns(const char *unit, size_t len)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {
        {"ms", INT64_C(1000000)},           {"s", INT64_C(1000000000)},
        {"m", 60 * INT64_C(1000000000)},    {"h", 3600 * INT64_C(1000000000)},
        {"d", 86400 * INT64_C(1000000000)},
    };

    for (size_t i = 0; i < ELEMENTS(units); i++)
        if (strlen(units[i].name) == len && !memcmp(units[i].name, unit, len))
            return units[i].ns;
    return 0;
}

int text_parse_duration(const char *text, int64_t *ret_ns)
{
    const int64_t most = 36525 * unit_ns("d", 1);
    int64_t total = 0, value, unit;

    while (*text) {
        size_t digits = take_digits(text, &value);
        size_t letters = strspn(text + digits, "dhms");

        unit = unit_ns(text + digits, letters);
        if (!digits || !unit || __builtin_mul_overflow(value, unit, &value) ||
            __builtin_add_overflow(total, value, &total))
            return CASB_EINVALID;
        text += digits + letters;
    }
    if (total <= 0 || total > most)
        return CASB_EINVALID;
    *ret_ns = total;
    return 0;
}

/* The last label is no number, so that a mistyped IP address or a bare port is no name. */
static bool is_dns_name(const char *name)
{
    size_t len;
    bool number;

    if (strlen(name) > 253)
        return false;
    for (;;) {
        number = true;
        for (len = 0; name[len] && name[len] != '.'; len++) {
            if (!is_lower(name[len]) && !is_upper(name[len]) && !is_digit(name[len]) &&
                name[len] != '-' && name[len] != '_')
                return false;
            number = number && is_digit(name[len]);
        }
        if (len < 1 || len > 63 || name[0] == '-' || name[len - 1] == '-')
            return false;
        if (!name[len])
            return !number;
        name += len + 1;
    }
}

static bool is_host(const char *name, bool ipv6_only)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET6, name, address) == 1 ||
           (!ipv6_only && (inet_pton(AF_INET, name, address) == 1 || is_dns_name(name)));
}

int text_parse_address(const char *text, uint16_t default_port, char host[static 256],
                       uint16_t *ret_port)
{
    bool bracket = text[0] == '[';
    const char *colon = strchr(text, ':');
    const char *end = text + strlen(text);
    int64_t port = default_port;
    char name[256];

    if (bracket)
        end = strchr(text++, ']');
    else if (colon && !strchr(colon + 1, ':')) /* two of them: an IPv6 address */
        end = colon;
    if (!end || (size_t)(end - text) >= sizeof name)
        return CASB_EINVALID;
    memcpy(name, text, (size_t)(end - text));
    name[end - text] = 0;
    end += bracket;
    if (*end && (*end != ':' || text_parse_int(end + 1, 1, UINT16_MAX, &port)))
        return CASB_EINVALID;
    if (!is_host(name, bracket))
        return CASB_EINVALID;
    memcpy(host, name, strlen(name) + 1);
    *ret_port = (uint16_t)port;
    return 0;
}

int text_join_address(char *out, size_t size, const char *host, uint16_t port)
{
    bool bracket = strchr(host, ':');
    int len = snprintf(out, size, "%s%s%s:%u", bracket ? "[" : "", host, bracket ? "]" : "", port);

    return len < 0 || (size_t)len >= size ? CASB_EINVALID : 0;
}

bool text_is_label(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return len >= 1 && len < TEXT_LABEL_BYTES && !text[len] && text[0] != '-' &&
           text[len - 1] != '-';
}

/* A text that looks as if it had a hash gets another one: else it could be equal to the label of
 * a different text. */
static bool has_hash(const char *text)
{
    size_t len = strlen(text);

    return len > HASH_DIGITS && text[len - HASH_DIGITS - 1] == '-' &&
           strspn(text + len - HASH_DIGITS, "0123456789abcdef") == HASH_DIGITS;
}

/* The part of a label that comes from the text. Returns its length. */
static size_t copy_stem(char *out, size_t most, const char *text)
{
    size_t len = 0;

    for (; *text && len < most; text++) {
        char c = is_upper(*text) ? (char)(*text - 'A' + 'a') : *text;

        if (is_lower(c) || is_digit(c))
            out[len++] = c;
        else if (len && out[len - 1] != '-')
            out[len++] = '-';
    }
    while (len && out[len - 1] == '-')
        len--;
    if (!len)
        out[len++] = 'x';
    return len;
}

char *text_label(char out[static TEXT_LABEL_BYTES], size_t max, const char *text)
{
    size_t len = strlen(text);
    char hash[65];

    out[0] = 0;
    if (text_is_label(text) && len <= max && !has_hash(text)) {
        memcpy(out, text, len + 1);
    } else if (!text_sha256(text, len, hash)) {
        len = copy_stem(out, max - HASH_DIGITS - 1, text);
        snprintf(out + len, TEXT_LABEL_BYTES - len, "-%.*s", HASH_DIGITS, hash);
    }
    return out;
}

char *text_label_join(char out[static TEXT_LABEL_BYTES], const char *base, const char *name)
{
    _cleanup_(buf_free) struct buf both = BUF_INIT(SIZE_MAX / 2);

    if (!buf_printf(&both, "%s-%s", base, name))
        return text_label(out, TEXT_LABEL_BYTES - 1, buf_text(&both));
    out[0] = 0;
    return out;
}

/* Levenshtein; words are short, `most` or more where one is longer than a row. */
static size_t distance(const char *a, const char *b, size_t most)
{
    size_t row[64], len = strlen(b), diagonal, next;

    if (len >= ELEMENTS(row))
        return most;
    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 1; j <= len; j++) {
            next = diagonal + (a[i] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < next)
                next = row[j] + 1;
            if (row[j - 1] + 1 < next)
                next = row[j - 1] + 1;
            row[j] = next;
        }
    }
    return row[len];
}

const char *text_nearest(const char *word, const char *const *candidates)
{
    size_t best = strlen(word) / 3 + 2, d;
    const char *nearest = NULL;

    for (; *candidates; candidates++) {
        d = distance(word, *candidates, best);
        if (d < best && d < strlen(*candidates)) {
            best = d;
            nearest = *candidates;
        }
    }
    return nearest;
}

int text_sha256(const void *data, size_t len, char hex[static 65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];

    if (!EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL))
        return CASB_EFAILED;
    for (size_t i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return 0;
}
