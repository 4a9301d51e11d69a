/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/schema.h"

#include "base/jsonx.h"
#include "settings/settings.h"

#include <string.h>

#define DURATION_PATTERN "^([0-9]+(ms|[dhms]))+$"
#define ADDRESS_PATTERN  "^[^/ ]+$" /* no URL */

/* What is being described: one kind of plugin, and its place in the settings file. */
struct kind {
    const struct settings_section *section; /* "discovery[]", "registration" */
    const struct schema_plugin *plugins;    /* of all kinds */
    size_t n;
    size_t name_len; /* of its name, which the section's path begins with */
    bool is_list;
};

static bool is_of_kind(const struct kind *kind, const struct schema_plugin *plugin)
{
    return strncmp(plugin->kind, kind->section->path, kind->name_len) == 0 &&
           !plugin->kind[kind->name_len];
}

/* "a|b|c" as an array; NULL: no memory. */
static json_t *words_new(const char *choices)
{
    json_t *words = json_array();
    size_t len;
    int bad = 0;

    for (const char *word = choices; *word; word += len + (word[len] == '|')) {
        len = strcspn(word, "|");
        bad |= json_array_append_new(words, json_stringn(word, len));
    }
    if (bad)
        json_decref(words);
    return bad ? NULL : words;
}

/* A text of the option: one of its choices, or any but an empty one. */
static json_t *text_new(const struct casb_option *option)
{
    if (option->choices)
        return jsonx_new("{so}", "enum", words_new(option->choices));
    return jsonx_new("{ss, si}", "type", "string", "minLength", 1);
}

static json_t *int_new(const struct casb_option *option)
{
    if (option->max <= option->min)
        return jsonx_new("{ss, si}", "type", "integer", "minimum", 0);
    return jsonx_new("{ss, sI, sI}", "type", "integer", "minimum", (json_int_t)option->min,
                     "maximum", (json_int_t)option->max);
}

static json_t *type_new(const struct casb_option *option)
{
    switch (option->type) {
    case CASB_STRING:
        return text_new(option);
    case CASB_ADDRESS:
        return jsonx_new("{ss, ss}", "type", "string", "pattern", ADDRESS_PATTERN);
    case CASB_BOOL:
        return jsonx_new("{ss}", "type", "boolean");
    case CASB_INT:
        return int_new(option);
    case CASB_DURATION:
    case CASB_DURATION_OR_0:
        return jsonx_new("{ss, ss}", "type", "string", "pattern", DURATION_PATTERN);
    case CASB_STRINGS:
        return option->choices
                   ? jsonx_new("{s[ss], so}", "type", "array", "null", "items", text_new(option))
                   : jsonx_new("{s[ss], s{ss}}", "type", "array", "null", "items", "type",
                               "string");
    case CASB_MAP:
        return jsonx_new("{s[ss]}", "type", "object", "null");
    case CASB_LIST:
        return jsonx_new("{s[ss]}", "type", "array", "null");
    }
    return NULL;
}

static json_t *default_new(const struct casb_option *option)
{
    if (option->type == CASB_BOOL)
        return json_boolean(strcmp(option->def, "true") == 0);
    if (option->type == CASB_INT)
        return json_integer(strtoll(option->def, NULL, 10));
    return json_string(option->def);
}

/* A map of these keys and no others; takes `properties`. */
static json_t *closed_map(json_t *properties)
{
    return jsonx_new("{s[ss], so, sb}", "type", "object", "null", "properties", properties,
                     "additionalProperties", 0);
}

/* The keys below the map `name`, which is made where it is not there; borrowed. */
static json_t *keys_below(json_t *properties, const char *name, size_t len)
{
    json_t *map = json_object_getn(properties, name, len);

    if (!map && json_object_setn_new(properties, name, len, closed_map(json_object())) == 0)
        map = json_object_getn(properties, name, len);
    return json_object_get(map, "properties");
}

/* Adds the option's schema under its name, "las.selector" below "las". */
static int add_option(json_t *properties, const struct casb_option *option)
{
    json_t *schema = type_new(option);
    const char *name = option->name, *dot;
    int bad = json_object_set_new(schema, "description", json_string(option->help));

    for (; (dot = strchr(name, '.')); name = dot + 1)
        properties = keys_below(properties, name, (size_t)(dot - name));
    if (option->def)
        bad |= json_object_set_new(schema, "default", default_new(option));
    return json_object_set_new(properties, name, schema) || bad;
}

static int add_options(json_t *properties, const struct casb_option *table)
{
    int bad = 0;

    for (; table && table->name && !bad; table++)
        bad = add_option(properties, table);
    return bad;
}

/* All keys of a plugin's map: what src/ reads of it, and the plugin's own. */
static json_t *plugin_new(const struct kind *kind, const struct schema_plugin *plugin)
{
    json_t *properties = json_object();

    if (add_options(properties, kind->section->options) ||
        add_options(properties, plugin->options)) {
        json_decref(properties);
        return NULL;
    }
    return closed_map(properties);
}

static json_t *reference_new(const struct schema_plugin *plugin)
{
    return jsonx_new("{so}", "$ref",
                     json_sprintf("#/definitions/%s-%s", plugin->kind, plugin->name));
}

/* {if: it names this plugin, then: it has that one's keys}. The default is named by no name too. */
static json_t *rule_new(const struct schema_plugin *plugin, bool is_default)
{
    json_t *condition = jsonx_new("{s{s{ss}}}", "properties", "plugin", "const", plugin->name);

    if (!is_default && json_object_set_new(condition, "required", jsonx_new("[s]", "plugin"))) {
        json_decref(condition);
        return NULL;
    }
    return jsonx_new("{so, so}", "if", condition, "then", reference_new(plugin));
}

/* Without a name and a default it may be any of them, by what else the settings say. */
static json_t *any_new(json_t *references)
{
    return jsonx_new("{s{s{s[s]}}, s{so}}", "if", "not", "required", "plugin", "then", "anyOf",
                     references);
}

/* The default of the key `plugin`; NULL: none. */
static const char *default_plugin(const struct kind *kind)
{
    const struct casb_option *option = kind->section->options;

    while (option->name && strcmp(option->name, "plugin") != 0)
        option++;
    return option->name ? option->def : NULL;
}

/* What is made of the plugins of one kind. */
struct parts {
    json_t *names, *rules, *references;
};

static int add_plugin(const struct kind *kind, const struct schema_plugin *plugin,
                      const struct parts *parts, json_t *definitions)
{
    json_auto_t *name = json_sprintf("%s-%s", plugin->kind, plugin->name);
    const char *def = default_plugin(kind);
    bool is_default = def && strcmp(def, plugin->name) == 0;

    return !name || json_array_append_new(parts->names, json_string(plugin->name)) ||
           json_array_append_new(parts->rules, rule_new(plugin, is_default)) ||
           json_array_append_new(parts->references, reference_new(plugin)) ||
           json_object_set_new(definitions, json_string_value(name), plugin_new(kind, plugin));
}

/* The map that names a plugin of this kind, made of `parts`; in a list it must. */
static json_t *choice_new(const struct kind *kind, const struct parts *parts)
{
    json_t *map = jsonx_new("{s{s{sO}}, sO}", "properties", "plugin", "enum", parts->names, "allOf",
                            parts->rules);

    if (kind->is_list && (json_object_set_new(map, "type", json_string("object")) ||
                          json_object_set_new(map, "required", jsonx_new("[s]", "plugin")))) {
        json_decref(map);
        return NULL;
    }
    return map;
}

static json_t *kind_new(const struct kind *kind, json_t *definitions)
{
    json_auto_t *names = json_array(), *rules = json_array(), *references = json_array();
    const struct parts parts = {names, rules, references};
    int bad = 0;

    for (size_t i = 0; i < kind->n && !bad; i++)
        if (is_of_kind(kind, &kind->plugins[i]))
            bad = add_plugin(kind, &kind->plugins[i], &parts, definitions);
    if (!bad && !kind->is_list && !default_plugin(kind))
        bad = json_array_append_new(rules, any_new(json_incref(references)));
    return bad ? NULL : choice_new(kind, &parts);
}

/* Completes the file's key for this kind: its own schema, or that of its items. */
static int add_kind(json_t *properties, const struct kind *kind, json_t *definitions)
{
    json_auto_t *schema = kind_new(kind, definitions), *name = NULL;
    json_t *key;

    name = json_stringn(kind->section->path, kind->name_len);
    key = json_object_get(properties, json_string_value(name));
    if (!schema || !key)
        return -1;
    if (!kind->is_list)
        return json_object_update(key, schema);
    return json_object_set(key, "items", schema) ||
           json_object_set_new(key, "minItems", json_integer(1));
}

/* Completes the file's key for a map of src/ itself. */
static int add_map(json_t *properties, const struct settings_section *section)
{
    json_auto_t *keys = json_object(), *map = NULL;

    if (add_options(keys, section->options))
        return -1;
    map = closed_map(json_incref(keys));
    return json_object_update(json_object_get(properties, section->path), map);
}

/* All keys of the file: those of src/ itself, then of each kind of plugin. */
static int add_file(json_t *properties, const struct schema_plugin *plugins, size_t n,
                    json_t *definitions)
{
    int bad = add_options(properties, settings_sections->options);

    for (const struct settings_section *section = settings_sections + 1; section->path && !bad;
         section++) {
        const struct kind kind = {.section = section,
                                  .plugins = plugins,
                                  .n = n,
                                  .name_len = strcspn(section->path, "["),
                                  .is_list = strchr(section->path, '[')};

        bad = options_find(section->options, "plugin") ? add_kind(properties, &kind, definitions)
                                                       : add_map(properties, section);
    }
    return bad;
}

json_t *schema_new(const struct schema_plugin *plugins, size_t n)
{
    json_auto_t *properties = json_object(), *definitions = json_object();

    if (add_file(properties, plugins, n, definitions))
        return NULL;
    return jsonx_new("{ss, ss, s[ss], sO, sb, sO}", "$schema",
                     "http://json-schema.org/draft-07/schema#", "title", "settings of cas-backup",
                     "type", "object", "null", "properties", properties, "additionalProperties", 0,
                     "definitions", definitions);
}
