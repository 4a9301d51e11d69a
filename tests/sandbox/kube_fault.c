/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/kube_fault.h"

#include "base/cleanup.h"
#include "base/jsonx.h"

#include <fnmatch.h>
#include <stdint.h>

/* Counts the key down; false: it is 0 already. What is not there does not count. */
static bool count_down(json_t *fault, const char *key)
{
    int64_t left = jsonx_int(fault, key, -1);

    if (left == 0)
        return false;
    if (left > 0)
        json_object_set_new(fault, key, json_integer(left - 1));
    return true;
}

static bool is_due(json_t *fault)
{
    if (jsonx_int(fault, "skip", 0) > 0 && count_down(fault, "skip"))
        return false;
    return count_down(fault, "times");
}

static void read_fault(json_t *fault, struct fault *ret)
{
    *ret = (struct fault){
        .status = (unsigned)jsonx_int(fault, "status", 0),
        .delay_ms = (unsigned)jsonx_int(fault, "delay_ms", 0),
        .retry_after = (int)jsonx_int(fault, "retry_after", 0),
        .cut = (long)jsonx_int(fault, "cut", -1),
        .compact = jsonx_bool(fault, "compact", false),
        .event = jsonx_bool(fault, "event", false),
        .mute = jsonx_bool(fault, "mute", false),
        .garbage = jsonx_bool(fault, "garbage", false),
        .done = jsonx_bool(fault, "done", false),
        .reason = jsonx_string(fault, "reason"),
        .message = jsonx_string(fault, "message"),
        .text = jsonx_string(fault, "text"),
        .admit = jsonx_object(fault, "admit"),
        .spec = json_incref(fault),
    };
}

void fault_take(json_t *faults, const char *method, const char *uri, size_t body_len,
                struct fault *ret)
{
    _cleanup_(freep) char *line = NULL;
    json_t *fault;
    size_t i;

    *ret = (struct fault){.cut = -1};
    if (asprintf(&line, "%s %s", method, uri) < 0)
        return;
    json_array_foreach (faults, i, fault) {
        const char *match = jsonx_string(fault, "match");

        if ((int64_t)body_len <= jsonx_int(fault, "over", -1))
            continue;
        if (match && fnmatch(match, line, 0) == 0 && is_due(fault)) {
            read_fault(fault, ret);
            return;
        }
    }
}
