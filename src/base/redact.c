/* SPDX-License-Identifier: Apache-2.0 */
#include "base/redact.h"

#include "base/cleanup.h"

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

/* How a URL writes what stands before and behind it: as it is, within JSON, within another URL. */
static const struct form {
    const char *slashes, *at;
} forms[] = {{"//", "@"}, {"\\/\\/", "@"}, {"%2F%2F", "%40"}};

/* Where the next such slashes end; NULL: there are none. */
static char *find_slashes(char *line, const struct form *form)
{
    char *at = strcasestr(line, form->slashes);

    return at ? at + strlen(form->slashes) : NULL;
}

/* What stands behind the slashes up to the host; 0: nothing. */
static size_t span_of_userinfo(const char *at, const struct form *form, bool scheme)
{
    size_t len = strcspn(at, "/?# \t\"'`<>\\"), userinfo = 0;
    const char *colon = memchr(at, ':', len);

    for (size_t i = 0; i < len; i++)
        if (strncmp(at + i, form->at, strlen(form->at)) == 0)
            userinfo = i;
    if (userinfo > 0 || !scheme || !colon || at[0] == '[' || at[len])
        return userinfo;
    /* the text ends here: HOST:PORT, or USER:PASSW */
    return strspn(colon + 1, "0123456789") < (size_t)(at + len - colon - 1) ? len : 0;
}

static void redact_urls(char *line, bool *changed)
{
    for (size_t i = 0; i < ELEMENTS(forms); i++) {
        const size_t slashes = strlen(forms[i].slashes);
        bool scheme;

        for (char *at = line; (at = find_slashes(at, &forms[i]));) {
            scheme = at - slashes > line && at[-(ptrdiff_t)slashes - 1] == ':';
            at = mark(at, span_of_userinfo(at, &forms[i], scheme), changed);
        }
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

/* A blank, also as JSON may have it. */
static size_t span_of_blank(const char *at)
{
    static const char *const blanks[] = {" ", "\\t", "\\u0020", "\\u0009"};

    for (size_t i = 0; i < ELEMENTS(blanks); i++)
        if (strncmp(at, blanks[i], strlen(blanks[i])) == 0)
            return strlen(blanks[i]);
    return 0;
}

static size_t span_of_blanks(const char *at)
{
    size_t len = 0, more;

    while ((more = span_of_blank(at + len)))
        len += more;
    return len;
}

/* The length of one of the words, in any case, with the blanks behind it; 0: it is none. */
static size_t span_of_scheme(const char *at, const char *const *schemes)
{
    for (; *schemes; schemes++) {
        size_t len = strlen(*schemes);
        size_t blanks = strncasecmp(at, *schemes, len) ? 0 : span_of_blanks(at + len);

        if (blanks)
            return len + blanks;
    }
    return 0;
}

/*
 * The length of a name behind which a credential stands, and of what is between them; 0: it is
 * none. An unprovisioned CAS prints its provisioning token (FACTS.md).
 */
static size_t span_of_header(const char *at)
{
    static const char *const names[] = {"authorization", "provisioning token"};

    for (size_t i = 0; i < ELEMENTS(names); i++) {
        size_t name = strlen(names[i]), len;

        if (strncasecmp(at, names[i], name) != 0)
            continue;
        len = strspn(at + name, "\\\"'[:= ");
        return strcspn(at + name, ":=") < len ? name + len : 0;
    }
    return 0;
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

/* What was hidden may have been the name of a scheme that is not known here. */
static char *mark_rest(char *at, bool *changed)
{
    size_t blanks = span_of_blanks(at), len = span_of_word(at + blanks);

    return blanks && len >= TOKEN_CHARS ? mark(at + blanks, len, changed) : at;
}

static void redact_headers(char *line, bool *changed)
{
    for (char *at = line; *at;) {
        bool begins = at == line || !isalnum((unsigned char)at[-1]);
        size_t before, len;

        if (begins && find_credential(at, &before, &len))
            at = mark_rest(mark(at + before, len, changed), changed);
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
