/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include "base/text.h"

#include <cas-backup/error.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

size_t address_host_length(const char *host)
{
    size_t len = strlen(host);

    return len && host[len - 1] == '.' ? len - 1 : len;
}

/* The last label is no number, so that a mistyped IP address or a bare port is no name. */
static bool is_dns_name(const char *name)
{
    size_t len;
    bool number;

    if (address_host_length(name) > 253)
        return false;
    for (;;) {
        number = true;
        for (len = 0; name[len] && name[len] != '.'; len++) {
            if (!text_is_lower(name[len]) && !text_is_upper(name[len]) &&
                !text_is_digit(name[len]) && name[len] != '-' && name[len] != '_')
                return false;
            number = number && text_is_digit(name[len]);
        }
        if (len < 1 || len > 63 || name[0] == '-' || name[len - 1] == '-')
            return false;
        if (!name[len] || !name[len + 1])
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

int address_parse(const char *text, uint16_t default_port, char host[static 256],
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
    if (*end && (*end != ':' || (end[1] && text_parse_int(end + 1, 1, UINT16_MAX, &port))))
        return CASB_EINVALID;
    if (!is_host(name, bracket))
        return CASB_EINVALID;
    memcpy(host, name, strlen(name) + 1);
    *ret_port = (uint16_t)port;
    return 0;
}

bool address_same_host(const char *a, const char *b)
{
    size_t len = address_host_length(a);

    return len == address_host_length(b) && strncasecmp(a, b, len) == 0;
}

int address_join(char *out, size_t size, const char *host, uint16_t port)
{
    bool bracket = strchr(host, ':');
    int len = snprintf(out, size, "%s%s%s:%u", bracket ? "[" : "", host, bracket ? "]" : "", port);

    return len < 0 || (size_t)len >= size ? CASB_EINVALID : 0;
}
