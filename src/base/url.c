/* SPDX-License-Identifier: Apache-2.0 */
#include "base/url.h"

#include "base/address.h"
#include "base/text.h"
#include "base/tls.h"

#include <cas-backup/error.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define AUTHORITY_BYTES 320

static const struct {
    const char *name;
    uint16_t port;
} schemes[] = {{"https", 443}, {"http", 80}, {"socks5", 1080}, {"socks5h", 1080}};

static uint16_t usual_port(const char *scheme)
{
    size_t i = 0;

    while (strcmp(schemes[i].name, scheme) != 0)
        i++;
    return schemes[i].port;
}

/* What is behind "SCHEME://", or NULL. */
static const char *take_scheme(const char *text, struct url *url)
{
    size_t len = strcspn(text, ":");

    if (strncmp(text + len, "://", 3) != 0)
        return NULL;
    for (size_t i = 0; i < ELEMENTS(schemes); i++)
        if (strlen(schemes[i].name) == len && !strncasecmp(schemes[i].name, text, len)) {
            url->scheme = schemes[i].name;
            return text + len + 3;
        }
    return NULL;
}

int url_parse(const char *text, struct url *ret)
{
    struct url url = {0};
    const char *at, *rest = take_scheme(text, &url);
    char authority[AUTHORITY_BYTES];
    size_t len;

    if (!rest)
        return CASB_EINVALID;
    len = strcspn(rest, "/?#");
    url.path = rest + len;
    at = memrchr(rest, '@', len);
    if (at) {
        url.userinfo = rest;
        url.userinfo_len = (size_t)(at - rest);
        len -= url.userinfo_len + 1;
        rest = at + 1;
    }
    if (len >= sizeof authority)
        return CASB_EINVALID;
    memcpy(authority, rest, len);
    authority[len] = 0;
    if (address_parse(authority, usual_port(url.scheme), url.host, &url.port))
        return CASB_EINVALID;
    *ret = url;
    return 0;
}

char *url_address(char out[static URL_ADDRESS_BYTES], const struct url *url)
{
    if (address_join(out, URL_ADDRESS_BYTES, url->host, url->port))
        out[0] = 0; /* no host that was parsed is so long */
    return out;
}

char *url_origin(char out[static URL_ORIGIN_BYTES], const struct url *url)
{
    char address[URL_ADDRESS_BYTES];

    url_address(address, url);
    if (url->port == usual_port(url->scheme))
        *strrchr(address, ':') = 0;
    snprintf(out, URL_ORIGIN_BYTES, "%s://%s", url->scheme, address);
    return out;
}

static int digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static bool is_encoded(const char *text, size_t len)
{
    return len >= 3 && text[0] == '%' && isxdigit((unsigned char)text[1]) &&
           isxdigit((unsigned char)text[2]);
}

/* A NUL would end the text, and a '%' that encodes nothing is a mistake. */
static int decode(const char *text, size_t len, char **ret)
{
    _cleanup_(tls_secret_freep) char *out = calloc(1, len + 1);
    size_t n = 0;

    if (!out)
        return CASB_ENOMEM;
    for (size_t i = 0; i < len; n++) {
        bool encoded = is_encoded(text + i, len - i);

        out[n] = text[i];
        if (encoded)
            out[n] = (char)(digit(text[i + 1]) << 4 | digit(text[i + 2]));
        if (!out[n] || (!encoded && out[n] == '%'))
            return CASB_EINVALID;
        i += encoded ? 3 : 1;
    }
    *ret = TAKE_PTR(out);
    return 0;
}

int url_credentials(const struct url *url, char **ret_user, char **ret_password)
{
    const char *colon = memchr(url->userinfo, ':', url->userinfo_len);
    size_t len = colon ? (size_t)(colon - url->userinfo) : url->userinfo_len;
    _cleanup_(freep) char *user = NULL;
    int r = decode(url->userinfo, len, &user);

    *ret_password = NULL;
    if (!r && colon)
        r = decode(colon + 1, url->userinfo_len - len - 1, ret_password);
    if (!r)
        *ret_user = TAKE_PTR(user);
    return r;
}

char *url_clean(char *out, size_t size, const char *text)
{
    const char *at = strrchr(text, '@'), *scheme = strstr(text, "://");
    size_t len = scheme && scheme < at ? (size_t)(scheme - text) + 3 : 0;
    char head[64];

    if (!at)
        return text_clean(out, size, text);
    text_clean_bytes(head, sizeof head, text, len);
    snprintf(out, size, "%s***", head);
    len = strlen(out);
    text_clean(out + len, size - len, at);
    return out;
}
