/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include "base/redact.h"

#include <cas-backup/error.h>

#include <openssl/evp.h>
#include <string.h>

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

size_t text_bom(const char *text, size_t len)
{
    static const char bom[] = "\357\273\277";
    const size_t n = sizeof bom - 1;

    return len >= n && memcmp(text, bom, n) == 0 ? n : 0;
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

size_t text_utf8(const char *text, size_t len, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = len ? (unsigned char)text[0] : 0;
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

bool text_is_control(uint32_t c)
{
    return c < ' ' || (c >= 0x7F && c <= 0x9F) || c == 0x61C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

static bool is_blank(uint32_t c)
{
    return c == ' ' || c == 0xA0 || text_is_control(c);
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

        n = escape ? escape_length(text + i, len - i) : text_utf8(text + i, len - i, &c);
        if (escape || (n && is_blank(c))) {
            line.space = true;
        } else if (!line_add(&line, n ? text + i : "?", n ? n : 1)) {
            line_cut(&line);
            break;
        }
        if (!n)
            n = 1;
    }
    if (size > 0) {
        out[line.len] = 0;
        redact(out);
    }
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

int text_word_index(const char *words, const char *text)
{
    size_t len;
    int i = 0;

    for (const char *word = words; *word; word += len + (word[len] == '|'), i++) {
        len = strcspn(word, "|");
        if (strlen(text) == len && memcmp(word, text, len) == 0)
            return i;
    }
    return -1;
}

/* Reads digits into *ret. Returns how many, 0 where there are none or too large a number. */
static size_t take_digits(const char *text, int64_t *ret)
{
    int64_t value = 0;
    size_t n = 0;

    for (; text_is_digit(text[n]); n++)
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

int text_parse_duration_or_0(const char *text, int64_t *ret_ns)
{
    const int64_t most = 36525 * unit_ns("d", 1);
    int64_t total = 0, value, unit;

    if (!*text)
        return CASB_EINVALID;
    while (*text) {
        size_t digits = take_digits(text, &value);
        size_t letters = strspn(text + digits, "dhms");

        unit = unit_ns(text + digits, letters);
        if (!digits || !unit || __builtin_mul_overflow(value, unit, &value) ||
            __builtin_add_overflow(total, value, &total))
            return CASB_EINVALID;
        text += digits + letters;
    }
    if (total > most)
        return CASB_EINVALID;
    *ret_ns = total;
    return 0;
}

int text_parse_duration(const char *text, int64_t *ret_ns)
{
    int64_t total;

    if (text_parse_duration_or_0(text, &total) || total == 0)
        return CASB_EINVALID;
    *ret_ns = total;
    return 0;
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

/* The offset basis and the prime of FNV (draft-eastlake-fnv). */
#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

uint64_t text_hash(const char *text)
{
    uint64_t hash = FNV_BASIS;

    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * FNV_PRIME;
    return hash;
}
