/* SPDX-License-Identifier: Apache-2.0 */
#include "registration-cas-api/answer.h"

#include "base/jsonx.h"
#include "base/text.h"
#include "base/tls.h"

#include <string.h>

#define MESSAGE_BYTES 1024
#define MAJOR_DIGITS  4

static enum casb_code class_of(int status)
{
    switch (status) {
    case 401:
    case 403:
        return CASB_EDENIED;
    case 404:
        return CASB_ENOTFOUND;
    case 409:
        return CASB_ECONFLICT;
    case 408: /* these three say: later */
    case 425:
    case 429:
        return CASB_EUNREACHABLE;
    default:
        return status >= 500 ? CASB_EUNREACHABLE : CASB_EFAILED;
    }
}

static void join_messages(const json_t *list, struct buf *out)
{
    const json_t *each;
    size_t i;

    json_array_foreach (list, i, each) {
        if (!json_is_string(each))
            continue;
        if (out->len > 0)
            buf_append_cut(out, ": ", 2);
        buf_append_cut(out, json_string_value(each), json_string_length(each));
    }
}

int answer_refusal(const struct answer *answer, struct casb_error *err)
{
    _cleanup_(buf_free) struct buf joined = BUF_INIT(MESSAGE_BYTES);
    json_auto_t *tree = NULL;
    char said[CASB_ERROR_TEXT_BYTES];
    int r;

    if (jsonx_parse(answer->body, answer->len, "answer", &tree, NULL) == 0)
        join_messages(json_object_get(tree, "msg"), &joined);
    text_clean(said, sizeof said, buf_text(&joined));
    r = err_set(err, class_of(answer->status), "%s answered with HTTP status %d%s%s", answer->who,
                answer->status, said[0] ? ": " : "", said);
    if (err)
        err->http = answer->status;
    return r;
}

/* An answer that is good by its status: parses it, and finds out whether it says no after all. */
static int read_good(const struct answer *answer, json_t **ret, struct casb_error *err)
{
    json_auto_t *tree = NULL;
    int r;

    r = jsonx_parse(answer->body, answer->len, NULL, &tree, err);
    if (r < 0)
        return err_wrap(err, r, "answer of %s", answer->who);
    if (json_object_get(tree, "msg"))
        return answer_refusal(answer, err);
    *ret = TAKE_PTR(tree);
    return 0;
}

static int check_pem(const json_t *value, const char *key, struct casb_error *err)
{
    const char *text = json_string_value(value);
    char digest[65];
    int r;

    if (!text || strlen(text) != json_string_length(value))
        return err_set(err, CASB_EINVALID, "no text at '%s'", key);
    r = tls_chain_sha256(text, digest, err);
    return r < 0 ? err_wrap(err, r, "DB certificate") : 0;
}

int answer_certificate(const struct answer *answer, const char *key, bool any, json_t **ret,
                       struct casb_error *err)
{
    json_auto_t *tree = NULL;
    const json_t *value;
    int r;

    r = read_good(answer, &tree, err);
    if (r < 0)
        return r;
    value = jsonx_get(tree, text_equal(key, ".") ? "" : key);
    if (any)
        r = value && !json_is_null(value) ? 0 : err_set(err, CASB_EINVALID, "nothing at '%s'", key);
    else
        r = check_pem(value, key, err);
    if (r < 0)
        return err_wrap(err, r, "answer of %s", answer->who);
    *ret = json_incref((json_t *)(uintptr_t)value);
    return 0;
}

int answer_accepted(const struct answer *answer, struct casb_error *err)
{
    json_auto_t *tree = NULL;
    int r;

    if (answer->status != 200 && answer->status != 201 && answer->status != 204)
        return err_set(err, CASB_EINVALID, "%s answered with HTTP status %d, which is no yes",
                       answer->who, answer->status);
    if (answer->len == 0)
        return 0;
    r = read_good(answer, &tree, err);
    if (r < 0 || json_is_object(tree))
        return r;
    return err_set(err, CASB_EINVALID, "answer of %s: no object", answer->who);
}

char *answer_version(const struct answer *answer, char *out, size_t size)
{
    json_auto_t *tree = NULL;
    const char *version;

    if (jsonx_parse(answer->body, answer->len, NULL, &tree, NULL) < 0)
        tree = NULL;
    version = jsonx_string(tree, "version");
    return text_clean(out, size, version && answer_major(version) >= 0 ? version : "");
}

int answer_major(const char *version)
{
    const char *start = version + (version[0] == 'v');
    size_t digits = strspn(start, "0123456789");
    int major = 0;

    if (digits == 0 || digits > MAJOR_DIGITS)
        return -1;
    for (size_t i = 0; i < digits; i++)
        major = 10 * major + (start[i] - '0');
    return major;
}
