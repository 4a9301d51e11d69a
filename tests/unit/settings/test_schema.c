/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "settings/schema.h"

#include <jansson.h>

/* One option of each type, below a map and not. */
static const struct casb_option options[] = {
    {"text", CASB_STRING, .help = "any text"},
    {"word", CASB_STRING, .choices = "a|bc", .def = "bc", .help = "one of two"},
    {"yes", CASB_BOOL, .def = "true", .help = "or no"},
    {"count", CASB_INT, .def = "3", .min = 1, .max = 9, .help = "some"},
    {"many", CASB_INT, .help = "or more"},
    {"low", CASB_INT, .def = "-1", .min = -1, .max = 0, .help = "below"},
    {"time", CASB_DURATION, .def = "5m", .help = "a while"},
    {"near.where", CASB_ADDRESS, .help = "a place"},
    {"near.words", CASB_STRINGS, .choices = "x|y", .help = "some of them"},
    {"near.by.texts", CASB_STRINGS, .help = "all of them"},
    {"map", CASB_MAP, .help = "the plugin's"},
    {"list", CASB_LIST, .help = "too"},
    {0},
};

static const struct casb_option none[] = {{0}};

static const struct schema_plugin plugins[] = {
    {"discovery", "here", options},
    {"registration", "scone-cli", none},
    {"registration", "other", none},
    {"state", "file", none},
};

/* Allocations of jansson that still succeed; -1: all. */
static int left = -1;

static void *take(size_t size)
{
    if (left == 0)
        return NULL;
    left -= left > 0;
    return malloc(size);
}

static const json_t *at(const json_t *node, const char *const *path)
{
    for (; *path; path++)
        node = json_object_get(node, *path);
    return node;
}

#define AT(root, ...) at(root, (const char *const[]){__VA_ARGS__, NULL})

static void check_text(const char *name, const json_t *got, const char *want)
{
    _cleanup_(freep) char *text = json_dumps(got, JSON_COMPACT | JSON_SORT_KEYS);

    if (!text || strcmp(text, want) != 0)
        fail_msg("%s: got %s, want %s", name, text ? text : "nothing", want);
}

static void each_type_is_told(void **state)
{
    static const struct {
        const char *name, *want;
    } cases[] = {
        {"text", "{\"description\":\"any text\",\"minLength\":1,\"type\":\"string\"}"},
        {"word", "{\"default\":\"bc\",\"description\":\"one of two\",\"enum\":[\"a\",\"bc\"]}"},
        {"yes", "{\"default\":true,\"description\":\"or no\",\"type\":\"boolean\"}"},
        {"count", "{\"default\":3,\"description\":\"some\",\"maximum\":9,\"minimum\":1,"
                  "\"type\":\"integer\"}"},
        {"many", "{\"description\":\"or more\",\"minimum\":0,\"type\":\"integer\"}"},
        {"low", "{\"default\":-1,\"description\":\"below\",\"maximum\":0,\"minimum\":-1,"
                "\"type\":\"integer\"}"},
        {"time", "{\"default\":\"5m\",\"description\":\"a while\","
                 "\"pattern\":\"^([0-9]+(ms|[dhms]))+$\",\"type\":\"string\"}"},
        {"near",
         "{\"additionalProperties\":false,\"properties\":{"
         "\"by\":{\"additionalProperties\":false,\"properties\":{\"texts\":{"
         "\"description\":\"all of them\",\"items\":{\"type\":\"string\"},"
         "\"type\":[\"array\",\"null\"]}},\"type\":[\"object\",\"null\"]},"
         "\"where\":{\"description\":\"a place\",\"pattern\":\"^[^/ ]+$\",\"type\":\"string\"},"
         "\"words\":{\"description\":\"some of them\",\"items\":{\"enum\":[\"x\",\"y\"]},"
         "\"type\":[\"array\",\"null\"]}},\"type\":[\"object\",\"null\"]}"},
        {"map", "{\"description\":\"the plugin's\",\"type\":[\"object\",\"null\"]}"},
        {"list", "{\"description\":\"too\",\"type\":[\"array\",\"null\"]}"},
    };
    json_auto_t *schema = schema_new(plugins, ELEMENTS(plugins));
    const json_t *map = AT(schema, "definitions", "discovery-here");

    (void)state;
    assert_true(json_is_false(AT(map, "additionalProperties")));
    assert_non_null(AT(map, "properties", "plugin"));
    for (size_t i = 0; i < ELEMENTS(cases); i++)
        check_text(cases[i].name, AT(map, "properties", cases[i].name), cases[i].want);
}

#define RULE(name, more, then)                                                                     \
    "{\"if\":{\"properties\":{\"plugin\":{\"const\":\"" name "\"}}" more "},"                      \
    "\"then\":{\"$ref\":\"#/definitions/" then "\"}}"
#define NAMED ",\"required\":[\"plugin\"]"

static void the_name_of_a_plugin_decides_on_its_keys(void **state)
{
    json_auto_t *schema = schema_new(plugins, ELEMENTS(plugins));
    const json_t *keys = AT(schema, "properties");

    (void)state;
    check_text(
        "a source must be named", AT(keys, "discovery", "items"),
        "{\"allOf\":[" RULE("here", NAMED,
                            "discovery-here") "],"
                                              "\"properties\":{\"plugin\":{\"enum\":[\"here\"]}},"
                                              "\"required\":[\"plugin\"],\"type\":\"object\"}");
    check_text("a default need not", AT(keys, "registration", "allOf"),
               "[" RULE("scone-cli", "", "registration-scone-cli") "," RULE(
                   "other", NAMED, "registration-other") "]");
    check_text(
        "without a default it may be any", AT(keys, "state", "allOf"),
        "[" RULE("file", NAMED,
                 "state-file") ","
                               "{\"if\":{\"not\":{\"required\":[\"plugin\"]}},"
                               "\"then\":{\"anyOf\":[{\"$ref\":\"#/definitions/state-file\"}]}}]");
}

static void a_map_without_a_plugin_has_its_keys(void **state)
{
    json_auto_t *schema = schema_new(plugins, ELEMENTS(plugins));
    const json_t *map = AT(schema, "properties", "metrics");

    (void)state;
    assert_true(json_is_false(AT(map, "additionalProperties")));
    assert_non_null(AT(map, "properties", "push", "properties", "url"));
}

static void without_memory_there_is_none(void **state)
{
    json_t *schema = NULL;
    int n = 0;

    (void)state;
    json_set_alloc_funcs(take, free);
    for (; !schema && n < 10000; n++) {
        left = n;
        schema = schema_new(plugins, ELEMENTS(plugins));
    }
    left = -1;
    assert_in_range(n, 100, 9999);
    json_decref(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_is_told),
        cmocka_unit_test(the_name_of_a_plugin_decides_on_its_keys),
        cmocka_unit_test(a_map_without_a_plugin_has_its_keys),
        cmocka_unit_test(without_memory_there_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
