/* SPDX-License-Identifier: Apache-2.0 */
#include "base/redact.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define MARK        "***"
#define TOKEN_CHARS 16 /* what is shorter may be a word, as in "invalid bearer token" */

/* Puts the mark in the place of `len` characters; returns what follows it. */
static char *mark(char *at, size_t len, bool *changed)
{
    size_t stars = len < strlen(MARK) ? len : strlen(MARK);

    *changed = *changed || len > stars || strncmp(at, MARK, stars) != 0;
    memset(at, '*', stars);
    memmove(at + stars, at + len, strlen(at + len) + 1);
    return at + stars;
}

static size_t span_of_word(const char *at)
{
    return strcspn(at, " \t\"'`<>(){}[],;\\");
}

/* ---- USER:PASSWORD@ of a URL */

/* What stands behind "://" up to the host; 0: nothing. */
static size_t span_of_userinfo(const char *at)
{
    size_t len = strcspn(at, "/?# \t\"'`<>\\"), userinfo = 0;
    const char *colon = memchr(at, ':', len);

    for (size_t i = 0; i < len; i++)
        if (at[i] == '@')
            userinfo = i;
    if (userinfo > 0 || !colon || at[0] == '[' || at[len])
        return userinfo;
    /* the text ends here: HOST:PORT, or USER:PASSW */
    return strspn(colon + 1, "0123456789") < (size_t)(at + len - colon - 1) ? len : 0;
}

static void redact_urls(char *line, bool *changed)
{
    for (char *at = line; (at = strstr(at, "://"));) {
        at += strlen("://");
        at = mark(at, span_of_userinfo(at), changed);
    }
}

/* ---- headers */

/* Is there more to it than a word of a sentence? */
static bool is_token(const char *at, size_t len)
{
    return len >= TOKEN_CHARS || strspn(at, "abcdefghijklmnopqrstuvwxyz.:!?") < len;
}

/* "Bearer token", "Basic authentication": what is said about credentials. */
static bool is_about(const char *at)
{
    return strncmp(at, "token", 5) == 0 || strncmp(at, "auth", 4) == 0 ||
           strncmp(at, "credential", 10) == 0;
}

/* The length of one of the words, in any case, with the blanks behind it; 0: it is none. */
static size_t span_of_scheme(const char *at, const char *const *schemes)
{
    for (; *schemes; schemes++) {
        size_t len = strlen(*schemes);

        if (strncasecmp(at, *schemes, len) == 0 && at[len] == ' ')
            return len + strspn(at + len, " ");
    }
    return 0;
}

/* The length of a header's name and of what stands between it and its value; 0: there is none. */
static size_t span_of_header(const char *at)
{
    static const char name[] = "authorization";
    size_t len;

    if (strncasecmp(at, name, strlen(name)) != 0)
        return 0;
    at += strlen(name);
    len = strspn(at, "\\\"'[:= ");
    return strcspn(at, ":=") < len ? strlen(name) + len : 0;
}

/* A credential where a word begins: how far it is, and how long. False: there is none. */
static bool find_credential(const char *at, size_t *ret_before, size_t *ret_len)
{
    static const char *const any[] = {"bearer", "basic", "digest", "negotiate", "token", NULL};
    static const char *const telling[] = {"bearer", "basic", NULL}; /* without a header as well */
    size_t header = span_of_header(at);
    size_t scheme = span_of_scheme(at + header, header ? any : telling);
    const char *word = at + header + scheme;
    size_t len = span_of_word(word);
    bool certain = scheme && (header || (isupper((unsigned char)at[0]) && !is_about(word)));

    *ret_before = header + scheme;
    *ret_len = len;
    return (header || scheme) && len > 0 && (certain || is_token(word, len));
}

static void redact_headers(char *line, bool *changed)
{
    for (char *at = line; *at;) {
        bool begins = at == line || !isalnum((unsigned char)at[-1]);
        size_t before, len;

        if (begins && find_credential(at, &before, &len))
            at = mark(at + before, len, changed);
        else
            at++;
    }
}

/* ---- JSON web tokens (RFC 7519): base64url of '{"' */

static void redact_tokens(char *line, bool *changed)
{
    for (char *at = line; (at = strstr(at, "eyJ"));) {
        size_t len = span_of_word(at);

        at = len >= TOKEN_CHARS ? mark(at, len, changed) : at + 1;
    }
}

/* What one of them hides may be what another one stopped at. */
void redact(char *line)
{
    bool changed;

    do {
        changed = false;
        redact_urls(line, &changed);
        redact_headers(line, &changed);
        redact_tokens(line, &changed);
    } while (changed);
}
