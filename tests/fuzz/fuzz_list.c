/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page of a list of any content, JSON or Protocol Buffers: in pieces of any size it comes to the
 * same, and what an item is read as can be written.
 */
#include "common/kube/listreader.h"

#include "base/jsontext.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int write_item(const json_t *item, void *arg)
{
    struct buf *text = arg;

    if (jsontext_write(text, item, 0) || buf_puts(text, "\n"))
        abort();
    return 0;
}

static int feed(struct listreader *reader, const uint8_t *data, size_t size, size_t piece)
{
    int r = 0;

    for (size_t at = 0; at < size && r == 0; at += piece) {
        size_t len = size - at < piece ? size - at : piece;
        char *exact = malloc(len); /* no byte more, for the sanitizers */

        memcpy(exact, data + at, len);
        r = listreader_feed(reader, exact, len);
        free(exact);
    }
    return r ? r : listreader_end(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf text = BUF_INIT(SIZE_MAX / 2), again = BUF_INIT(SIZE_MAX / 2);
    struct listreader whole = {.each = write_item, .arg = &text};
    struct listreader pieces = {.each = write_item, .arg = &again};
    int a, b;

    a = feed(&whole, data, size, size);
    b = feed(&pieces, data, size, size % 61 + 1);
    if (a != b || strcmp(buf_text(&text), buf_text(&again)) != 0 || (a == 0 && !whole.meta))
        abort();
    listreader_free(&whole);
    listreader_free(&pieces);
    buf_free(&text);
    buf_free(&again);
    return 0;
}
