/* SPDX-License-Identifier: Apache-2.0 */
/* An item of any content: what is JSON stays what it is, but for what the sieve leaves out. */
#include "kube/sieve.h"

#include <jansson.h>
#include <stdint.h>
#include <string.h>

/* From an object, or from each object in an array. */
static void leave_out_of(json_t *json, const char *const *keys)
{
    json_t *element;
    size_t i;

    for (; *keys; keys++) {
        json_object_del(json, *keys);
        json_array_foreach (json, i, element)
            json_object_del(element, *keys);
    }
}

static void leave_out(json_t *want)
{
    static const char *const metadata[] = {"managedFields", NULL},
                             *const status[] = {"images", NULL},
                             *const spec[] = {"affinity", "tolerations", "volumes", NULL},
                             *const container[] = {
                                 "env",           "ports",          "resources", "volumeMounts",
                                 "livenessProbe", "readinessProbe", NULL};
    json_t *specs = json_object_get(want, "spec"), *one;
    size_t i;

    leave_out_of(json_object_get(want, "metadata"), metadata);
    leave_out_of(json_object_get(want, "status"), status);
    leave_out_of(specs, spec);
    leave_out_of(json_object_get(specs, "containers"), container);
    json_array_foreach (specs, i, one)
        leave_out_of(json_object_get(one, "containers"), container);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_auto_t *want = NULL;
    json_auto_t *got = NULL;
    char *text = size ? malloc(size) : NULL; /* no byte more, for the sanitizers */
    struct sieve_span item = {text, size};

    if (!text)
        return 0;
    want = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    memcpy(text, data, size);
    sieve_item(&item);
    got = json_loadb(item.data, item.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(want)) {
        leave_out(want);
        if (!json_equal(want, got) && !memchr(data, '\\', size))
            abort();
    }
    free(text);
    return 0;
}
