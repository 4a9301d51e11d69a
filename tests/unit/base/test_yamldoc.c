/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/chaos.h"
#include "unit/unit.h"

#include "base/buf.h"
#include "base/yamldoc.h"

#include <dirent.h>

#define INPUT_BYTES (1024 * 1024)

static bool read_case(const char *folder, const char *file, struct buf *out)
{
    _cleanup_(fclosep) FILE *f = NULL;
    char path[512], name[300], block[4096];
    size_t got;

    snprintf(name, sizeof name, "yaml/%s/%s", folder, file);
    f = fopen(unit_data(path, sizeof path, name), "r");
    if (!f)
        return false;
    while ((got = fread(block, 1, sizeof block, f)) > 0)
        assert_int_equal(buf_append(out, block, got), 0);
    return true;
}

/* Returns whether the document and its error are as the case's folder says. */
static bool check_case(const char *folder)
{
    _cleanup_(buf_free) struct buf input = BUF_INIT(INPUT_BYTES), want = BUF_INIT(INPUT_BYTES);
    _cleanup_(yamldoc_freep) struct yamldoc *doc = NULL;
    struct casb_error err = {0};
    json_auto_t *tree = NULL;
    int rc;

    assert_true(read_case(folder, "input.yaml", &input));
    rc = yamldoc_parse(buf_text(&input), input.len, "input.yaml", &doc, &err);
    if (read_case(folder, "error", &want)) {
        want.data[want.len - 1] = '\0';
        if (rc == CASB_EINVALID && err.code == rc && !doc && strcmp(err.text, want.data) == 0)
            return true;
        print_error("%s: wanted error '%s', got %d '%s'\n", folder, want.data, rc, err.text);
        return false;
    }
    assert_true(read_case(folder, "want.json", &want));
    tree = json_loadb(want.data, want.len, JSON_DECODE_ANY, NULL);
    assert_non_null(tree);
    if (rc == 0 && json_equal(yamldoc_root(doc), tree))
        return true;
    print_error("%s: %s\n", folder, rc == 0 ? "another tree than want.json" : err.text);
    return false;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void each_case_gives_its_tree_or_its_error(void **state)
{
    struct dirent **folders;
    char path[512];
    int n = scandir(unit_data(path, sizeof path, "yaml"), &folders, visible, alphasort), failed = 0;

    (void)state;
    assert_true(n > 40);
    for (int i = 0; i < n; i++) {
        failed += !check_case(folders[i]->d_name);
        free(folders[i]);
    }
    free(folders);
    assert_int_equal(failed, 0);
}

static struct yamldoc *parse(const char *text)
{
    struct yamldoc *doc = NULL;

    assert_int_equal(yamldoc_parse(text, strlen(text), "t", &doc, NULL), 0);
    return doc;
}

static void marks_are_found_by_path(void **state)
{
    static const char text[] = "cas: mycas\n"
                               "discovery:\n"
                               "  - plugin: kubernetes\n"
                               "    las:   {selector:  x, a.b/c: 1, a: {b/c: 2}}\n"
                               "  - &s\n"
                               "    list: [[1,\n"
                               "      2]]\n"
                               "again: *s\n"
                               "\"\": 1\n";
    static const struct {
        const char *path;
        bool key;
        size_t line, column;
    } table[] = {
        {"", false, 1, 1},
        {"cas", true, 1, 1},
        {"cas", false, 1, 6},
        {"discovery", true, 2, 1},
        {"discovery", false, 3, 3},
        {"discovery[0]", false, 3, 5},
        {"discovery[0].plugin", true, 3, 5},
        {"discovery[0].plugin", false, 3, 13},
        {"discovery[0].las", false, 4, 12},
        {"discovery[0].las.selector", true, 4, 13},
        {"discovery[0].las.selector", false, 4, 24},
        {"discovery[0].las.a.b/c", false, 4, 34},
        {"discovery[1].list[0][1]", false, 7, 7},
        {"again", true, 8, 1},
        {"again", false, 8, 8},
        {"again.list[0][1]", false, 7, 7},
        /* unknown: the nearest parent */
        {"cas.x", false, 1, 6},
        {"ca", false, 1, 1},
        {"cass", false, 1, 1},
        {"discovery[2]", true, 2, 1},
        {"discovery[0].las.nothing[3].x", true, 4, 5},
    };
    _cleanup_(yamldoc_freep) struct yamldoc *doc = parse(text);

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        size_t line = 0, column = 0;

        yamldoc_mark(doc, table[i].path, table[i].key, &line, &column);
        if (line != table[i].line || column != table[i].column)
            fail_msg("'%s': %zu:%zu", table[i].path, line, column);
    }
}

/* What kubectl 1.32 makes of each of them; `error` where it has one, too. */
static void what_kubectl_reads_is_read_as_it_does(void **state)
{
    static const struct {
        const char *text, *want, *error;
    } cases[] = {
        {"a: 1\n---\n", "{\"a\":1}", NULL},
        {"a: 1\n---\nb: [\n", "{\"a\":1}", NULL},
        {"a: 1\n...\n}]\n", "{\"a\":1}", NULL},
        {"---\n---\na: 1\n", "{}", NULL},
        {"a: 1\na: {b: 2, b: 3}\n", "{\"a\":{\"b\":3}}", NULL},
        {"a: &x {m: 1, k: 2}\nb: {<<: *x, m: 3}\n",
         "{\"a\":{\"m\":1,\"k\":2},\"b\":{\"m\":3,\"k\":2}}", NULL},
        {"b: {m: 3, <<: {m: 1}}\n", "{\"b\":{\"m\":1}}", NULL},
        {"<<: [{m: 1}, {m: 2, k: 2}]\n", "{\"m\":1,\"k\":2}", NULL},
        {"<<: {m: 1}\n<<: {m: 2}\n", "{\"m\":2}", NULL},
        {"\"<<\": {m: 1}\n", "{\"<<\":{\"m\":1}}", NULL},
        {"a: 1\n<<: 5\n", NULL, "t:2:1: '<<' takes a map, or a list of maps"},
        {"<<: [{m: 1}, ~]\n", NULL, "t:1:1: '<<' takes a map, or a list of maps"},
        {"{0x10: a, yes: b, 1.5: c}\n", "{\"1.5\":\"c\",\"16\":\"a\",\"true\":\"b\"}", NULL},
        {"~: a\n", NULL, "t:1:1: key '~' is not a string: put it in quotes"},
        {"{a: b}: c\n", NULL, "t:1:1: a key must be a string"},
        {"a: !x 5\nb: !x {c: !y [d]}\n", "{\"a\":\"5\",\"b\":{\"c\":[\"d\"]}}", NULL},
        {"a: !!int b\n", NULL, "t:1:4: the tag is not supported here or does not fit the value"},
        {"a: 18446744073709551616\nb: -9223372036854775809\n",
         "{\"a\":1.8446744073709552e19,\"b\":-9.2233720368547758e18}", NULL},
        {"a: .inf\n", NULL, "t:1:4: infinity and not-a-number are not supported"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        json_auto_t *want = cases[i].want ? json_loads(cases[i].want, 0, NULL) : NULL;
        _cleanup_(yamldoc_freep) struct yamldoc *doc = NULL;
        struct casb_error err = {0};
        int r = yamldoc_parse_lax(cases[i].text, strlen(cases[i].text), "t", &doc, &err);

        assert_int_equal(r, cases[i].error ? CASB_EINVALID : 0);
        assert_string_equal(err.text, cases[i].error ? cases[i].error : "");
        if (want && !json_equal(yamldoc_root(doc), want))
            fail_msg("%s", cases[i].text);
    }
}

static void parts_of_aliases_are_no_shared_memory(void **state)
{
    _cleanup_(yamldoc_freep) struct yamldoc *doc = parse("a: &x {m: 1}\nb: *x\n");
    json_t *root = yamldoc_root(doc);

    (void)state;
    json_object_set_new(json_object_get(root, "a"), "m", json_integer(2));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(root, "b"), "m")), 1);
}

static void the_tree_can_outlive_the_document(void **state)
{
    struct yamldoc *doc = parse("a: 1\n");
    json_auto_t *root = json_incref(yamldoc_root(doc));

    (void)state;
    assert_string_equal(yamldoc_name(doc), "t");
    yamldoc_free(doc);
    yamldoc_free(NULL);
    assert_int_equal(json_integer_value(json_object_get(root, "a")), 1);
}

static void the_number_of_values_is_bounded_without_aliases(void **state)
{
    _cleanup_(buf_free) struct buf text = BUF_INIT(INPUT_BYTES);
    _cleanup_(yamldoc_freep) struct yamldoc *doc = NULL;
    struct casb_error err = {0};

    (void)state;
    for (int i = 0; i < 99999; i++) /* with the root 100,000 */
        assert_int_equal(buf_puts(&text, "- 1\n"), 0);
    assert_int_equal(yamldoc_parse(text.data, text.len, "t", &doc, &err), 0);
    assert_int_equal(json_array_size(yamldoc_root(doc)), 99999);
    yamldoc_free(TAKE_PTR(doc));
    assert_int_equal(buf_puts(&text, "- 1\n"), 0);
    assert_int_equal(yamldoc_parse(text.data, text.len, "t", &doc, &err), CASB_EINVALID);
    assert_string_equal(err.text, "t:100000:3: more than 100000 values");
}

/* Whichever allocation fails, of ours or of jansson's: an error comes out and nothing leaks. */
static void running_out_of_memory_is_an_error(void **state)
{
    static const struct {
        const char *text;
        int (*parse)(const char *, size_t, const char *, struct yamldoc **, struct casb_error *);
    } cases[] = {
        {"a: &x {m: [1, 2.5, text, \"q\", true, ~]}\nb: [*x, *x]\n", yamldoc_parse},
        {"1: &x {m: [1, 2]}\nb: {<<: *x, m: !x 3}\n", yamldoc_parse_lax},
    };

    (void)state;
    json_set_alloc_funcs(malloc, free);
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        int rc = -1;

        for (int allowed = 0; rc != 0; allowed++) {
            _cleanup_(yamldoc_freep) struct yamldoc *doc = NULL;
            struct casb_error err = {0};

            chaos_left = allowed;
            rc = cases[i].parse(cases[i].text, strlen(cases[i].text), "t", &doc, &err);
            chaos_left = -1;
            assert_int_equal(rc, rc ? CASB_ENOMEM : 0);
            assert_int_equal(err.code, rc);
            assert_true(allowed < 1000);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_gives_its_tree_or_its_error),
        cmocka_unit_test(marks_are_found_by_path),
        cmocka_unit_test(what_kubectl_reads_is_read_as_it_does),
        cmocka_unit_test(parts_of_aliases_are_no_shared_memory),
        cmocka_unit_test(the_tree_can_outlive_the_document),
        cmocka_unit_test(the_number_of_values_is_bounded_without_aliases),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
