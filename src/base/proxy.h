/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which proxy the environment wants for a server, as Go's programs and so kubectl take it
 * (golang.org/x/net/http/httpproxy). Pure but for proxy_env_read(), and thread-safe.
 */
#ifndef BASE_PROXY_H
#define BASE_PROXY_H

#include "base/error.h"
#include "base/url.h"

struct proxy_env {
    const char *https, *http; /* HTTPS_PROXY, HTTP_PROXY; NULL: not set */
    const char *no_proxy;     /* NO_PROXY; NULL: not set */
    bool cgi; /* REQUEST_METHOD is set: then HTTP_PROXY is a header of the client's */
};

/* Reads the process's environment: each name, else the same one in lower case. */
void proxy_env_read(struct proxy_env *ret);

/*
 * The proxy for a server that is reached at `server` (https or http): a text of `env`, or NULL for
 * none. Loopback never has one. CASB_EINVALID where HTTP_PROXY cannot be trusted.
 */
int proxy_choose(const struct proxy_env *env, const struct url *server, const char **ret,
                 struct casb_error *err) _warn_unused_;

/*
 * Does NO_PROXY's list name this host and port? An entry is a name, which means its subdomains too,
 * ".name" or "*.name", which mean these alone, an IP address, each of them with or without a port,
 * or a CIDR; "*" is all.
 */
bool proxy_is_excluded(const char *no_proxy, const char *host, uint16_t port);

/*
 * Brings a proxy as people give it, http, https or socks5, or without a scheme, into the form for
 * libcurl: with its port, what may not stand in its user and password encoded, and for socks5 so
 * that the proxy looks the server's name up. `shown` gets it without its user and password. The
 * caller frees *ret by tls_secret_free(). CASB_EINVALID where it is none; `origin` says in the text
 * where it is from.
 */
int proxy_parse(const char *text, const char *origin, char **ret,
                char shown[static URL_ORIGIN_BYTES], struct casb_error *err) _warn_unused_;

#endif
