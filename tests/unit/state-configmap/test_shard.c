/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/buf.h"
#include "base/jsonx.h"
#include "state-configmap/shard.h"

/* JSON with ' for ". */
static json_t *json(const char *text)
{
    _cleanup_(freep) char *copy = strdup(text);
    json_t *value;

    assert_non_null(copy);
    for (char *c = copy; (c = strchr(c, '\''));)
        *c = '"';
    value = json_loads(copy, 0, NULL);
    assert_non_null(value);
    return value;
}

/* Takes in shards "a", "b", ... with these data. */
static void take(struct shards *shards, const char *const *data)
{
    char name[] = "a";

    shards->instance = "i";
    for (; *data; data++, name[0]++) {
        json_auto_t *content = json(*data);
        json_auto_t *configmap =
            json_pack("{s:{s:s, s:s}, s:O}", "metadata", "name", name, "uid", "u", "data", content);

        assert_int_equal(shards_take(shards, configmap, NULL), 0);
    }
}

/* "NAME{patch}" of each shard with one. */
static void describe(const struct shards *shards, struct buf *out)
{
    for (size_t i = 0; i < shards->n; i++) {
        const struct shard *shard = &shards->list[i];
        _cleanup_(freep) char *patch =
            shard->patch ? json_dumps(shard->patch, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

        if (patch)
            assert_int_equal(buf_printf(out, "%s%s", shard->name, patch), 0);
    }
    for (char *c = out->data; c && (c = strchr(c, '"'));)
        *c = '\'';
}

/* The limit is 20 bytes; a key of one character with a text of nine takes half of it. */
static const struct {
    const char *what;
    const char *shards[4];
    const char *changes, *want;
} plans[] = {
    {"nothing to do", {"{'x':'1'}"}, "{}", ""},
    {"the first record makes the first shard", {0}, "{'x':'1'}", "i-state{'x':'1'}"},
    {"several in one patch", {"{}"}, "{'x':'1','y':'2'}", "a{'x':'1','y':'2'}"},
    {"a record stays where it is", {"{}", "{'x':'1'}"}, "{'x':'2'}", "b{'x':'2'}"},
    {"a new one goes where there is room",
     {"{'x':'123456789','y':'123456789'}", "{'z':'123456789'}"},
     "{'n':'123456789'}",
     "b{'n':'123456789'}"},
    {"what fits exactly is let in",
     {"{'x':'123456789'}"},
     "{'y':'123456789'}",
     "a{'y':'123456789'}"},
    {"one byte more makes a new shard",
     {"{'x':'123456789'}"},
     "{'y':'123456789a'}",
     "i-state{'y':'123456789a'}"},
    {"room is used up within one plan",
     {"{'x':'123456789'}"},
     "{'y':'123456789','z':'123456789','u':'1'}",
     "a{'y':'123456789'}i-state{'u':'1','z':'123456789'}"},
    {"several new shards have names of their own",
     {0},
     "{'x':'123456789abcdef','y':'123456789abcdef'}",
     "i-state{'x':'123456789abcdef'}i-state-2{'y':'123456789abcdef'}"},
    {"what grows where no room is moves, its old place stays for now",
     {"{'x':'123456789','y':'123456789'}", "{}"},
     "{'x':'123456789a'}",
     "b{'x':'123456789a'}"},
    {"what shrinks in a shard that is too full stays",
     {"{'x':'123456789','y':'123456789abcdef'}", "{}"},
     "{'x':'1'}",
     "a{'x':'1'}"},
    {"a drop is a null where it is", {"{'x':'1'}", "{'y':'1'}"}, "{'y':null}", "b{'y':null}"},
    {"an unknown drop is nothing", {"{'x':'1'}"}, "{'z':null}", ""},
    {"room that a drop makes is used",
     {"{'x':'123456789','y':'123456789'}"},
     "{'x':null,'z':'123456789'}",
     "a{'x':null,'z':'123456789'}"},
    {"data of others counts and stays",
     {"{'x':'123456789','README':'foreign'}"},
     "{'y':'12'}",
     "i-state{'y':'12'}"},
    {"a record too large for any shard has one of its own",
     {"{}"},
     "{'x':'123456789012345678901234567890'}",
     "i-state{'x':'123456789012345678901234567890'}"},
};

static void a_plan_spreads_changes_over_shards(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS(plans); i++) {
        struct shards shards = {0};
        json_auto_t *changes = json(plans[i].changes);
        _cleanup_(buf_free) struct buf got = BUF_INIT(4096);

        print_message("# %s\n", plans[i].what);
        take(&shards, plans[i].shards);
        assert_int_equal(shards_plan(&shards, changes, 20, NULL), 0);
        describe(&shards, &got);
        assert_string_equal(buf_text(&got), plans[i].want);
        shards_free(&shards);
    }
}

static void write_all(struct shards *shards)
{
    for (size_t i = 0; i < shards->n; i++)
        shard_written(&shards->list[i], shards->list[i].patch, NULL);
}

static void what_moved_is_dropped_by_the_next_plan(void **state)
{
    struct shards shards = {0};
    json_auto_t *grow = json("{'x':'123456789a'}");
    json_auto_t *more = json("{'z':'123456789'}");
    _cleanup_(buf_free) struct buf got = BUF_INIT(4096);

    (void)state;
    take(&shards, (const char *[]){"{'x':'123456789','y':'123456789'}", "{}", NULL});
    assert_int_equal(shards_plan(&shards, grow, 20, NULL), 0);
    write_all(&shards);
    assert_string_equal(shards_find(&shards, "x")->name, "b");
    assert_int_equal(shards_plan(&shards, more, 20, NULL), 0);
    describe(&shards, &got);
    assert_string_equal(buf_text(&got), "a{'x':null,'z':'123456789'}");
    assert_int_equal(shards.list[0].bytes, 20);
    shards_free(&shards);
}

static void a_drop_takes_stale_data_along(void **state)
{
    struct shards shards = {0};
    json_auto_t *drop = json("{'x':null}");
    _cleanup_(buf_free) struct buf got = BUF_INIT(4096);

    (void)state;
    take(&shards, (const char *[]){"{'x':'1'}", "{'x':'2'}", NULL});
    assert_int_equal(shard_make_stale(&shards.list[0], "x", NULL), 0);
    assert_int_equal(shards_plan(&shards, drop, 20, NULL), 0);
    describe(&shards, &got);
    assert_string_equal(buf_text(&got), "a{'x':null}b{'x':null}");
    assert_null(shards_find(&shards, "x"));
    shards_free(&shards);
}

static void bytes_are_counted_as_written(void **state)
{
    struct shards shards = {0};
    json_auto_t *changes = json("{'x':'12','y':null,'n':'1'}");

    (void)state;
    take(&shards, (const char *[]){"{'x':'12345','y':'1'}", NULL});
    assert_int_equal(shards.list[0].bytes, 8);
    assert_int_equal(shards_plan(&shards, changes, 20, NULL), 0);
    assert_int_equal(shards.list[0].bytes, 5);
    shards_free(&shards);
}

static void binary_data_takes_room_too(void **state)
{
    struct shards shards = {0};
    json_auto_t *configmap = json("{'metadata':{'name':'a','uid':'u'},'binaryData':{'b':'AAAA'}}");

    (void)state;
    assert_int_equal(shards_take(&shards, configmap, NULL), 0);
    assert_int_equal(shards.list[0].bytes, 5);
    assert_null(shards_find(&shards, "b"));
    shards_free(&shards);
}

#define LABELS                                                                                     \
    "'labels':{'cas-backup/instance':'i','cas-backup/component':'state',"                          \
    "'app.kubernetes.io/name':'cas-backup','app.kubernetes.io/instance':'i',"                      \
    "'app.kubernetes.io/component':'state','app.kubernetes.io/managed-by':'cas-backup'}"

static void the_first_write_creates_and_later_ones_patch(void **state)
{
    struct shards shards = {.instance = "i"};
    json_auto_t *changes = json("{'x':'1'}");
    json_auto_t *create = NULL;
    json_auto_t *patch = NULL;
    json_auto_t *want_create =
        json("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'i-state'," LABELS
             "},'data':{'x':'1'}}");
    json_auto_t *created = json("{'metadata':{'uid':'u1'}}");
    json_auto_t *want_patch = json("{'metadata':{'uid':'u1'," LABELS "},'data':{'x':'1'}}");

    (void)state;
    assert_int_equal(shards_plan(&shards, changes, 20, NULL), 0);
    assert_int_equal(shard_body(&shards, &shards.list[0], shards.list[0].patch, &create, NULL), 0);
    assert_true(json_equal(create, want_create));
    shard_written(&shards.list[0], shards.list[0].patch, created);
    assert_null(shards.list[0].patch);
    assert_int_equal(shards_plan(&shards, changes, 20, NULL), 0);
    assert_int_equal(shard_body(&shards, &shards.list[0], shards.list[0].patch, &patch, NULL), 0);
    assert_true(json_equal(patch, want_patch));
    shards_free(&shards);
}

static void a_patch_is_taken_in_parts(void **state)
{
    static const struct {
        size_t max;
        const char *parts[4];
    } cases[] = {
        {SIZE_MAX, {"{'a':'12','b':null,'c':'3456'}"}},
        {9, {"{'a':'12','b':null,'c':'3456'}"}},
        {8, {"{'a':'12','b':null}", "{'c':'3456'}"}},
        {3, {"{'a':'12'}", "{'b':null}", "{'c':'3456'}"}},
        {0, {"{'a':'12'}", "{'b':null}", "{'c':'3456'}"}},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct shard shard = {.patch = json("{'a':'12','b':null,'c':'3456'}")};

        for (size_t j = 0; cases[i].parts[j]; j++) {
            json_auto_t *part = NULL, *want = json(cases[i].parts[j]);
            size_t bytes;

            assert_int_equal(shard_part(&shard, cases[i].max, &part, &bytes, NULL), 0);
            assert_true(json_equal(part, want));
            assert_true(bytes <= cases[i].max || json_object_size(part) == 1);
            shard_written(&shard, part, NULL);
        }
        assert_null(shard.patch);
    }
}

static void a_name_that_is_taken_is_passed_over(void **state)
{
    struct shards shards = {.instance = "i"};
    json_auto_t *own = json("{'metadata':{'name':'i-state-2','uid':'u'}}");
    json_auto_t *changes = json("{'x':'123456789012345678901'}");
    struct shard *made;

    (void)state;
    assert_int_equal(shards_take(&shards, own, NULL), 0);
    assert_int_equal(shards_plan(&shards, changes, 20, NULL), 0);
    made = &shards.list[1];
    assert_string_equal(made->name, "i-state");
    shard_rename(&shards, made);
    assert_string_equal(made->name, "i-state-3");
    shards_free(&shards);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_spreads_changes_over_shards),
        cmocka_unit_test(what_moved_is_dropped_by_the_next_plan),
        cmocka_unit_test(a_drop_takes_stale_data_along),
        cmocka_unit_test(bytes_are_counted_as_written),
        cmocka_unit_test(binary_data_takes_room_too),
        cmocka_unit_test(the_first_write_creates_and_later_ones_patch),
        cmocka_unit_test(a_patch_is_taken_in_parts),
        cmocka_unit_test(a_name_that_is_taken_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
