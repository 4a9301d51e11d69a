/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/kube_event.h"

#include "base/cleanup.h"
#include "base/jsonx.h"
#include "base/text.h"

#include <string.h>

#define MICROTIME "dddd-dd-ddTdd:dd:dd.ddddddZ" /* metav1.RFC3339Micro, in UTC */

static bool is_micro_time(const char *text)
{
    size_t i = 0;

    for (; text && text[i] && MICROTIME[i]; i++)
        if (MICROTIME[i] == 'd' ? !text_is_digit(text[i]) : text[i] != MICROTIME[i])
            return false;
    return text && i == strlen(MICROTIME) && !text[i];
}

/* The first member that is missing or longer than so many bytes. */
static const char *bad_text(const json_t *event)
{
    static const struct {
        const char *name;
        size_t min, max;
    } texts[] = {
        {"reportingController", 1, 316},
        {"reportingInstance", 1, 128},
        {"action", 1, 128},
        {"reason", 1, 128},
        {"note", 0, 1024},
    };

    for (size_t i = 0; i < ELEMENTS(texts); i++) {
        const char *text = jsonx_string(event, texts[i].name);
        size_t len = text ? strlen(text) : 0;

        if (len < texts[i].min || len > texts[i].max)
            return texts[i].name;
    }
    return NULL;
}

const char *event_fault(const json_t *event)
{
    const json_t *series = json_object_get(event, "series");
    const char *type = jsonx_string(event, "type"), *about, *place;

    if (!is_micro_time(jsonx_string(event, "eventTime")))
        return "eventTime";
    if (series && (jsonx_int(series, "count", 0) < 2 ||
                   !is_micro_time(jsonx_string(series, "lastObservedTime"))))
        return "series";
    if (!text_equal(type, "Normal") && !text_equal(type, "Warning"))
        return "type";
    place = jsonx_string(event, "metadata.namespace");
    about = jsonx_string(event, "regarding.namespace");
    if (about ? !text_equal(place, about)
              : !text_equal(place, "default") && !text_equal(place, "kube-system"))
        return "regarding.namespace";
    return bad_text(event);
}
