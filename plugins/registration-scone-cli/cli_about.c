/* SPDX-License-Identifier: Apache-2.0 */
#include "registration-scone-cli/cli_about.h"

#include "base/text.h"

#include <string.h>

#define LINE_BYTES 128

/* Digits and a dot first: "6.0.3", "7.0.0-alpha.4". */
static bool is_version(const char *word)
{
    size_t digits = strspn(word, "0123456789");

    return digits > 0 && word[digits] == '.' && strspn(word + digits + 1, "0123456789") > 0;
}

char *cli_about_version(char *out, size_t size, const char *text)
{
    char line[LINE_BYTES];

    out[0] = 0;
    while (*text) {
        size_t len = strcspn(text, "\r\n");
        const char *blank;

        text_clean_bytes(line, sizeof line, text, len);
        blank = strrchr(line, ' ');
        if (is_version(blank ? blank + 1 : line))
            text_clean(out, size, line);
        text += len + (text[len] != 0);
    }
    return out;
}

/* What an option may stand behind; it is a word of its own, also in "[-C]" and "-C|-G". */
static bool is_border(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || (c && strchr("[](){}<>,|=/'\"`", c));
}

/* The next word that is an option, and its length; NULL: there is none. */
static const char *next_option(const char *text, const char *start, size_t *ret_len)
{
    for (const char *c = text; *c; c++) {
        if (*c != '-' || (c != start && !is_border(c[-1])))
            continue;
        *ret_len = 1;
        while (c[*ret_len] && !is_border(c[*ret_len]))
            ++*ret_len;
        if (*ret_len > 1)
            return c;
    }
    return NULL;
}

/* "-SCG" lists three. */
static bool is_in_cluster(const char *word, size_t len, char letter)
{
    for (size_t i = 1; i < len; i++) {
        if (word[i] < 'A' || word[i] > 'Z')
            return false;
    }
    return memchr(word + 1, letter, len - 1);
}

bool cli_about_lists(const char *help, const char *option)
{
    bool is_letter = option[1] != '-' && !option[2];
    const char *word = help;
    size_t len = 0;

    while ((word = next_option(word + len, help, &len))) {
        if (len == strlen(option) && memcmp(word, option, len) == 0)
            return true;
        if (is_letter && is_in_cluster(word, len, option[1]))
            return true;
    }
    return false;
}

bool cli_about_is_help(const char *text)
{
    size_t len;

    return next_option(text, text, &len);
}
