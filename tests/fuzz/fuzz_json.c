/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of any bytes: what is read of it is written, and what is read of that is written the same.
 */
#include "base/jsonread.h"
#include "base/jsontext.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf text = BUF_INIT(SIZE_MAX / 2), again = BUF_INIT(SIZE_MAX / 2);
    json_auto_t *first = NULL, *second = NULL;
    struct jsonread_fault fault;
    size_t end;

    if (jsonread_value((const char *)data, size, &first, &end, &fault)) {
        if (!fault.problem || fault.at > size)
            abort();
        return 0;
    }
    if (end > size || jsontext_write(&text, first, 0) ||
        jsonread_value(text.data, text.len, &second, &end, &fault) || end != text.len ||
        jsontext_write(&again, second, 0) || strcmp(text.data, again.data) != 0)
        abort();
    buf_free(&text);
    buf_free(&again);
    return 0;
}
