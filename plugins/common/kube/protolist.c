/* SPDX-License-Identifier: Apache-2.0 */
#include "common/kube/protolist.h"

#include "base/text.h"

#include <string.h>

/* The fields of every list. */
enum { META = 1, ITEMS = 2 };

static int broken(struct casb_error *err)
{
    return err_set(err, CASB_EINVALID, "the answer is no list (protobuf)");
}

/* "NodeList": what is read of a "Node"? */
static int set_kind(struct protolist *list, struct wire_bytes type_meta, struct casb_error *err)
{
    static const char suffix[] = "List";
    char kind[KINDS_NAME_BYTES], clean[KINDS_NAME_BYTES];
    size_t len;

    if (kinds_read_type(type_meta, kind))
        return broken(err);
    text_clean(clean, sizeof clean, kind);
    len = strlen(kind);
    if (len > strlen(suffix) && !strcmp(kind + len - strlen(suffix), suffix)) {
        kind[len - strlen(suffix)] = '\0';
        list->items = kinds_find(kind);
    }
    return list->items ? 0 : err_set(err, CASB_EINVALID, "the answer is a '%s', no list", clean);
}

static int begin(struct protolist *list, const char *data, size_t len, struct listpart *ret,
                 struct casb_error *err)
{
    if (len < KINDS_MAGIC_LEN)
        return 0;
    if (!kinds_is_encoded((struct wire_bytes){(const unsigned char *)data, len}))
        return broken(err);
    list->state = PROTOLIST_AROUND;
    *ret = (struct listpart){.kind = LISTPART_SKIPPED, .len = KINDS_MAGIC_LEN};
    return 0;
}

/* The list is the one field of runtime.Unknown that is not waited for. */
static int take_around(struct protolist *list, struct wire_bytes *rest, struct casb_error *err)
{
    struct wire_bytes head = *rest;
    struct wire_field field;
    enum wire_result r = wire_head(&head, &field);

    if (r == WIRE_FIELD && field.number == KINDS_RAW && field.type == WIRE_BYTES) {
        if (!list->items || list->any)
            return broken(err);
        *rest = head;
        list->left = field.value;
        list->any = true;
        list->state = PROTOLIST_WITHIN;
        return 0;
    }
    r = wire_next(rest, &field);
    if (r == WIRE_BROKEN)
        return broken(err);
    if (r == WIRE_FIELD && field.number == KINDS_TYPE && field.type == WIRE_BYTES)
        return set_kind(list, field.bytes, err);
    if (r == WIRE_FIELD && field.number == KINDS_ENCODING && field.value > 0)
        return err_set(err, CASB_EINVALID, "the answer has an encoding that is not known");
    return 0;
}

static int decode(const struct wire_field *field, const struct proto_field *table,
                  struct listpart *ret, struct casb_error *err)
{
    int r = CASB_EINVALID;

    ret->value = json_object();
    if (field->type == WIRE_BYTES)
        r = ret->value ? proto_merge(field->bytes, table, ret->value) : CASB_ENOMEM;
    if (r == CASB_ENOMEM)
        return err_nomem(err);
    return r ? broken(err) : 0;
}

static int take_within(struct protolist *list, struct wire_bytes *rest, struct listpart *ret,
                       struct casb_error *err)
{
    const bool whole = rest->len >= list->left;
    struct wire_bytes here = {rest->data, whole ? (size_t)list->left : rest->len};
    struct wire_field field;
    size_t before = here.len;
    enum wire_result r = wire_next(&here, &field);

    if (r == WIRE_BROKEN || (r == WIRE_CUT && whole))
        return broken(err);
    if (r == WIRE_END && whole)
        list->state = PROTOLIST_AROUND;
    if (r != WIRE_FIELD)
        return 0;
    list->left -= before - here.len;
    *rest = (struct wire_bytes){here.data, rest->len - (before - here.len)};
    if (field.number == META) {
        ret->kind = LISTPART_META;
        return decode(&field, kinds_list_meta, ret, err);
    }
    if (field.number == ITEMS) {
        ret->kind = LISTPART_ITEM;
        return decode(&field, list->items, ret, err);
    }
    return 0;
}

int protolist_take(struct protolist *list, const char *data, size_t len, struct listpart *ret,
                   struct casb_error *err)
{
    struct wire_bytes rest = {(const unsigned char *)data, len};
    int r = 0;

    *ret = (struct listpart){.kind = LISTPART_NONE};
    if (list->state == PROTOLIST_BEGIN)
        return begin(list, data, len, ret, err);
    if (list->state == PROTOLIST_WITHIN)
        r = take_within(list, &rest, ret, err);
    if (r == 0 && list->state == PROTOLIST_AROUND && rest.len == len)
        r = take_around(list, &rest, err);
    ret->len = len - rest.len;
    if (ret->len > 0 && ret->kind == LISTPART_NONE)
        ret->kind = LISTPART_SKIPPED;
    return r;
}

bool protolist_is_whole(const struct protolist *list)
{
    return list->any && list->state == PROTOLIST_AROUND;
}
