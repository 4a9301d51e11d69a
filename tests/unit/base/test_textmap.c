/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/chaos.h"
#include "unit/unit.h"

#include "base/textmap.h"

#include <cas-backup/error.h>

static void nothing_is_in_an_empty_one(void **state)
{
    struct textmap map = {.slots = NULL};
    int64_t value = 7;

    (void)state;
    assert_false(textmap_get(&map, "a", &value));
    assert_int_equal(value, 0);
    assert_null(textmap_any(&map));
    textmap_delete(&map, "a");
    textmap_free(&map);
}

static void a_text_has_the_number_it_got_last(void **state)
{
    struct textmap map = {.slots = NULL};
    int64_t value;

    (void)state;
    assert_int_equal(textmap_set(&map, "a", 1), 0);
    assert_int_equal(textmap_set(&map, "", -2), 0);
    assert_int_equal(textmap_set(&map, "a", 3), 0);
    assert_int_equal(map.n, 2);
    assert_true(textmap_get(&map, "a", &value));
    assert_int_equal(value, 3);
    assert_true(textmap_get(&map, "", &value));
    assert_int_equal(value, -2);
    assert_false(textmap_get(&map, "b", NULL));
    textmap_free(&map);
    assert_false(textmap_get(&map, "a", NULL));
}

#define TEXTS 500

/* Against an array, in which each text has its place: what is set, found, deleted at random. */
static void it_is_like_an_array(void **state)
{
    bool there[TEXTS] = {false};
    int64_t values[TEXTS], value;
    struct textmap map = {.slots = NULL};
    unsigned random = 1;
    char text[24];

    (void)state;
    for (int step = 0; step < 50000; step++) {
        random = random * 1103515245 + 12345;
        unsigned i = random / 65536 % TEXTS, what = random / 16 % 3;

        snprintf(text, sizeof text, "text-%u", i);
        assert_int_equal(textmap_get(&map, text, &value), there[i]);
        assert_true(!there[i] || value == values[i]);
        if (what == 0) {
            assert_int_equal(textmap_set(&map, text, step), 0);
            values[i] = step;
        } else if (what == 1) {
            textmap_delete(&map, text);
        }
        there[i] = what == 0 || (what == 2 && there[i]);
    }
    for (const char *any; (any = textmap_any(&map)); textmap_delete(&map, any))
        assert_true(textmap_get(&map, any, NULL));
    assert_int_equal(map.n, 0);
    textmap_free(&map);
}

static void a_long_text_has_a_block_of_its_own(void **state)
{
    _cleanup_(freep) char *text = calloc(100001, 1);
    struct textmap map = {.slots = NULL};
    int64_t value;

    (void)state;
    assert_non_null(text);
    memset(text, 'x', 100000);
    assert_int_equal(textmap_set(&map, text, 1), 0);
    assert_int_equal(textmap_set(&map, "short", 2), 0);
    assert_true(textmap_get(&map, text, &value));
    assert_int_equal(value, 1);
    textmap_free(&map);
}

static void without_memory_all_stays_as_it_was(void **state)
{
    struct textmap map = {.slots = NULL};
    char text[24];
    int n = 0, failures = 0;

    (void)state;
    while (n < 2000) {
        snprintf(text, sizeof text, "text-%d", n);
        chaos_left = 0;
        if (textmap_set(&map, text, n)) {
            failures++;
            assert_false(textmap_get(&map, text, NULL));
            assert_int_equal(map.n, n);
            chaos_left = -1;
            assert_int_equal(textmap_set(&map, text, n), 0);
        }
        n++;
    }
    chaos_left = -1;
    assert_true(failures > 8); /* slots and blocks */
    for (n = 0; n < 2000; n++) {
        int64_t value;

        snprintf(text, sizeof text, "text-%d", n);
        assert_true(textmap_get(&map, text, &value));
        assert_int_equal(value, n);
    }
    textmap_free(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_in_an_empty_one),
        cmocka_unit_test(a_text_has_the_number_it_got_last),
        cmocka_unit_test(it_is_like_an_array),
        cmocka_unit_test(a_long_text_has_a_block_of_its_own),
        cmocka_unit_test(without_memory_all_stays_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
