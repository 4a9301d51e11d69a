/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/playback.h"

#include "base/jsonx.h"
#include "base/text.h"
#include "kit/redact.h"
#include "sandbox/server.h"

#include <err.h>
#include <string.h>

void playback_load(struct playback *playback, const char *path, const char *side)
{
    json_error_t error;
    json_t *recording = json_load_file(path, 0, &error);
    const json_t *each;
    size_t i;

    if (!recording)
        errx(2, "%s:%d: %s", path, error.line, error.text);
    if (jsonx_int(recording, "recording", 0) != 1 || !jsonx_array(recording, "exchanges"))
        errx(2, "%s is no recording", path);
    json_array_foreach (jsonx_array(recording, "exchanges"), i, each) {
        if (json_object_get(each, "answer_text"))
            errx(2, "%s: answer %zu is no JSON, and cannot be replayed", path, i + 1);
    }
    *playback = (struct playback){recording, side};
}

/* A query that had a secret in it may be any. */
static bool is_path(const char *recorded, const char *path)
{
    size_t len = strstr(recorded, REDACT_PLACEHOLDER) ? strcspn(recorded, "?") : strlen(recorded);

    return strncmp(recorded, path, len) == 0 && (!path[len] || path[len] == '?') &&
           (recorded[len] || !path[len]);
}

static bool is_body(const json_t *recorded, const json_t *body);

static bool has_members(const json_t *recorded, const json_t *body)
{
    const char *key;
    json_t *each;

    if (!json_is_object(body) || json_object_size(recorded) != json_object_size(body))
        return false;
    json_object_foreach ((json_t *)(uintptr_t)recorded, key, each) {
        if (!is_body(each, json_object_get(body, key)))
            return false;
    }
    return true;
}

static bool has_elements(const json_t *recorded, const json_t *body)
{
    const json_t *each;
    size_t i;

    if (!json_is_array(body) || json_array_size(recorded) != json_array_size(body))
        return false;
    json_array_foreach (recorded, i, each) {
        if (!is_body(each, json_array_get(body, i)))
            return false;
    }
    return true;
}

/* Is it the recorded body, where what was taken out may be anything? */
static bool is_body(const json_t *recorded, const json_t *body)
{
    if (redact_is_placeholder(recorded))
        return body != NULL;
    if (json_is_object(recorded))
        return has_members(recorded, body);
    if (json_is_array(recorded))
        return has_elements(recorded, body);
    return json_equal(recorded, body) || (!recorded && !body);
}

static int refuse(json_t **ret_body, int status, const char *first, const char *second)
{
    *ret_body = server_message(first, second);
    return status;
}

/* What became of the search for the recorded exchange. */
enum match { OTHER_PATH, OTHER_CLIENT, OTHER_BODY, MATCH };

static enum match match(const json_t *each, const char *side, const char *method, const char *path,
                        bool client_certificate, const json_t *body)
{
    if (!text_equal(jsonx_string(each, "side"), side) ||
        !text_equal(jsonx_string(each, "method"), method) ||
        !is_path(jsonx_string(each, "path"), path))
        return OTHER_PATH;
    if (jsonx_bool(each, "client_certificate", false) && !client_certificate)
        return OTHER_CLIENT;
    return is_body(json_object_get(each, "request"), body) ? MATCH : OTHER_BODY;
}

int playback_answer(const struct playback *playback, const char *method, const char *path,
                    bool client_certificate, const json_t *body, json_t **ret_body)
{
    const char *version = jsonx_string(playback->recording, "cas");
    enum match best = OTHER_PATH;
    const json_t *each;
    size_t i;

    json_array_foreach (jsonx_array(playback->recording, "exchanges"), i, each) {
        enum match found = match(each, playback->side, method, path, client_certificate, body);

        if (found == MATCH) {
            *ret_body = json_incref(json_object_get(each, "answer"));
            return (int)jsonx_int(each, "status", 500);
        }
        best = found > best ? found : best;
    }
    if (best == OTHER_BODY)
        return refuse(ret_body, 400, "The recording has another body", path);
    if (best == OTHER_CLIENT)
        return refuse(ret_body, 401, "The recording has a client certificate", path);
    if (version && text_equal(method, "GET") && text_equal(path, "/v1/version") &&
        text_equal(playback->side, "primary")) {
        *ret_body = json_pack("{s:s}", "version", version);
        return 200;
    }
    return refuse(ret_body, 404, "The recording has no such request", path);
}
