/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/options.h"

#include "base/buf.h"
#include "base/text.h"
#include "settings/option_value.h"
#include "settings/request.h"

#include <string.h>

const struct casb_option *options_find(const struct casb_option *table, const char *name)
{
    for (; table && table->name; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    return NULL;
}

const char *options_env(char *const *env, const char *name)
{
    size_t len = strlen(name);

    for (; env && *env; env++)
        if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
            return (*env)[len + 1] ? *env + len + 1 : NULL;
    return NULL;
}

/* The node under a dotted name; maps on the way were checked by check_keys(). */
static const json_t *find_node(const json_t *tree, const char *name)
{
    const char *dot;

    while (tree && (dot = strchr(name, '.'))) {
        tree = json_object_getn(tree, name, (size_t)(dot - name));
        name = dot + 1;
    }
    return json_object_get(tree, name);
}

static char *join_path(char *out, size_t size, const char *path, const char *name)
{
    snprintf(out, size, "%s%s%s", path, *path && *name ? "." : "", name);
    return out;
}

/* Finds the value with the highest precedence; false: there is none. */
static bool find_value(const struct options_origin *origin, struct option_value *v)
{
    for (size_t i = 0; i < origin->n_overrides; i++)
        if (strcmp(origin->overrides[i].name, v->option->name) == 0) {
            v->text = origin->overrides[i].value;
            snprintf(v->where, sizeof v->where, "%s", origin->overrides[i].option);
            return true;
        }
    v->text = v->option->env ? options_env(origin->env, v->option->env) : NULL;
    if (v->text) {
        snprintf(v->where, sizeof v->where, "environment variable %s", v->option->env);
        return true;
    }
    join_path(v->where, sizeof v->where, origin->path, v->option->name);
    v->node = find_node(origin->tree, v->option->name);
    if (v->node)
        return true;
    v->text = v->option->def;
    v->is_default = v->text;
    return v->text;
}

/* Adds the words of a table that are valid below `prefix` to the keys of an object, in order. */
static int add_valid(json_t *keys, const struct casb_option *table, const char *prefix)
{
    size_t len = strlen(prefix), skip = len ? len + 1 : 0;
    int bad = 0;

    for (; table && table->name; table++)
        if (!len || (strncmp(table->name, prefix, len) == 0 && table->name[len] == '.'))
            bad |= json_object_setn_new(keys, table->name + skip, strcspn(table->name + skip, "."),
                                        json_true());
    return bad;
}

static int unknown_key(const struct options_origin *origin, const char *path, const char *key,
                       json_t *valid, struct casb_error *err)
{
    _cleanup_(freep) const char **words = calloc(json_object_size(valid) + 1, sizeof *words);
    _cleanup_(buf_free) struct buf list = BUF_INIT(CASB_ERROR_TEXT_BYTES);
    const char *word, *near;
    char clean[80], hint[OPTION_WHERE_BYTES] = "";
    json_t *value;
    size_t n = 0;

    if (!words)
        return err_nomem(err);
    json_object_foreach (valid, word, value) {
        buf_append_cut(&list, n ? ", " : "", n ? 2 : 0);
        buf_append_cut(&list, word, strlen(word));
        words[n++] = word;
    }
    near = text_nearest(key, words);
    if (near)
        snprintf(hint, sizeof hint, " (did you mean '%s'?)", near);
    return option_error_at(origin->doc, path, true, err, "unknown key '%s'%s; valid are %s",
                           text_clean(clean, sizeof clean, key), hint, buf_text(&list));
}

/* Is `name` a map whose keys are options of their own, as "las" for "las.selector"? */
static bool has_keys_below(const struct casb_option *table, const char *name)
{
    size_t len = strlen(name);

    for (; table && table->name; table++)
        if (strncmp(table->name, name, len) == 0 && table->name[len] == '.')
            return true;
    return false;
}

/* Checks the keys of the map `node` that stands under `prefix` ("" or "las"). */
static int check_keys(const struct casb_option *table, const struct options_origin *origin,
                      const json_t *node, const char *prefix, struct casb_error *err)
{
    json_auto_t *valid = json_object();
    char name[OPTION_WHERE_BYTES / 2], path[OPTION_WHERE_BYTES];
    json_t *value;
    const char *key;
    int r;

    if (!valid || add_valid(valid, table, prefix) || add_valid(valid, origin->others, prefix))
        return err_nomem(err);
    json_object_foreach ((json_t *)node, key, value) {
        join_path(name, sizeof name, prefix, key);
        join_path(path, sizeof path, origin->path, name);
        if (!json_object_get(valid, key)) {
            if (origin->any_key && !*prefix)
                continue;
            return unknown_key(origin, path, key, valid, err);
        }
        if (!has_keys_below(table, name) || json_is_null(value))
            continue;
        if (!json_is_object(value))
            return option_error_at(origin->doc, path, false, err, "%s: expected a map", path);
        r = check_keys(table, origin, value, name, err);
        if (r)
            return r;
    }
    return 0;
}

int options_fill(const struct casb_option *table, void *values, const struct options_origin *origin,
                 json_t *trees, struct casb_error *err)
{
    int r = check_keys(table, origin, origin->tree, "", err);

    for (; !r && table && table->name; table++) {
        struct option_value v = {.option = table, .doc = origin->doc};

        if (find_value(origin, &v))
            r = option_value_store(&v, values, trees, err);
    }
    return r;
}

/* The option that "las.namespace" or "hosts[0].address" belongs to; NULL: none. */
static const struct casb_option *option_of(const struct casb_option *table, const char *setting)
{
    for (; table && table->name; table++) {
        size_t len = strlen(table->name);

        if (strncmp(table->name, setting, len) == 0 &&
            (!setting[len] || strchr(".[", setting[len])))
            return table;
    }
    return NULL;
}

int options_blame(const struct casb_option *table, const struct options_origin *origin,
                  struct casb_error *err)
{
    const struct casb_error said = *err;
    struct option_value v = {.option = option_of(table, said.setting)};
    const char *text = said.text + strlen(said.setting) + strlen(": ");
    char path[OPTION_WHERE_BYTES];

    *err = (struct casb_error){0};
    if (v.option && find_value(origin, &v) && v.text && !v.is_default)
        return err_set(err, CASB_EINVALID, "%s: %s", v.where, text);
    join_path(path, sizeof path, origin->path, said.setting);
    if (v.node)
        return option_error_at(origin->doc, path, false, err, "%s: %s", path, text);
    return err_set(err, CASB_EINVALID, "%s: %s", path, text);
}
