/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/upstream.h"

#include "base/buf.h"

#include <curl/curl.h>
#include <err.h>
#include <stdint.h>
#include <string.h>

#define BODY_BYTES (1024 * 1024)
#define URL_BYTES  8192
#define PATIENCE_S 60L

static void must(bool good)
{
    if (!good)
        errx(3, "out of memory");
}

/* What belongs to one connection, and not to the message (RFC 9110, 7.6.1). */
static bool is_of_the_connection(const char *name)
{
    static const char *const names[] = {"connection", "content-length", "expect",
                                        "host",       "keep-alive",     "transfer-encoding"};

    for (size_t i = 0; i < ELEMENTS(names); i++) {
        if (strcasecmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

static struct curl_slist *request_headers(json_t *headers)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    const char *name;
    json_t *value;

    json_object_foreach (headers, name, value) {
        char *line;

        if (is_of_the_connection(name))
            continue;
        must(asprintf(&line, "%s: %s", name, json_string_value(value)) >= 0);
        list = curl_slist_append(list, line);
        must(list);
        free(line);
    }
    return list;
}

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
    return buf_append(arg, data, size * n) == 0 ? size * n : 0;
}

/* One line of the head: the status line and the last one have no colon. */
static size_t take_header(char *data, size_t size, size_t n, void *arg)
{
    const char *colon = memchr(data, ':', size * n), *value = colon, *end = data + size * n;
    char *name;

    if (!colon)
        return size * n;
    name = strndup(data, (size_t)(colon - data));
    must(name);
    while (++value < end && (*value == ' ' || *value == '\t'))
        ;
    while (end > value && memchr("\r\n ", end[-1], 3))
        end--;
    if (!is_of_the_connection(name))
        json_object_set_new(arg, name, json_stringn(value, (size_t)(end - value)));
    free(name);
    return size * n;
}

static void set_blob(CURL *curl, CURLoption option, const char *text)
{
    struct curl_blob blob = {
        .data = (void *)(uintptr_t)text, .len = strlen(text), .flags = CURL_BLOB_COPY};

    must(curl_easy_setopt(curl, option, &blob) == CURLE_OK);
}

static void set_trust(CURL *curl, const struct upstream *upstream, bool as_owner)
{
    if (upstream->chain) {
        set_blob(curl, CURLOPT_CAINFO_BLOB, upstream->chain);
    } else {
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (as_owner) {
        set_blob(curl, CURLOPT_SSLCERT_BLOB, upstream->identity);
        set_blob(curl, CURLOPT_SSLKEY_BLOB, upstream->identity);
    }
}

static void set_request(CURL *curl, const char *url, const struct front_request *request,
                        struct curl_slist *headers)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, PATIENCE_S);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (request->len > 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)request->len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
    }
    if (strcmp(request->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

static void reply_bad_gateway(struct front_reply *reply, const char *why)
{
    json_auto_t *body = json_pack("{s:[s, s]}", "msg", "The recorder gets no answer", why);

    reply->status = 502;
    reply->body = json_dumps(body, JSON_COMPACT);
    must(reply->body);
    reply->len = strlen(reply->body);
}

void upstream_exchange(const struct upstream *upstream, const struct front_request *request,
                       struct front_reply *reply)
{
    struct curl_slist *headers = request_headers(request->headers);
    char url[URL_BYTES], error[CURL_ERROR_SIZE] = "";
    struct buf body = BUF_INIT(BODY_BYTES);
    CURL *curl = curl_easy_init();
    long status = 0;
    CURLcode r;

    reply->headers = json_object();
    must(curl && reply->headers);
    snprintf(url, sizeof url, "%s%s", upstream->url, request->path);
    set_request(curl, url, request, headers);
    set_trust(curl, upstream, request->client_certificate);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, reply->headers);
    r = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    if (r != CURLE_OK) {
        buf_free_secret(&body);
        json_object_clear(reply->headers);
        reply_bad_gateway(reply, error[0] ? error : curl_easy_strerror(r));
        return;
    }
    reply->status = (int)status;
    reply->len = body.len;
    reply->body = buf_take(&body);
    must(reply->body);
}
