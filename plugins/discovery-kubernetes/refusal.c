/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/refusal.h"

#include "base/jsonx.h"
#include "base/text.h"

#include <string.h>

#define HTTP_FORBIDDEN         403
#define HTTP_REQUEST_TIMEOUT   408
#define HTTP_TOO_EARLY         425
#define HTTP_TOO_MANY_REQUESTS 429

/* What the messages of a 403 say. All others hold as long as nobody changes anything. */
static const struct {
    const char *part;
    enum refusal refusal;
} forbidden[] = {
    {"violates PodSecurity", REFUSAL_FOR_ALL}, /* it goes by the namespace */
    {"exceeded quota", REFUSAL_PASSING},       /* also the words of many webhooks */
    {"status unknown for quota", REFUSAL_PASSING},
    {"error looking up service account", REFUSAL_BRIEF}, /* is made after its namespace */
};

static bool has_cause(const json_t *status, const char *reason)
{
    const json_t *cause;
    size_t i;

    json_array_foreach (jsonx_array(status, "details.causes"), i, cause) {
        if (text_equal(jsonx_string(cause, "reason"), reason))
            return true;
    }
    return false;
}

static enum refusal judge_forbidden(const json_t *status)
{
    const char *message = jsonx_string(status, "message");

    if (has_cause(status, "NamespaceTerminating"))
        return REFUSAL_FOR_ALL;
    for (size_t i = 0; message && i < ELEMENTS(forbidden); i++) {
        if (strstr(message, forbidden[i].part))
            return forbidden[i].refusal;
    }
    return REFUSAL_FINAL;
}

enum refusal refusal_judge(const struct casb_error *failure, const json_t *status, bool unknown)
{
    if (unknown || failure->code == CASB_ECONFLICT)
        return REFUSAL_UNSURE;
    switch (failure->http) {
    case HTTP_FORBIDDEN:
        return judge_forbidden(status);
    case HTTP_REQUEST_TIMEOUT:
    case HTTP_TOO_EARLY:
    case HTTP_TOO_MANY_REQUESTS:
        return REFUSAL_PASSING;
    default:
        break;
    }
    if (failure->code == CASB_ENOTFOUND &&
        text_equal(jsonx_string(status, "details.kind"), "namespaces"))
        return REFUSAL_FOR_ALL;
    return failure->code == CASB_EUNREACHABLE ? REFUSAL_PASSING : REFUSAL_FINAL;
}
