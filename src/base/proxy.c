/* SPDX-License-Identifier: Apache-2.0 */
#include "base/proxy.h"

#include "base/address.h"
#include "base/process.h"
#include "base/text.h"
#include "base/tls.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ENTRY_BYTES 300

static const char *get_any(const char *upper, const char *lower)
{
    const char *value = process_env(upper);

    return text_empty(value) ? process_env(lower) : value;
}

void proxy_env_read(struct proxy_env *ret)
{
    *ret = (struct proxy_env){
        .https = get_any("HTTPS_PROXY", "https_proxy"),
        .http = get_any("HTTP_PROXY", "http_proxy"),
        .no_proxy = get_any("NO_PROXY", "no_proxy"),
        .cgi = !text_empty(process_env("REQUEST_METHOD")),
    };
}

/* An IP address; one of IPv4 in its place among those of IPv6 (RFC 4291, 2.5.5.2). */
struct address {
    unsigned char bytes[16];
    bool v4;
};

static bool read_address(const char *text, struct address *ret)
{
    static const unsigned char mapped[12] = {[10] = 0xff, 0xff};

    memcpy(ret->bytes, mapped, sizeof mapped);
    if (inet_pton(AF_INET, text, ret->bytes + sizeof mapped) != 1 &&
        inet_pton(AF_INET6, text, ret->bytes) != 1)
        return false;
    ret->v4 = memcmp(ret->bytes, mapped, sizeof mapped) == 0;
    return true;
}

static bool is_loopback(const struct address *address)
{
    static const unsigned char loopback[16] = {[15] = 1};

    return address->v4 ? address->bytes[12] == 127
                       : memcmp(address->bytes, loopback, sizeof loopback) == 0;
}

/* Are the first `bits` the same? */
static bool has_prefix(const struct address *address, const struct address *net, unsigned bits)
{
    unsigned rest = bits % 8;
    size_t whole = bits / 8;

    return memcmp(address->bytes, net->bytes, whole) == 0 &&
           (!rest || (address->bytes[whole] ^ net->bytes[whole]) >> (8 - rest) == 0);
}

/* "ADDRESS/BITS" with the server's address in it; *ret_is: the entry has that form. */
static bool match_cidr(const char *entry, const struct address *server, bool *ret_is)
{
    const char *slash = strchr(entry, '/');
    char text[INET6_ADDRSTRLEN];
    struct address net;
    int64_t bits;

    *ret_is = slash && (size_t)(slash - entry) < sizeof text;
    if (!*ret_is)
        return false;
    memcpy(text, entry, (size_t)(slash - entry));
    text[slash - entry] = 0;
    *ret_is = read_address(text, &net) &&
              text_parse_int(slash + 1, 0, strchr(text, ':') ? 128 : 32, &bits) == 0;
    if (!*ret_is || !server || net.v4 != server->v4)
        return false;
    return has_prefix(server, &net, (unsigned)bits + (strchr(text, ':') ? 0 : 96));
}

/* Cuts ":PORT" and brackets off, as Go's net.SplitHostPort() does; what is no such pair stays. */
static char *split_port(char *entry, const char **ret_port)
{
    char *colon = strrchr(entry, ':'), *end;

    *ret_port = "";
    if (!colon || (entry[0] != '[' && strchr(entry, ':') != colon) ||
        (entry[0] == '[' && colon[-1] != ']'))
        return entry;
    *ret_port = colon + 1;
    end = colon;
    if (entry[0] == '[') {
        entry++;
        end--;
    }
    *end = 0;
    return entry;
}

static bool ends_with(const char *host, size_t len, const char *end, size_t end_len)
{
    return len >= end_len && strncasecmp(host + len - end_len, end, end_len) == 0;
}

/* A final dot, of either, does not make it another name. */
static bool match_name(const char *entry, const char *host)
{
    bool below = strncmp(entry, "*.", 2) == 0 || entry[0] == '.';
    const char *name = entry + (entry[0] == '*' && below) + below;
    size_t len = address_host_length(host), name_len = address_host_length(name);

    if (!name_len || !ends_with(host, len, name, name_len))
        return false;
    return len == name_len ? !below : host[len - name_len - 1] == '.';
}

/* One entry, without blanks around it; is changed. */
static bool match(char *entry, const char *host, const struct address *server, const char *port)
{
    struct address address;
    const char *entry_port;
    bool is_cidr, found = match_cidr(entry, server, &is_cidr);

    if (is_cidr || !strcmp(entry, "*"))
        return found || !is_cidr;
    entry = split_port(entry, &entry_port);
    if (*entry_port && strcmp(entry_port, port) != 0)
        return false;
    if (read_address(entry, &address))
        return server && has_prefix(server, &address, 128);
    return !server && match_name(entry, host);
}

static char *trim(char *text)
{
    size_t len;

    while (isspace((unsigned char)*text))
        text++;
    len = strlen(text);
    while (len && isspace((unsigned char)text[len - 1]))
        text[--len] = 0;
    return text;
}

bool proxy_is_excluded(const char *no_proxy, const char *host, uint16_t port)
{
    struct address address;
    bool is_address = read_address(host, &address), found = false;
    char port_text[8], entry[ENTRY_BYTES];

    snprintf(port_text, sizeof port_text, "%u", port);
    while (*no_proxy && !found) {
        size_t len = strcspn(no_proxy, ",");

        snprintf(entry, sizeof entry, "%.*s", (int)len, no_proxy);
        if (len < sizeof entry)
            found = match(trim(entry), host, is_address ? &address : NULL, port_text);
        no_proxy += len + (no_proxy[len] == ',');
    }
    return found;
}

static bool is_local(const char *host)
{
    struct address address;

    return address_same_host(host, "localhost") ||
           (read_address(host, &address) && is_loopback(&address));
}

int proxy_choose(const struct proxy_env *env, const struct url *server, const char **ret,
                 struct casb_error *err)
{
    bool https = strcmp(server->scheme, "https") == 0;
    const char *proxy = https ? env->https : env->http;

    *ret = NULL;
    if (text_empty(proxy))
        return 0;
    if (!https && env->cgi)
        return err_set(err, CASB_EINVALID,
                       "HTTP_PROXY is not used beside REQUEST_METHOD: it may be a header of a CGI "
                       "program's client");
    if (!is_local(server->host) &&
        !proxy_is_excluded(env->no_proxy ? env->no_proxy : "", server->host, server->port))
        *ret = proxy;
    return 0;
}

/*
 * "USER:PASSWORD@", or "". Of several '@' the last one ends it, as for Go; libcurl refuses what RFC
 * 3986 does not have there, and quotes it. The caller frees it by tls_secret_free(). NULL: no
 * memory.
 */
static char *encode_userinfo(const struct url *url)
{
    char *out = calloc(3 * url->userinfo_len + 2, 1), *end = out;

    for (size_t i = 0; out && i < url->userinfo_len; i++) {
        unsigned char c = (unsigned char)url->userinfo[i];

        if (isgraph(c) && !strchr("@\"<>[]\\^`{|}", c))
            *end++ = (char)c;
        else
            end += snprintf(end, 4, "%%%02X", c);
    }
    if (out && url->userinfo)
        *end = '@';
    return out;
}

int proxy_parse(const char *text, const char *origin, char **ret,
                char shown[static URL_ORIGIN_BYTES], struct casb_error *err)
{
    _cleanup_(tls_secret_freep) char *full = NULL;
    _cleanup_(tls_secret_freep) char *userinfo = NULL;
    char clean[120], address[URL_ADDRESS_BYTES];
    const char *scheme;
    struct url url;

    if (asprintf(&full, "%s%s", strstr(text, "://") ? "" : "http://", text) < 0)
        return err_nomem(err);
    if (url_parse(full, &url))
        return err_set(err, CASB_EINVALID, "%s: '%s' is no http, https or socks5 URL", origin,
                       url_clean(clean, sizeof clean, text));
    scheme = strcmp(url.scheme, "socks5") ? url.scheme : "socks5h";
    url_address(address, &url);
    snprintf(shown, URL_ORIGIN_BYTES, "%s://%s", url.scheme, address);
    userinfo = encode_userinfo(&url);
    if (!userinfo || asprintf(ret, "%s://%s%s", scheme, userinfo, address) < 0)
        return err_nomem(err);
    return 0;
}
