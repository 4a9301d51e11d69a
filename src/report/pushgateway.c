/* SPDX-License-Identifier: Apache-2.0 */
#include "report/pushgateway.h"

#include "base/http.h"
#include "base/text.h"
#include "base/tls.h"
#include "base/url.h"

#include <string.h>

#define URL_BYTES    (8 * 1024)
#define ANSWER_BYTES (64 * 1024)

/* ---- the group's URL */

/* RFC 4648, 5: base64 for URLs, here without padding. */
static int put_base64(struct buf *out, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned bits = 0, held = 0;
    int r = 0;

    for (; *text && !r; text++) {
        bits = bits << 8 | (unsigned char)*text;
        for (held += 8; held >= 6 && !r; held -= 6)
            r = buf_append(out, &digits[bits >> (held - 6) & 63], 1);
    }
    if (held && !r)
        r = buf_append(out, &digits[bits << (6 - held) & 63], 1);
    return r;
}

/* A slash would be the end of the value, also where it is encoded; dots may be a way up. */
static int put_label(struct buf *out, const char *name, const char *value)
{
    bool special = strchr(value, '/') || value[0] == '.';
    int r = buf_printf(out, "/%s%s/", name, special ? "@base64" : "");

    if (r)
        return r;
    return special ? put_base64(out, value) : http_encode(out, value);
}

/* The Pushgateway's own URL, without a slash at its end. */
static int put_base(struct buf *out, const char *text)
{
    char origin[URL_ORIGIN_BYTES];
    struct url url;
    size_t len;

    if (url_parse(text, &url))
        return CASB_EINVALID;
    len = strlen(url.path);
    while (len > 0 && url.path[len - 1] == '/')
        len--;
    return buf_printf(out, "%s%.*s", url_origin(origin, &url), (int)len, url.path);
}

int pushgateway_url(const struct push_group *group, struct buf *out)
{
    int r = put_base(out, group->url);

    if (!r)
        r = buf_puts(out, "/metrics");
    if (!r)
        r = put_label(out, "job", group->job);
    return r ? r : put_label(out, "instance", group->instance);
}

/* ---- the exchange */

static int make_client(const char *text, struct http_client **ret, struct casb_error *err)
{
    struct http_config config = {.user_agent = "cas-backup/" PACKAGE_VERSION, .allow_http = true};
    char *user = NULL, *password = NULL;
    struct url url;
    int r = url_parse(text, &url);

    if (!r && url.userinfo)
        r = url_credentials(&url, &user, &password);
    if (r)
        return r == CASB_ENOMEM ? err_nomem(err)
                                : err_set(err, CASB_EINVALID, "no URL of a Pushgateway");
    config.user = user;
    config.password = password;
    r = http_client_new(&config, ret, err);
    free(user);
    tls_secret_free(password);
    return r;
}

static int judge(const struct http_response *response, struct casb_error *err)
{
    char said[200];

    if (response->status / 100 == 2)
        return 0;
    text_clean_bytes(said, sizeof said, buf_text(&response->body), response->body.len);
    return err_set(err, CASB_EFAILED, "HTTP status %d%s%s", response->status, said[0] ? ": " : "",
                   said);
}

static int ask(const struct push_group *group, const struct casb_call *call,
               struct http_request *request, struct casb_error *err)
{
    static const char *const headers[] = {"Content-Type: text/plain; version=0.0.4", NULL};
    _cleanup_(http_client_freep) struct http_client *client = NULL;
    _cleanup_(http_response_free) struct http_response response = {0};
    int r = make_client(group->url, &client, err);

    if (r)
        return r;
    request->headers = headers;
    request->limit_bytes = ANSWER_BYTES;
    r = http_perform(client, call, request, &response, err);
    return r ? r : judge(&response, err);
}

/* Asks at `url`, which was made with the result `r`. */
static int ask_at(const struct push_group *group, const struct casb_call *call,
                  struct http_request *request, const struct buf *url, int r,
                  struct casb_error *err)
{
    char clean[URL_ORIGIN_BYTES];

    request->url = buf_text(url);
    r = r ? err_set(err, r, "its URL: %s", err_class_name(r)) : ask(group, call, request, err);
    return r ? err_wrap(err, r, "Pushgateway '%s'", url_clean(clean, sizeof clean, group->url)) : 0;
}

int pushgateway_put(const struct push_group *group, const struct casb_call *call,
                    const struct buf *text, struct casb_error *err)
{
    struct http_request request = {.method = "PUT", .body = buf_text(text), .body_len = text->len};
    _cleanup_(buf_free) struct buf url = BUF_INIT(URL_BYTES);

    return ask_at(group, call, &request, &url, pushgateway_url(group, &url), err);
}

int pushgateway_delete(const struct push_group *group, const struct casb_call *call,
                       struct casb_error *err)
{
    struct http_request request = {.method = "DELETE"};
    _cleanup_(buf_free) struct buf url = BUF_INIT(URL_BYTES);

    return ask_at(group, call, &request, &url, pushgateway_url(group, &url), err);
}

int pushgateway_check(const struct push_group *group, const struct casb_call *call,
                      struct casb_error *err)
{
    struct http_request request = {.method = "GET"};
    _cleanup_(buf_free) struct buf url = BUF_INIT(URL_BYTES);
    int r = put_base(&url, group->url);

    if (!r)
        r = buf_puts(&url, "/-/ready");
    return ask_at(group, call, &request, &url, r, err);
}
