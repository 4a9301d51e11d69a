/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "settings/option_value.h"
#include "settings/options.h"
#include "settings/request.h"

struct values {
    const char *text, *word, *address;
    bool flag;
    int64_t count, bounded, wait_ns;
    const json_t *words, *map, *list;
    const char *inner, *deep;
};

#define AT(member) offsetof(struct values, member)

static const struct casb_option table[] = {
    {"text", CASB_STRING, AT(text), NULL, "TEXT", NULL, ""},
    {"word", CASB_STRING, AT(word), "one", NULL, "one|two|three", ""},
    {"address", CASB_ADDRESS, AT(address), NULL, "ADDRESS", NULL, ""},
    {"flag", CASB_BOOL, AT(flag), "true", "FLAG", NULL, ""},
    {"count", CASB_INT, AT(count), "7", "COUNT", NULL, ""},
    {"bounded", CASB_INT, AT(bounded), "-1", NULL, NULL, "", -1, 9},
    {"wait", CASB_DURATION, AT(wait_ns), "90s", "WAIT", NULL, ""},
    {"words", CASB_STRINGS, AT(words), "[a, b]", "WORDS", "a|b|c", ""},
    {"map", CASB_MAP, AT(map), NULL, NULL, NULL, ""},
    {"list", CASB_LIST, AT(list), NULL, NULL, NULL, ""},
    {"las.selector", CASB_STRING, AT(inner), "x=y", NULL, NULL, ""},
    {"las.more.address", CASB_STRING, AT(deep), NULL, NULL, NULL, ""},
    {0},
};

static const struct casb_option others[] = {
    {"plugin", CASB_STRING, 0, NULL, NULL, NULL, ""},
    {0},
};

/* Everything that one case needs; what `values` borrows lives as long. */
struct fixture {
    struct yamldoc *doc;
    json_t *trees;
    struct options_origin origin;
    struct values values;
    struct casb_error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (!f)
        return -1;
    f->trees = json_array();
    f->origin.path = "";
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    yamldoc_free(f->doc);
    json_decref(f->trees);
    free(f);
    return 0;
}

static int fill(struct fixture *f, const char *yaml)
{
    yamldoc_free(f->doc);
    f->doc = NULL;
    f->err = (struct casb_error){0};
    assert_int_equal(yamldoc_parse(yaml, strlen(yaml), "s.yaml", &f->doc, &f->err), 0);
    f->origin.doc = f->doc;
    f->origin.tree = yamldoc_root(f->doc);
    memset(&f->values, 0, sizeof f->values);
    return options_fill(table, &f->values, &f->origin, f->trees, &f->err);
}

static void defaults_fill_what_is_not_given(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(fill(f, "{}"), 0);
    assert_null(f->values.text);
    assert_string_equal(f->values.word, "one");
    assert_true(f->values.flag);
    assert_int_equal(f->values.count, 7);
    assert_int_equal(f->values.bounded, -1);
    assert_int_equal(f->values.wait_ns, INT64_C(90000000000));
    assert_int_equal(json_array_size(f->values.words), 2);
    assert_null(f->values.map);
    assert_string_equal(f->values.inner, "x=y");
}

static void the_file_fills_every_type(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(fill(f, "text: '8'\nword: two\naddress: '[::1]:8081'\nflag: false\ncount: 0\n"
                             "bounded: 9\nwait: 1h30m\nwords: [c]\nmap: {a: 1}\nlist: [1, x]\n"
                             "las: {selector: a=b, more: {address: node}}\n"),
                     0);
    assert_string_equal(f->values.text, "8");
    assert_string_equal(f->values.word, "two");
    assert_string_equal(f->values.address, "[::1]:8081");
    assert_false(f->values.flag);
    assert_int_equal(f->values.count, 0);
    assert_int_equal(f->values.bounded, 9);
    assert_int_equal(f->values.wait_ns, INT64_C(5400) * 1000000000);
    assert_int_equal(json_array_size(f->values.words), 1);
    assert_int_equal(json_object_size(f->values.map), 1);
    assert_int_equal(json_array_size(f->values.list), 2);
    assert_string_equal(f->values.inner, "a=b");
    assert_string_equal(f->values.deep, "node");
}

static void maps_and_lists_without_a_value_are_unset(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(fill(f, "map:\nlist: null\nlas:\n"), 0);
    assert_null(f->values.map);
    assert_null(f->values.list);
    assert_string_equal(f->values.inner, "x=y");
}

static void the_environment_goes_before_the_file(void **state)
{
    char *env[] = {(char *)"COUNTER=1",
                   (char *)"COUNT=3",
                   (char *)"TEXT=env",
                   (char *)"WAIT=",
                   (char *)"FLAG=false",
                   (char *)"WORDS=[b]",
                   NULL};
    struct fixture *f = *state;

    f->origin.env = env;
    assert_int_equal(fill(f, "count: 5\ntext: file\nwait: 5m\n"), 0);
    assert_int_equal(f->values.count, 3);
    assert_string_equal(f->values.text, "env");
    assert_false(f->values.flag);
    assert_string_equal(json_string_value(json_array_get(f->values.words, 0)), "b");
    assert_int_equal(f->values.wait_ns, INT64_C(300) * 1000000000);
}

static void the_command_line_goes_before_the_environment(void **state)
{
    const struct request_override overrides[] = {{"text", "cli", "--text"},
                                                 {"other", "x", "--other"}};
    char *env[] = {(char *)"TEXT=env", NULL};
    struct fixture *f = *state;

    f->origin.env = env;
    f->origin.overrides = overrides;
    f->origin.n_overrides = 2;
    assert_int_equal(fill(f, "text: file\n"), 0);
    assert_string_equal(f->values.text, "cli");
}

static void keys_of_others_are_known_and_any_key_may_be_allowed(void **state)
{
    struct fixture *f = *state;

    f->origin.others = others;
    assert_int_equal(fill(f, "plugin: x\n"), 0);
    assert_int_equal(fill(f, "plugins: x\n"), CASB_EINVALID);
    f->origin.any_key = true;
    assert_int_equal(fill(f, "plugins: x\n"), 0);
    assert_int_equal(fill(f, "las: {any: x}\n"), CASB_EINVALID);
}

static void what_is_wrong_in_the_file_is_named_with_its_place(void **state)
{
    static const struct {
        const char *yaml, *text;
    } cases[] = {
        {"text: 8\n", "s.yaml:1:7: text: expected text, got 8 (put it in quotes)"},
        {"text: ''\n", "s.yaml:1:7: text: expected text, got ''"},
        {"flag: 1\ntext:\n", "s.yaml:2:6: text: expected text, got nothing"},
        {"text: [a]\n", "s.yaml:1:7: text: expected text, got a list"},
        {"word: four\n", "s.yaml:1:7: word: expected one, two or three, got 'four'"},
        {"word: one|two\n", "s.yaml:1:7: word: expected one, two or three, got 'one|two'"},
        {"word: off\n",
         "s.yaml:1:7: word: expected one, two or three, got false (put it in quotes)"},
        {"address: 'a b'\n",
         "s.yaml:1:10: address: expected a host or IP address with an optional port, got 'a b'"},
        {"address: 'me:secret@a'\n",
         "s.yaml:1:10: address: expected a host or IP address with an optional port, got '***@a'"},
        {"flag: maybe\n", "s.yaml:1:7: flag: expected true or false, got 'maybe'"},
        {"count: many\n", "s.yaml:1:8: count: expected a whole number, 0 or more, got 'many'"},
        {"count: -1\n", "s.yaml:1:8: count: expected a whole number, 0 or more, got -1"},
        {"bounded: 10\n", "s.yaml:1:10: bounded: expected a whole number from -1 to 9, got 10"},
        {"bounded: 1.5\n", "s.yaml:1:10: bounded: expected a whole number from -1 to 9, got 1.5"},
        {"wait: 90\n", "s.yaml:1:7: wait: expected a duration such as 90s, 5m or 1h30m, got 90"},
        {"wait: 5 min\n",
         "s.yaml:1:7: wait: expected a duration such as 90s, 5m or 1h30m, got '5 min'"},
        {"words: a\n", "s.yaml:1:8: words: expected a list out of a, b or c, got 'a'"},
        {"words: [d]\n", "s.yaml:1:9: words[0]: expected a, b or c, got 'd'"},
        {"words: [a, b|c]\n", "s.yaml:1:12: words[1]: expected a, b or c, got 'b|c'"},
        {"words:\n- a\n- 5\n",
         "s.yaml:3:3: words[1]: expected a, b or c, got 5 (put it in quotes)"},
        {"map: []\n", "s.yaml:1:6: map: expected a map, got a list"},
        {"list: {}\n", "s.yaml:1:7: list: expected a list, got a map"},
        {"las: x\n", "s.yaml:1:6: las: expected a map"},
        {"las:\n  selector: ''\n", "s.yaml:2:13: las.selector: expected text, got ''"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        /* flag: 1 is wrong too, but text comes first in the table */
        assert_int_equal(fill(f, cases[i].yaml), CASB_EINVALID);
        assert_string_equal(f->err.text, cases[i].text);
    }
}

static void unknown_keys_come_with_the_nearest_and_all_valid_ones(void **state)
{
    struct fixture *f = *state;

    f->origin.others = others;
    assert_int_equal(fill(f, "text: a\n  \ncuont: 3\n"), CASB_EINVALID);
    assert_string_equal(f->err.text,
                        "s.yaml:3:1: unknown key 'cuont' (did you mean 'count'?); valid are text, "
                        "word, address, flag, count, bounded, wait, words, map, list, las, plugin");
    assert_int_equal(fill(f, "las: {selektor: a}\n"), CASB_EINVALID);
    assert_string_equal(f->err.text, "s.yaml:1:7: unknown key 'selektor' (did you mean "
                                     "'selector'?); valid are selector, more");
    assert_int_equal(fill(f, "las.selector: a\n"), CASB_EINVALID);
    assert_non_null(strstr(f->err.text, "s.yaml:1:1: unknown key 'las.selector'"));
    assert_int_equal(fill(f, "las: {plugin: a}\n"), CASB_EINVALID);
}

static void wrong_values_from_elsewhere_name_their_origin(void **state)
{
    const struct request_override overrides[] = {{"bounded", "-2", "--bounded"}};
    char *env[] = {(char *)"COUNT=3x", NULL};
    struct fixture *f = *state;

    f->origin.env = env;
    assert_int_equal(fill(f, "{}"), CASB_EINVALID);
    assert_string_equal(f->err.text, "environment variable COUNT: expected a whole number, 0 or "
                                     "more, got '3x'");
    env[0] = (char *)"WORDS=[";
    assert_int_equal(fill(f, "{}"), CASB_EINVALID);
    assert_string_equal(f->err.text, "environment variable WORDS: expected a list out of a, b or "
                                     "c, got '['");
    env[0] = NULL;
    f->origin.overrides = overrides;
    f->origin.n_overrides = 1;
    assert_int_equal(fill(f, "{}"), CASB_EINVALID);
    assert_string_equal(f->err.text, "--bounded: expected a whole number from -1 to 9, got '-2'");
}

static void a_wrong_default_is_the_plugins_fault(void **state)
{
    static const struct casb_option wrong[] = {
        {"count", CASB_INT, 0, "many", NULL, NULL, ""},
        {0},
    };
    struct fixture *f = *state;
    int64_t count = 0;

    assert_int_equal(options_fill(wrong, &count, &f->origin, f->trees, &f->err), CASB_EFAILED);
    assert_string_equal(f->err.text, "option 'count' has a wrong default: expected a whole "
                                     "number, 0 or more, got 'many'");
}

static void an_unknown_type_is_refused(void **state)
{
    static const struct casb_option wrong[] = {
        {"x", (enum casb_option_type)99, 0, "y", NULL, NULL, ""},
        {0},
    };
    struct fixture *f = *state;

    assert_int_equal(option_type_size((enum casb_option_type)99), 0);
    assert_int_equal(options_fill(wrong, &f->values, &f->origin, f->trees, &f->err), CASB_EFAILED);
}

static void a_table_may_be_missing(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(options_fill(NULL, NULL, &f->origin, f->trees, &f->err), 0);
    assert_null(options_find(NULL, "x"));
}

#define fixture_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(defaults_fill_what_is_not_given),
        fixture_test(the_file_fills_every_type),
        fixture_test(maps_and_lists_without_a_value_are_unset),
        fixture_test(the_environment_goes_before_the_file),
        fixture_test(the_command_line_goes_before_the_environment),
        fixture_test(keys_of_others_are_known_and_any_key_may_be_allowed),
        fixture_test(what_is_wrong_in_the_file_is_named_with_its_place),
        fixture_test(unknown_keys_come_with_the_nearest_and_all_valid_ones),
        fixture_test(wrong_values_from_elsewhere_name_their_origin),
        fixture_test(a_wrong_default_is_the_plugins_fault),
        fixture_test(an_unknown_type_is_refused),
        fixture_test(a_table_may_be_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
