/* SPDX-License-Identifier: Apache-2.0 */
#include "common/kube/jsonlist.h"

#include "base/jsonx.h"
#include "base/text.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Goes on with a string behind its opening quote; false where it does not end here. */
static bool skip_string(struct jsonlist *list, const char *data, size_t len)
{
    const char *p = data + list->scanned, *end = data + len;
    size_t slashes;

    while (p < end && (p = memchr(p, '"', (size_t)(end - p)))) {
        for (slashes = 0; p[-1 - (ptrdiff_t)slashes] == '\\'; slashes++)
            ;
        p++;
        if (slashes % 2 == 0) {
            list->scanned = (size_t)(p - data);
            list->string = false;
            return true;
        }
    }
    list->scanned = len;
    return false;
}

/* One character of a value, outside of strings; true where the value ends, behind it or before. */
static bool ends(struct jsonlist *list, char c)
{
    bool bare = list->depth == 0; /* a number, true, false or null */

    if (bare && (is_space(c) || c == ',' || c == ']' || c == '}'))
        return true;
    list->scanned++;
    if (c == '"')
        list->string = true;
    else if (c == '{' || c == '[')
        list->depth++;
    else if ((c == '}' || c == ']') && --list->depth == 0)
        return true;
    return false;
}

/*
 * Where the value ends that the bytes begin with; 0: not yet. No more than brackets and quotes are
 * looked at, and nothing twice.
 */
static size_t value_end(struct jsonlist *list, const char *data, size_t len)
{
    size_t end;
    bool done = false;

    while (!done && list->scanned < len) {
        if (list->string)
            done = skip_string(list, data, len) && list->depth == 0;
        else
            done = ends(list, data[list->scanned]);
    }
    if (!done)
        return 0;
    end = list->scanned;
    list->scanned = 0;
    list->depth = 0;
    return end;
}

static int broken(struct casb_error *err)
{
    return err_set(err, CASB_EINVALID, "the answer is no list");
}

static void take_key(struct jsonlist *list, const char *key, size_t len)
{
    list->key = len == 10 && !memcmp(key, "\"metadata\"", len) ? JSONLIST_META
                : len == 7 && !memcmp(key, "\"items\"", len)   ? JSONLIST_ITEMS
                : len == 6 && !memcmp(key, "\"kind\"", len)    ? JSONLIST_KIND
                                                               : JSONLIST_OTHER;
    list->state = JSONLIST_COLON;
}

/* What a bracket, comma or colon leads to; false where it must not stand. */
static bool take_mark(struct jsonlist *list, char c)
{
    static const struct {
        int from;
        char mark;
        int to;
    } steps[] = {
        {JSONLIST_BEGIN, '{', JSONLIST_FIRST_KEY}, {JSONLIST_FIRST_KEY, '}', JSONLIST_END},
        {JSONLIST_COLON, ':', JSONLIST_VALUE},     {JSONLIST_NEXT_KEY, ',', JSONLIST_KEY},
        {JSONLIST_NEXT_KEY, '}', JSONLIST_END},    {JSONLIST_FIRST_ITEM, ']', JSONLIST_NEXT_KEY},
        {JSONLIST_NEXT_ITEM, ',', JSONLIST_ITEM},  {JSONLIST_NEXT_ITEM, ']', JSONLIST_NEXT_KEY},
    };

    if (list->state == JSONLIST_VALUE && list->key == JSONLIST_ITEMS && c == '[') {
        list->state = JSONLIST_FIRST_ITEM;
        return true;
    }
    for (size_t i = 0; i < ELEMENTS(steps); i++) {
        if (steps[i].from == (int)list->state && steps[i].mark == c) {
            list->state = (__typeof__(list->state))steps[i].to;
            return true;
        }
    }
    return false;
}

/* "NodeList", with its quotes: a Status would else be a list without items. */
static int check_kind(const char *data, size_t len, struct casb_error *err)
{
    static const char end[] = "List\"";
    char clean[48];

    if (data[0] != '"')
        return broken(err);
    if (len > strlen(end) && !memcmp(data + len - strlen(end), end, strlen(end)))
        return 0;
    text_clean_bytes(clean, sizeof clean, data + 1, len - 2);
    return err_set(err, CASB_EINVALID, "the answer is a '%s', no list", clean);
}

/* What a whole value is, which then is parsed where somebody reads it. */
static int take_value(struct jsonlist *list, const char *data, size_t len, struct listpart *ret,
                      struct casb_error *err)
{
    bool item = list->state == JSONLIST_ITEM || list->state == JSONLIST_FIRST_ITEM;

    ret->kind = LISTPART_SKIPPED;
    if (list->state == JSONLIST_KEY || list->state == JSONLIST_FIRST_KEY) {
        take_key(list, data, len);
        return data[0] == '"' ? 0 : broken(err);
    }
    list->state = item ? JSONLIST_NEXT_ITEM : JSONLIST_NEXT_KEY;
    if (item) {
        ret->kind = LISTPART_ITEM;
        return jsonx_parse(data, len, "item of the list", &ret->value, err);
    }
    if (list->key == JSONLIST_KIND)
        return check_kind(data, len, err);
    if (list->key == JSONLIST_META) {
        ret->kind = LISTPART_META;
        return jsonx_parse(data, len, "metadata of the list", &ret->value, err);
    }
    if (list->key == JSONLIST_ITEMS && (len != 4 || memcmp(data, "null", 4) != 0))
        return err_set(err, CASB_EINVALID, "the list's items are no JSON array");
    return 0;
}

static bool wants_value(const struct jsonlist *list)
{
    switch (list->state) {
    case JSONLIST_KEY:
    case JSONLIST_FIRST_KEY:
    case JSONLIST_VALUE:
    case JSONLIST_ITEM:
    case JSONLIST_FIRST_ITEM:
        return true;
    default:
        return false;
    }
}

int jsonlist_take(struct jsonlist *list, const char *data, size_t len, struct listpart *ret,
                  struct casb_error *err)
{
    size_t space = 0, end;

    *ret = (struct listpart){.kind = LISTPART_NONE};
    while (!list->scanned && space < len && is_space(data[space]))
        space++;
    if (space > 0 || len == 0) {
        *ret = (struct listpart){.kind = space ? LISTPART_SKIPPED : LISTPART_NONE, .len = space};
        return 0;
    }
    if (!list->scanned && take_mark(list, data[0])) {
        *ret = (struct listpart){.kind = LISTPART_SKIPPED, .len = 1};
        return 0;
    }
    if (!wants_value(list) || (!list->scanned && strchr(",:]}", data[0])))
        return broken(err);
    end = value_end(list, data, len);
    if (end == 0)
        return 0;
    ret->len = end;
    return take_value(list, data, end, ret, err);
}
