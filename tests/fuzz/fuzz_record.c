/* SPDX-License-Identifier: Apache-2.0 */
/* A record of any content: what is taken of it is written, and taken again as the same. */
#include "base/jsonx.h"
#include "base/record.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_auto_t *from = NULL, *written = NULL, *again = NULL;
    struct casb_record record = {0}, second = {0};

    if (jsonx_parse((const char *)data, size, "record", &from, NULL) ||
        record_from_json("uid", from, &record, NULL))
        return 0;
    if (record_to_json(&record, &written, NULL) ||
        record_from_json("uid", written, &second, NULL) || record_to_json(&second, &again, NULL) ||
        !json_equal(written, again))
        abort();
    return 0;
}
