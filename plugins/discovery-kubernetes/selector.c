/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/selector.h"

#include "base/buf.h"
#include "base/text.h"

#include <string.h>

#define NAME_LENGTH    63
#define PREFIX_LENGTH  253
#define SELECTOR_BYTES (64 * 1024) /* a request line that servers take */

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define SMALL   "abcdefghijklmnopqrstuvwxyz0123456789"

/* So many characters out of `inner`, at both ends out of `ends`. */
static bool is_made_of(const char *text, size_t len, size_t max, const char *ends,
                       const char *inner)
{
    return len > 0 && len <= max && strspn(text, inner) >= len && strchr(ends, text[0]) &&
           strchr(ends, text[len - 1]);
}

static bool is_name(const char *text)
{
    return is_made_of(text, strlen(text), NAME_LENGTH, LETTERS, LETTERS "-_.");
}

/* A name, with a DNS subdomain and a slash before it or not. */
static bool is_key(const char *text)
{
    const char *slash = strchr(text, '/');

    if (!slash)
        return is_name(text);
    return is_made_of(text, (size_t)(slash - text), PREFIX_LENGTH, SMALL, SMALL "-.") &&
           is_name(slash + 1);
}

static int add_label(struct buf *selector, const char *key, const json_t *value,
                     struct casb_error *err)
{
    const char *text = json_string_value(value);
    char clean[80];
    int r;

    if (!is_key(key))
        return err_set_setting(err, "selector_labels", "'%s' is not a label's name",
                               text_clean(clean, sizeof clean, key));
    if (!text || (*text && !is_name(text)))
        return err_set_setting(err, "selector_labels", "the value of '%s' is not a label's", key);
    r = buf_printf(selector, "%s%s=%s", selector->len ? "," : "", key, text);
    if (r == CASB_EINVALID)
        return err_set_setting(err, "selector_labels", "they are too many for one request");
    return r < 0 ? err_nomem(err) : 0;
}

int selector_make(const char *selector, const json_t *labels, char **ret, struct casb_error *err)
{
    _cleanup_(buf_free) struct buf made = BUF_INIT(SELECTOR_BYTES);
    const char *key;
    json_t *value;
    char *copy;
    int r;

    if (selector && labels)
        return err_set_setting(err, "selector_labels",
                               "selector (SELECTOR_LABEL) is set, too, and only one of them can be "
                               "meant");
    json_object_foreach ((json_t *)(uintptr_t)labels, key, value) {
        r = add_label(&made, key, value, err);
        if (r < 0)
            return r;
    }
    if (made.len > 0)
        selector = buf_text(&made);
    copy = selector ? strdup(selector) : NULL;
    if (selector && !copy)
        return err_nomem(err);
    *ret = copy;
    return 0;
}
