/* SPDX-License-Identifier: Apache-2.0 */
/* An item of any content: what is JSON stays what it is, but for what the sieve leaves out. */
#include "kube/sieve.h"

#include <jansson.h>
#include <stdint.h>
#include <string.h>

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
        json_object_del(json_object_get(want, "metadata"), "managedFields");
        json_object_del(json_object_get(want, "status"), "images");
        if (!json_equal(want, got) && !memchr(data, '\\', size))
            abort();
    }
    free(text);
    return 0;
}
