/* SPDX-License-Identifier: Apache-2.0 */
#include "base/laslog.h"

#include <cas-backup/error.h>

#include <ctype.h>
#include <string.h>

#define KEY_DIGITS (LASLOG_KEY_BYTES - 1)

static const char mark[] = "public key";

int laslog_copy_key(const char *text, size_t len, char key[static LASLOG_KEY_BYTES])
{
    if (len != KEY_DIGITS)
        return CASB_EINVALID;
    for (size_t i = 0; i < len; i++)
        if (!isxdigit((unsigned char)text[i]))
            return CASB_EINVALID;
    for (size_t i = 0; i < len; i++)
        key[i] = (char)toupper((unsigned char)text[i]);
    key[len] = '\0';
    return 0;
}

/* The word after any blanks: a longer run of digits than a key is something else. */
static int copy_next_word(const char *text, const char *end, char key[static LASLOG_KEY_BYTES])
{
    const char *word_end;

    while (text < end && (*text == ' ' || *text == '\t' || *text == ':'))
        text++;
    for (word_end = text; word_end < end && isalnum((unsigned char)*word_end);)
        word_end++;
    return laslog_copy_key(text, (size_t)(word_end - text), key);
}

int laslog_parse_key(const char *text, size_t len, char key[static LASLOG_KEY_BYTES])
{
    const char *end = text + len;
    int r = CASB_ENOTFOUND;

    while ((text = memmem(text, (size_t)(end - text), mark, sizeof mark - 1))) {
        text += sizeof mark - 1;
        if (copy_next_word(text, end, key) == 0)
            r = 0;
    }
    return r;
}
