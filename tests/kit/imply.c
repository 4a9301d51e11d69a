/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/imply.h"

#include "base/buf.h"
#include "base/jsonx.h"
#include "base/text.h"
#include "base/tls.h"
#include "registration-cas-api/answer.h"

#include <err.h>
#include <string.h>

#define SMALLEST  16 /* characters of a text that is no coincidence */
#define KEY_BYTES 1024

static const char *const tolerances[] = {"configuration-needed", "group-out-of-date",
                                         "sw-hardening-needed"};

/* What is being found out. */
struct findings {
    json_t *settings, *cannot, *check;
};

static void must(bool good)
{
    if (!good)
        errx(3, "out of memory");
}

static void set(struct findings *findings, const char *name, json_t *value)
{
    must(value && json_object_set_new(findings->settings, name, value) == 0);
}

/* Adds a sentence to a list. */
static _printf_(2, 3) void say(json_t *list, const char *format, ...)
{
    char text[512], clean[512];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    must(json_array_append_new(list, json_string(text_clean(clean, sizeof clean, text))) == 0);
}

static bool is_good(const json_t *exchange)
{
    return jsonx_int(exchange, "status", 0) / 100 == 2;
}

static bool is_from(const json_t *exchange, const char *side)
{
    return text_equal(jsonx_string(exchange, "side"), side);
}

/* Does the value stand anywhere in the tree? */
static bool stands_in(const json_t *value, const json_t *tree)
{
    const json_t *each;
    const char *key;
    size_t i;

    if (json_equal(value, tree))
        return true;
    json_array_foreach (tree, i, each) {
        if (stands_in(value, each))
            return true;
    }
    json_object_foreach ((json_t *)(uintptr_t)tree, key, each) {
        if (stands_in(value, each))
            return true;
    }
    return false;
}

static bool is_small(const json_t *value)
{
    if (json_is_string(value))
        return json_string_length(value) < SMALLEST;
    return json_object_size(value) == 0 && json_array_size(value) == 0;
}

/*
 * The largest part of the answer that stands in the request, and its path in keys with dots, ""
 * for all of it. NULL: there is none.
 */
static const json_t *common_part(const json_t *answer, const json_t *request, struct buf *path)
{
    const size_t len = path->len;
    const char *key;
    json_t *each;

    /* a body of one member has that in common, rather than all of it */
    bool one = json_object_size(answer) == 1 && json_equal(answer, request);

    if (!one && !is_small(answer) && stands_in(answer, request))
        return answer;
    json_object_foreach ((json_t *)(uintptr_t)answer, key, each) {
        const json_t *found;

        if (strchr(key, '.') || buf_printf(path, "%s%s", len ? "." : "", key) < 0)
            continue;
        found = common_part(each, request, path);
        if (found)
            return found;
        path->len = len;
        path->data[len] = 0;
    }
    return NULL;
}

static bool is_tolerance(const json_t *value)
{
    for (size_t i = 0; i < ELEMENTS(tolerances); i++) {
        if (text_equal(json_string_value(value), tolerances[i]))
            return true;
    }
    return false;
}

static bool is_tolerate(const json_t *value)
{
    const json_t *each;
    size_t i;

    json_array_foreach (value, i, each) {
        if (!is_tolerance(each))
            return false;
    }
    return json_array_size(value) > 0;
}

/* The list of tolerances in a request; NULL: there is none. */
static const json_t *find_tolerate(const json_t *request)
{
    const json_t *each, *found = NULL;
    const char *key;
    size_t i;

    if (is_tolerate(request))
        return request;
    json_array_foreach (request, i, each)
        found = found ? found : find_tolerate(each);
    json_object_foreach ((json_t *)(uintptr_t)request, key, each)
        found = found ? found : find_tolerate(each);
    return found;
}

/* The request with placeholders in place of the certificate and the tolerances. */
static json_t *with_placeholders(const json_t *request, const json_t *certificate)
{
    json_t *copy, *each;
    const char *key;
    size_t i;

    if (json_equal(request, certificate))
        return json_string("{certificate}");
    if (is_tolerate(request))
        return json_string("{tolerate}");
    copy = json_copy((json_t *)(uintptr_t)request);
    must(copy);
    json_array_foreach (copy, i, each)
        must(json_array_set_new(copy, i, with_placeholders(each, certificate)) == 0);
    json_object_foreach (copy, key, each)
        must(json_object_set_new(copy, key, with_placeholders(each, certificate)) == 0);
    return copy;
}

static bool is_pem(const json_t *value)
{
    char digest[65];

    return json_is_string(value) && tls_chain_sha256(json_string_value(value), digest, NULL) == 0;
}

/* The exchange that fetched what `given` hands over, and what that is. */
static const json_t *find_source(const json_t *exchanges, const json_t *given,
                                 const json_t **ret_certificate, struct buf *path)
{
    const json_t *each;
    size_t i;

    json_array_foreach (exchanges, i, each) {
        const json_t *found;

        buf_reset(path);
        if (!is_from(each, "backup") || !is_good(each))
            continue;
        found =
            common_part(json_object_get(each, "answer"), json_object_get(given, "request"), path);
        if (found) {
            *ret_certificate = found;
            return each;
        }
    }
    return NULL;
}

/* Finds the exchange that registered: the last one on the primary that hands something over. */
static const json_t *find_registration(const json_t *exchanges, const json_t **ret_source,
                                       const json_t **ret_certificate, struct buf *path)
{
    for (size_t i = json_array_size(exchanges); i > 0; i--) {
        const json_t *each = json_array_get(exchanges, i - 1);

        if (!is_from(each, "primary") || !json_object_get(each, "request"))
            continue;
        *ret_source = find_source(exchanges, each, ret_certificate, path);
        if (*ret_source)
            return each;
    }
    return NULL;
}

/* The two calls have one form each in cas-api. */
static void check_forms(const json_t *source, const json_t *given, struct findings *findings)
{
    const char *source_method = jsonx_string(source, "method");
    const char *given_method = jsonx_string(given, "method");
    json_t *cannot = findings->cannot;

    if (!text_equal(source_method, "GET"))
        say(cannot, "the certificate is fetched by %s, and cas-api uses GET", source_method);
    if (json_object_get(source, "request") || json_object_get(source, "request_text"))
        say(cannot, "the certificate is fetched with a body, and cas-api sends none");
    if (jsonx_bool(source, "client_certificate", false))
        say(cannot, "the backup CAS is shown a client certificate, and cas-api shows it none");
    if (!text_equal(given_method, "POST"))
        say(cannot, "the certificate is handed over by %s, and cas-api uses POST", given_method);
    if (!jsonx_bool(given, "client_certificate", false))
        say(cannot, "the primary is shown no client certificate, and cas-api shows the owner's");
}

/* cas-api says what it sends. */
static void check_type(const json_t *given, struct findings *findings)
{
    const char *type = NULL, *name;
    json_t *value;

    json_object_foreach (json_object_get(given, "request_headers"), name, value) {
        if (strcasecmp(name, "Content-Type") == 0)
            type = json_string_value(value);
    }
    if (!type || strncasecmp(type, "application/json", strlen("application/json")) != 0)
        say(findings->check, "the body is sent as '%s', and by cas-api as application/json",
            type ? type : "nothing");
}

/* cas-api takes only some answers for a yes. */
static void check_answer(const json_t *given, struct findings *findings)
{
    const json_t *json = json_object_get(given, "answer");
    const char *text = jsonx_string(given, "answer_text");
    char *body = json ? json_dumps(json, JSON_COMPACT) : strdup(text ? text : "");
    struct casb_error error = {0};
    struct answer answer = {.who = "the primary CAS", .body = body};

    must(body);
    answer.status = (int)jsonx_int(given, "status", 0);
    answer.len = strlen(body);
    if (answer_accepted(&answer, &error) < 0)
        say(findings->cannot, "cas-api takes this answer for a no: %s", error.text);
    free(body);
}

/* Whatever else was said may be needed, or not. */
static void check_others(const json_t *exchanges, const json_t *source, const json_t *given,
                         struct findings *findings)
{
    const json_t *each;
    size_t i;

    json_array_foreach (exchanges, i, each) {
        if (each == source || each == given ||
            text_equal(jsonx_string(each, "path"), "/v1/version"))
            continue;
        say(findings->check, "cas-api does without this: %s %.*s on the %s CAS",
            jsonx_string(each, "method"), (int)strcspn(jsonx_string(each, "path"), "?"),
            jsonx_string(each, "path"), jsonx_string(each, "side"));
    }
}

/* What stands behind a '?' may be another one the next time. */
static void check_query(const json_t *exchange, struct findings *findings)
{
    if (strchr(jsonx_string(exchange, "path"), '?'))
        say(findings->check, "the path on the %s CAS has a query, which is as it was this once",
            jsonx_string(exchange, "side"));
}

/* Members of the body that are not placeholders are what they were this once. */
static void check_constants(const json_t *body, struct findings *findings)
{
    const json_t *each;
    const char *key;

    json_object_foreach ((json_t *)(uintptr_t)body, key, each) {
        const char *text = json_string_value(each);

        if (!text_equal(text, "{certificate}") && !text_equal(text, "{tolerate}"))
            say(findings->check, "'%s' in register_body is as it was this once", key);
    }
}

static void set_settings(const json_t *source, const json_t *given, const json_t *certificate,
                         const struct buf *path, struct findings *findings)
{
    const json_t *request = json_object_get(given, "request"), *tolerate = find_tolerate(request);
    json_auto_t *body = with_placeholders(request, certificate);

    set(findings, "certificate_path", json_string(jsonx_string(source, "path")));
    set(findings, "certificate_key", json_string(path->len ? buf_text(path) : "."));
    set(findings, "certificate_form", json_string(is_pem(certificate) ? "pem" : "any"));
    set(findings, "register_path", json_string(jsonx_string(given, "path")));
    if (tolerate)
        set(findings, "tolerate", json_incref((json_t *)(uintptr_t)tolerate));
    else
        say(findings->check, "the body shows no tolerances: register once more with -C, -G and -S");
    if (json_is_object(body)) {
        check_constants(body, findings);
        set(findings, "register_body", json_incref(body));
    } else {
        say(findings->cannot,
            "the body has no members, or is all of the answer: register_body is a map");
    }
}

json_t *imply(const json_t *exchanges, const char *version)
{
    _cleanup_(buf_free) struct buf path = BUF_INIT(KEY_BYTES);
    struct findings findings = {json_object(), json_array(), json_array()};
    const json_t *source = NULL, *certificate = NULL, *given;
    json_t *result;

    must(findings.settings && findings.cannot && findings.check);
    set(&findings, "plugin", json_string("cas-api"));
    if (version)
        set(&findings, "verified_with", json_string(version));
    given = find_registration(exchanges, &source, &certificate, &path);
    if (given) {
        check_forms(source, given, &findings);
        check_type(given, &findings);
        check_answer(given, &findings);
        set_settings(source, given, certificate, &path, &findings);
        check_query(source, &findings);
        check_query(given, &findings);
    } else {
        say(findings.cannot, "nothing that a backup CAS answered was handed to the primary");
    }
    check_others(exchanges, source, given, &findings);
    result = json_pack("{s:o, s:o, s:o}", "settings", findings.settings, "cannot", findings.cannot,
                       "check", findings.check);
    must(result);
    return result;
}
