/* SPDX-License-Identifier: Apache-2.0 */
/* A state file of any bytes: what was read of it makes a sound one with the same records. */
#include "state-file/document.h"

#include <stdint.h>
#include <string.h>

#define LIMIT ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct copy {
    struct document doc;
    const char *start, *end; /* of the text that is read */
    size_t n;
};

static int copy_record(const char *uid, const json_t *value, const char *text, size_t len,
                       void *arg)
{
    struct copy *copy = arg;

    if (!uid || !value || text < copy->start || text + len > copy->end)
        abort();
    copy->n++;
    return document_copy(&copy->doc, text, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct copy first = {
        .doc.out = BUF_INIT(LIMIT), .start = (const char *)data, .end = (const char *)data + size};
    struct copy second = {.doc.out = BUF_INIT(LIMIT)};

    if (document_begin(&first.doc))
        abort();
    if (document_read((const char *)data, size, copy_record, &first, NULL, NULL) == CASB_ENOMEM ||
        document_end(&first.doc, NULL) || document_begin(&second.doc))
        abort();
    second.start = first.doc.out.data;
    second.end = second.start + first.doc.out.len;
    if (document_read(second.start, first.doc.out.len, copy_record, &second, NULL, NULL) ||
        second.n != first.n)
        abort();
    buf_free(&first.doc.out);
    buf_free(&second.doc.out);
    return 0;
}
