/* SPDX-License-Identifier: Apache-2.0 */
#include "common/kube/listreader.h"

#include "common/kube/client.h"

#include "base/text.h"

#include <string.h>

/* A server may ignore the limit of items; but it must not keep us, or fill our memory, for ever. */
#define PAGE_BYTES (256 * 1024 * 1024)
#define PAGE_ITEMS (64 * 1024)

static int give(struct listreader *reader, struct listpart *part)
{
    json_auto_t *value = part->value;

    if (part->kind == LISTPART_META) {
        json_decref(reader->meta);
        reader->meta = TAKE_PTR(value);
    }
    if (part->kind != LISTPART_ITEM)
        return 0;
    if (++reader->items > PAGE_ITEMS)
        return err_set(reader->err, CASB_EINVALID, "one page has more than %d items", PAGE_ITEMS);
    return reader->each(value, reader->arg);
}

static int take(struct listreader *reader, const char *data, size_t len, struct listpart *ret)
{
    if (reader->format == LISTREADER_PROTO)
        return protolist_take(&reader->proto, data, len, ret, reader->err);
    return jsonlist_take(&reader->json, data, len, ret, reader->err);
}

/* Takes what is there whole; *ret_taken is how much that was. */
static int take_parts(struct listreader *reader, const char *data, size_t len, size_t *ret_taken)
{
    struct listpart part = {.kind = LISTPART_SKIPPED};
    size_t at = 0;
    int r = 0;

    if (reader->format == LISTREADER_UNKNOWN && len > 0)
        reader->format = data[0] == 'k' ? LISTREADER_PROTO : LISTREADER_JSON;
    while (r == 0 && part.kind != LISTPART_NONE) {
        r = take(reader, data + at, len - at, &part);
        at += part.len;
        if (r == 0)
            r = give(reader, &part);
        else
            json_decref(part.value);
    }
    *ret_taken = at;
    return r;
}

static int keep(struct listreader *reader, const char *data, size_t len)
{
    int r = buf_append(&reader->pending, data, len);

    if (r == CASB_ENOMEM)
        return err_nomem(reader->err);
    return r ? err_set(reader->err, r, "an item of the list is larger than any object") : 0;
}

int listreader_feed(struct listreader *reader, const char *data, size_t len)
{
    size_t taken = 0;
    int r;

    reader->bytes += len;
    if (reader->bytes > PAGE_BYTES)
        return err_set(reader->err, CASB_EINVALID, "one page is larger than %d bytes", PAGE_BYTES);
    if (reader->pending.len == 0) {
        r = take_parts(reader, data, len, &taken);
        if (r)
            return r;
        reader->pending.limit = CLIENT_OBJECT_BYTES;
        return keep(reader, data + taken, len - taken);
    }
    r = keep(reader, data, len);
    if (r == 0)
        r = take_parts(reader, reader->pending.data, reader->pending.len, &taken);
    if (r == 0)
        buf_drop(&reader->pending, taken);
    return r;
}

bool listreader_is_cut(const struct listreader *reader)
{
    bool whole = reader->format == LISTREADER_PROTO ? protolist_is_whole(&reader->proto)
                                                    : reader->json.state == JSONLIST_END;

    return !whole || reader->pending.len > 0;
}

int listreader_end(struct listreader *reader)
{
    if (!listreader_is_cut(reader) && reader->meta)
        return 0;
    return err_set(reader->err, CASB_EINVALID, "the answer is no list");
}

void listreader_free(struct listreader *reader)
{
    json_decref(reader->meta);
    buf_free(&reader->pending);
    *reader = (struct listreader){.each = reader->each, .arg = reader->arg, .err = reader->err};
}
