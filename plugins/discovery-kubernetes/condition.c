/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/condition.h"

#include "base/jsonx.h"
#include "base/text.h"

const json_t *condition_find(const json_t *object, const char *type)
{
    const json_t *condition;
    size_t i;

    json_array_foreach (jsonx_array(object, "status.conditions"), i, condition) {
        if (text_equal(jsonx_string(condition, "type"), type))
            return condition;
    }
    return NULL;
}

bool condition_is_true(const json_t *object, const char *type)
{
    return text_equal(jsonx_string(condition_find(object, type), "status"), "True");
}
