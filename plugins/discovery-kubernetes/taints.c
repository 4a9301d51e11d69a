/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/taints.h"

#include "base/jsonx.h"

#include <string.h>

static const char *string_or_empty(const json_t *object, const char *key)
{
    const char *text = jsonx_string(object, key);

    return text ? text : "";
}

/* Gt and Lt are an alpha feature that clusters have switched off: no match, like an unknown one. */
static bool matches(const json_t *toleration, const struct taint *taint)
{
    const char *effect = string_or_empty(toleration, "effect");
    const char *key = string_or_empty(toleration, "key");
    const char *op = string_or_empty(toleration, "operator");

    if (*effect && strcmp(effect, taint->effect) != 0)
        return false;
    if (*key && strcmp(key, taint->key) != 0)
        return false;
    if (strcmp(op, "Exists") == 0)
        return true;
    if (*op && strcmp(op, "Equal") != 0)
        return false;
    return strcmp(string_or_empty(toleration, "value"), taint->value) == 0;
}

bool taint_is_tolerated(const struct taint *taint, const json_t *tolerations)
{
    const json_t *toleration;
    size_t i;

    json_array_foreach (tolerations, i, toleration) {
        if (matches(toleration, taint))
            return true;
    }
    return false;
}

const char *taint_find_untolerated(const json_t *taints, const json_t *tolerations)
{
    const json_t *object;
    size_t i;

    json_array_foreach (taints, i, object) {
        struct taint taint = {
            .key = string_or_empty(object, "key"),
            .value = string_or_empty(object, "value"),
            .effect = string_or_empty(object, "effect"),
        };

        if (strcmp(taint.effect, "NoSchedule") != 0 && strcmp(taint.effect, "NoExecute") != 0)
            continue;
        if (!taint_is_tolerated(&taint, tolerations))
            return taint.key;
    }
    return NULL;
}
