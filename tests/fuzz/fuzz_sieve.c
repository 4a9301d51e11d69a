/* SPDX-License-Identifier: Apache-2.0 */
/* An item of any content: what is JSON stays so, but for members that the sieve leaves out. */
#include "kube/sieve.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Is `got` what `want` is, but for members that objects in it lack? */
static bool is_part(const json_t *got, const json_t *want)
{
    const char *key;
    json_t *value;
    size_t i;

    if (json_typeof(got) != json_typeof(want) || json_array_size(got) != json_array_size(want))
        return false;
    if (!json_is_object(got) && !json_is_array(got))
        return json_equal(got, want);
    json_array_foreach (got, i, value)
        if (!is_part(value, json_array_get(want, i)))
            return false;
    json_object_foreach ((json_t *)got, key, value)
        if (!json_object_get(want, key) || !is_part(value, json_object_get(want, key)))
            return false;
    return true;
}

/* No member of the item itself goes, and of most not even a part. */
static void check(const json_t *got, json_t *want)
{
    const char *key;
    json_t *value;

    json_object_foreach (want, key, value) {
        const json_t *kept = json_object_get(got, key);
        bool whole = strcmp(key, "metadata") && strcmp(key, "spec") && strcmp(key, "status");

        if (!kept || (whole ? !json_equal(kept, value) : !is_part(kept, value)))
            abort();
    }
    if (json_object_size(got) != json_object_size(want))
        abort();
}

/* As jsonx_parse() reads it. */
#define FLAGS (JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_auto_t *want = NULL;
    json_auto_t *got = NULL;
    char *text = size ? malloc(size) : NULL; /* no byte more, for the sanitizers */
    struct sieve_span item = {text, size};

    if (!text)
        return 0;
    want = json_loadb((const char *)data, size, FLAGS, NULL);
    memcpy(text, data, size);
    sieve_item(&item);
    got = json_loadb(item.data, item.len, FLAGS, NULL);
    if (json_is_object(want))
        check(got, want);
    free(text);
    return 0;
}
