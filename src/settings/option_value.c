/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/option_value.h"

#include "base/address.h"
#include "base/jsonx.h"
#include "base/text.h"
#include "base/url.h"

#include <stdarg.h>
#include <string.h>

#define WORDS_BYTES 256

size_t option_type_size(enum casb_option_type type)
{
    switch (type) {
    case CASB_STRING:
    case CASB_ADDRESS:
    case CASB_STRINGS:
    case CASB_MAP:
    case CASB_LIST:
        return sizeof(void *);
    case CASB_BOOL:
        return sizeof(bool);
    case CASB_INT:
    case CASB_DURATION:
    case CASB_DURATION_OR_0:
        return sizeof(int64_t);
    }
    return 0;
}

int option_error_at(const struct yamldoc *doc, const char *path, bool key, struct casb_error *err,
                    const char *format, ...)
{
    const char *name = doc ? yamldoc_name(doc) : "";
    char text[CASB_ERROR_TEXT_BYTES];
    size_t line, column;
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (!*name)
        return err_set(err, CASB_EINVALID, "%s", text);
    yamldoc_mark(doc, path, key, &line, &column);
    return err_set(err, CASB_EINVALID, "%s:%zu:%zu: %s", name, line, column, text);
}

static void int_bounds(const struct casb_option *option, int64_t *ret_min, int64_t *ret_max)
{
    bool bounded = option->max > option->min;

    *ret_min = bounded ? option->min : 0;
    *ret_max = bounded ? option->max : INT64_MAX;
}

/* "a|b|c" as "a, b or c". */
static char *choices_text(const char *choices, char *out, size_t size)
{
    size_t len = 0;

    for (const char *c = choices; *c && len + 5 < size; c++) {
        if (*c != '|') {
            out[len++] = *c;
            continue;
        }
        len += (size_t)snprintf(out + len, size - len, "%s", strchr(c + 1, '|') ? ", " : " or ");
    }
    out[len] = '\0';
    return out;
}

static void describe_int(const struct casb_option *option, char *out, size_t size)
{
    int64_t min, max;

    int_bounds(option, &min, &max);
    if (max == INT64_MAX)
        snprintf(out, size, "a whole number, %lld or more", (long long)min);
    else
        snprintf(out, size, "a whole number from %lld to %lld", (long long)min, (long long)max);
}

char *option_describe(const struct casb_option *option, char *out, size_t size)
{
    static const char *const names[] = {
        [CASB_STRING] = "text",
        [CASB_BOOL] = "true or false",
        [CASB_INT] = "a whole number",
        [CASB_DURATION] = "a duration such as 90s, 5m or 1h30m",
        [CASB_ADDRESS] = "a host or IP address with an optional port",
        [CASB_STRINGS] = "a list of texts",
        [CASB_MAP] = "a map",
        [CASB_LIST] = "a list",
        [CASB_DURATION_OR_0] = "a duration such as 90s, 5m or 1h30m, or 0s",
    };
    char words[WORDS_BYTES];

    if (option->type == CASB_INT)
        describe_int(option, out, size);
    else if (option->choices)
        snprintf(out, size, "%s%s", option->type == CASB_STRINGS ? "a list out of " : "",
                 choices_text(option->choices, words, sizeof words));
    else
        snprintf(out, size, "%s", names[option->type]);
    return out;
}

/* What stands there instead, in words or quoted. */
static char *describe_value(const struct option_value *v, char *out, size_t size)
{
    const char *text = v->text ? v->text : json_string_value(v->node);
    _cleanup_(freep) char *dump = NULL;
    char clean[80];

    if (text && v->option->type == CASB_ADDRESS) /* a URL perhaps, with a password */
        snprintf(out, size, "'%s'", url_clean(clean, sizeof clean, text));
    else if (text)
        snprintf(out, size, "'%s'", text_clean(clean, sizeof clean, text));
    else if (json_is_object(v->node))
        snprintf(out, size, "a map");
    else if (json_is_array(v->node))
        snprintf(out, size, "a list");
    else if (json_is_null(v->node))
        snprintf(out, size, "nothing");
    else
        snprintf(out, size, "%s", jsonx_dump(v->node, &dump, NULL) ? "a number" : dump);
    return out;
}

static int mismatch(const struct option_value *v, struct casb_error *err)
{
    const char *hint = "";
    char want[WORDS_BYTES], got[WORDS_BYTES];

    option_describe(v->option, want, sizeof want);
    describe_value(v, got, sizeof got);
    if (v->option->type == CASB_STRING && (json_is_number(v->node) || json_is_boolean(v->node)))
        hint = " (put it in quotes)";
    if (v->is_default)
        return err_set(err, CASB_EFAILED, "option '%s' has a wrong default: expected %s, got %s",
                       v->option->name, want, got);
    if (v->text)
        return err_set(err, CASB_EINVALID, "%s: expected %s, got %s", v->where, want, got);
    return option_error_at(v->doc, v->where, false, err, "%s: expected %s, got %s%s", v->where,
                           want, got, hint);
}

static bool is_choice(const char *choices, const char *word)
{
    return !choices || text_word_index(choices, word) >= 0;
}

bool option_is_address(const char *text)
{
    const uint16_t no_port = 0;
    char host[256];
    uint16_t port;

    return address_parse(text, no_port, host, &port) == 0;
}

static int store_string(const struct option_value *v, void *member, struct casb_error *err)
{
    const char *text = v->text ? v->text : json_string_value(v->node);

    if (text_empty(text) || !is_choice(v->option->choices, text) ||
        (v->option->type == CASB_ADDRESS && !option_is_address(text)))
        return mismatch(v, err);
    memcpy(member, &text, sizeof text);
    return 0;
}

static int store_bool(const struct option_value *v, void *member, struct casb_error *err)
{
    bool yes = json_is_true(v->node);

    if (v->text) {
        yes = strcmp(v->text, "true") == 0;
        if (!yes && strcmp(v->text, "false") != 0)
            return mismatch(v, err);
    } else if (!json_is_boolean(v->node)) {
        return mismatch(v, err);
    }
    memcpy(member, &yes, sizeof yes);
    return 0;
}

static int parse_int(const char *text, int64_t min, int64_t max, int64_t *ret)
{
    bool negative = *text == '-';
    int64_t number;

    if (text_parse_int(text + negative, 0, INT64_MAX, &number))
        return CASB_EINVALID;
    number = negative ? -number : number;
    if (number < min || number > max)
        return CASB_EINVALID;
    *ret = number;
    return 0;
}

static int store_int(const struct option_value *v, void *member, struct casb_error *err)
{
    int64_t min, max, number = json_integer_value(v->node);

    int_bounds(v->option, &min, &max);
    if (v->text) {
        if (parse_int(v->text, min, max, &number))
            return mismatch(v, err);
    } else if (!json_is_integer(v->node) || number < min || number > max) {
        return mismatch(v, err);
    }
    memcpy(member, &number, sizeof number);
    return 0;
}

static int store_duration(const struct option_value *v, void *member, struct casb_error *err)
{
    const char *text = v->text ? v->text : json_string_value(v->node);
    int (*parse)(const char *, int64_t *) =
        v->option->type == CASB_DURATION_OR_0 ? text_parse_duration_or_0 : text_parse_duration;
    int64_t ns;

    if (!text || parse(text, &ns))
        return mismatch(v, err);
    memcpy(member, &ns, sizeof ns);
    return 0;
}

/* One text of a list, which is wrong at its own place where the list stands in a file. */
static int check_text(const struct option_value *v, const json_t *item, size_t i,
                      struct casb_error *err)
{
    struct casb_option option = *v->option;
    struct option_value text = *v;
    size_t len = strlen(v->where);

    if (json_is_string(item) && is_choice(option.choices, json_string_value(item)))
        return 0;
    if (v->text)
        return mismatch(v, err);
    option.type = CASB_STRING;
    text.option = &option;
    text.node = item;
    snprintf(text.where + len, sizeof text.where - len, "[%zu]", i);
    return mismatch(&text, err);
}

static int check_tree(const struct option_value *v, const json_t *tree, struct casb_error *err)
{
    const json_t *item;
    size_t i;
    int r = 0;

    if (v->option->type == CASB_MAP ? !json_is_object(tree) : !json_is_array(tree))
        return mismatch(v, err);
    if (v->option->type == CASB_STRINGS)
        json_array_foreach (tree, i, item) {
            r = check_text(v, item, i, err);
            if (r)
                break;
        }
    return r;
}

/* A nested value from outside the file is written as in the file: "[a, b]". */
static int parse_tree(const struct option_value *v, json_t *trees, const json_t **ret,
                      struct casb_error *err)
{
    _cleanup_(yamldoc_freep) struct yamldoc *doc = NULL;

    int r = yamldoc_parse(v->text, strlen(v->text), v->where, &doc, NULL);

    if (r)
        return r == CASB_ENOMEM ? err_nomem(err) : mismatch(v, err);
    *ret = yamldoc_root(doc);
    return json_array_append(trees, yamldoc_root(doc)) ? err_nomem(err) : 0;
}

static int store_tree(const struct option_value *v, void *member, json_t *trees,
                      struct casb_error *err)
{
    const json_t *tree = v->node;
    int r = 0;

    if (json_is_null(tree))
        return 0;
    if (v->text)
        r = parse_tree(v, trees, &tree, err);
    if (!r)
        r = check_tree(v, tree, err);
    if (r)
        return r;
    memcpy(member, &tree, sizeof tree);
    return 0;
}

int option_value_store(const struct option_value *v, void *values, json_t *trees,
                       struct casb_error *err)
{
    void *member = (char *)values + v->option->offset;

    switch (v->option->type) {
    case CASB_STRING:
    case CASB_ADDRESS:
        return store_string(v, member, err);
    case CASB_BOOL:
        return store_bool(v, member, err);
    case CASB_INT:
        return store_int(v, member, err);
    case CASB_DURATION:
    case CASB_DURATION_OR_0:
        return store_duration(v, member, err);
    case CASB_STRINGS:
    case CASB_MAP:
    case CASB_LIST:
        return store_tree(v, member, trees, err);
    }
    return err_set(err, CASB_EFAILED, "option '%s' has an unknown type", v->option->name);
}
