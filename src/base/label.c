/* SPDX-License-Identifier: Apache-2.0 */
#include "base/label.h"

#include "base/buf.h"
#include "base/text.h"

#include <string.h>

#define HASH_DIGITS 10

bool label_is_valid(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return len >= 1 && len < LABEL_BYTES && !text[len] && text[0] != '-' && text[len - 1] != '-';
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
        char c = *text;

        if (text_is_upper(c))
            c = (char)(c - 'A' + 'a');
        if (text_is_lower(c) || text_is_digit(c))
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

char *label_make(char out[static LABEL_BYTES], size_t max, const char *text)
{
    size_t len = strlen(text);
    char hash[65];

    out[0] = 0;
    if (label_is_valid(text) && len <= max && !has_hash(text)) {
        memcpy(out, text, len + 1);
    } else if (!text_sha256(text, len, hash)) {
        len = copy_stem(out, max - HASH_DIGITS - 1, text);
        snprintf(out + len, LABEL_BYTES - len, "-%.*s", HASH_DIGITS, hash);
    }
    return out;
}

char *label_join(char out[static LABEL_BYTES], const char *base, const char *name)
{
    _cleanup_(buf_free) struct buf both = BUF_INIT(SIZE_MAX / 2);

    if (!buf_printf(&both, "%s-%s", base, name))
        return label_make(out, LABEL_BYTES - 1, buf_text(&both));
    out[0] = 0;
    return out;
}
