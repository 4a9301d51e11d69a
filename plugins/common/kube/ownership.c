/* SPDX-License-Identifier: Apache-2.0 */
#include "common/kube/ownership.h"

#include "base/jsonx.h"
#include "base/text.h"

#include <string.h>

#define INSTANCE   OWNERSHIP_PREFIX "instance"
#define COMPONENT  OWNERSHIP_PREFIX "component"
#define WELL_KNOWN "app.kubernetes.io/"
#define TOOL       "cas-backup"

int ownership_labels(const char *instance, const char *component, json_t **ret,
                     struct casb_error *err)
{
    return jsonx_pack(ret, err, "{s:s, s:s, s:s, s:s, s:s, s:s}", INSTANCE, instance, COMPONENT,
                      component, WELL_KNOWN "name", TOOL, WELL_KNOWN "instance", instance,
                      WELL_KNOWN "component", component, WELL_KNOWN "managed-by", TOOL);
}

char *ownership_selector(char out[static OWNERSHIP_SELECTOR_BYTES], const char *instance,
                         const char *component)
{
    snprintf(out, OWNERSHIP_SELECTOR_BYTES, INSTANCE "=%s," COMPONENT "=%s", instance, component);
    return out;
}

char *ownership_selector_before(char out[static OWNERSHIP_SELECTOR_BYTES], const char *instance,
                                const char *component)
{
    snprintf(out, OWNERSHIP_SELECTOR_BYTES,
             WELL_KNOWN "instance=%s," WELL_KNOWN "managed-by=" TOOL "," WELL_KNOWN
                        "component=%s,!" INSTANCE,
             instance, component);
    return out;
}

static bool has(const json_t *object, const char *key, const char *value)
{
    return text_equal(
        json_string_value(json_object_get(jsonx_object(object, "metadata.labels"), key)), value);
}

bool ownership_is(const json_t *object, const char *instance, const char *component)
{
    if (json_object_get(jsonx_object(object, "metadata.labels"), INSTANCE))
        return has(object, INSTANCE, instance) && has(object, COMPONENT, component);
    return has(object, WELL_KNOWN "instance", instance) &&
           has(object, WELL_KNOWN "managed-by", TOOL) &&
           has(object, WELL_KNOWN "component", component);
}

static const char *find_lost(const json_t *sent, const json_t *made)
{
    const char *key;
    json_t *value;

    json_object_foreach ((json_t *)(uintptr_t)sent, key, value) {
        if (strncmp(key, OWNERSHIP_PREFIX, strlen(OWNERSHIP_PREFIX)) == 0 &&
            !json_equal(json_object_get(made, key), value))
            return key;
    }
    return NULL;
}

const char *ownership_find_lost(const json_t *sent, const json_t *made)
{
    static const char *const maps[] = {"metadata.labels", "metadata.annotations"};
    const char *lost = NULL;

    for (size_t i = 0; !lost && i < ELEMENTS(maps); i++)
        lost = find_lost(jsonx_object(sent, maps[i]), jsonx_object(made, maps[i]));
    return lost;
}
