/* SPDX-License-Identifier: Apache-2.0 */
#include "base/httptarget.h"

#include "base/address.h"
#include "base/httphandle.h"
#include "base/proxy.h"
#include "base/text.h"
#include "base/tls.h"

#include <string.h>

static int check_scheme(const struct http_client *client, const struct url *url,
                        struct casb_error *err)
{
    char origin[URL_ORIGIN_BYTES];

    if (!strcmp(url->scheme, "https") || (client->allow_http && !strcmp(url->scheme, "http")))
        return 0;
    return err_set(err, CASB_EINVALID, "'%s' is not https", url_origin(origin, url));
}

/* libcurl verifies the name in the URL: another name takes its place, and the host is dialled. */
static int set_url(const struct http_client *client, const struct url *url,
                   struct http_target *target, struct casb_error *err)
{
    const char *name = client->server_name, *dial = client->connect_to;
    char address[URL_ADDRESS_BYTES];

    if (name && address_join(address, sizeof address, name, url->port))
        return err_set(err, CASB_EINVALID, "'%s' is no server name", name);
    if (!name)
        url_address(address, url);
    else if (!dial)
        dial = target->peer;
    target->renamed = name != NULL;
    if (asprintf(&target->url, "%s://%s%s", url->scheme, address, url->path) < 0 ||
        text_dup(dial, &target->dial) < 0)
        return err_nomem(err);
    return 0;
}

/* NO_PROXY is about what is dialled, whatever name is verified there. */
static int environment_proxy(const struct url *url, const char *dial, const char **ret,
                             struct casb_error *err)
{
    struct url server = *url;
    struct proxy_env env;

    if (dial && address_parse(dial, url->port, server.host, &server.port))
        return err_set(err, CASB_EINVALID, "'%s' is no address", dial);
    proxy_env_read(&env);
    return proxy_choose(&env, &server, ret, err);
}

static int set_proxy(const struct http_client *client, const struct url *url,
                     struct http_target *target, struct casb_error *err)
{
    const char *proxy = client->proxy, *origin = "proxy-url";
    char shown[URL_ORIGIN_BYTES];
    int r = 0;

    if (!proxy) {
        origin = target->https ? "HTTPS_PROXY" : "HTTP_PROXY";
        r = environment_proxy(url, target->dial, &proxy, err);
    }
    snprintf(target->who, sizeof target->who, "'%s'", target->peer);
    if (r)
        return r;
    if (text_empty(proxy))
        return text_dup("", &target->proxy) ? err_nomem(err) : 0;
    r = proxy_parse(proxy, origin, &target->proxy, shown, err);
    if (r)
        return r;
    target->tls_proxy = !strncmp(shown, "https:", 6);
    snprintf(target->who, sizeof target->who, "'%s' by proxy '%s'", target->peer, shown);
    return 0;
}

int http_target_find(const struct http_client *client, const char *text, struct http_target *ret,
                     struct casb_error *err)
{
    struct url url;
    int r;

    *ret = (struct http_target){0};
    if (url_parse(text, &url) || url.userinfo) /* the text may hold a password */
        return err_set(err, CASB_EINVALID, "not a usable URL");
    url_address(ret->peer, &url);
    ret->https = !strcmp(url.scheme, "https");
    r = check_scheme(client, &url, err);
    if (!r)
        r = set_url(client, &url, ret, err);
    return r ? r : set_proxy(client, &url, ret, err);
}

void http_target_free(struct http_target *target)
{
    free(target->url);
    free(target->dial);
    tls_secret_free(target->proxy);
}
