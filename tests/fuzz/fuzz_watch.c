/* SPDX-License-Identifier: Apache-2.0 */
/* A watch's stream of any content: in pieces of any size it must come to the same. */
#include "common/kube/watch.h"

#include "base/jsonx.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINE_BYTES 4096

static int count(const json_t *object, bool deleted, void *arg)
{
    size_t *events = arg;

    if (!jsonx_string(object, "metadata.resourceVersion"))
        abort();
    *events += deleted ? 1000 : 1;
    return 0;
}

/* A stream that is longer than the limit is refused whole, but not in pieces; so none is. */
static size_t feed(struct watch_stream *stream, const char *data, size_t size, size_t piece)
{
    size_t events = 0;

    *stream = (struct watch_stream){
        .event = count, .arg = &events, .pending = BUF_INIT(LINE_BYTES), .retry_ns = -1};
    for (size_t at = 0; at < size; at += piece)
        if (watch_stream_feed(stream, data + at, size - at < piece ? size - at : piece))
            break;
    buf_free(&stream->pending);
    return events;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct watch_stream whole, pieces;
    size_t a, b;

    if (size < 2 || size > LINE_BYTES)
        return 0;
    a = feed(&whole, (const char *)data + 1, size - 1, size);
    b = feed(&pieces, (const char *)data + 1, size - 1, (size_t)data[0] + 1);
    if (a != b || whole.ended != pieces.ended || whole.result != pieces.result ||
        whole.retry_ns != pieces.retry_ns || strcmp(whole.version, pieces.version))
        abort();
    return 0;
}
