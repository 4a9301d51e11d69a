/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/buf.h"

#include <cas-backup/error.h>

static void it_grows_up_to_its_limit_and_keeps_what_it_had(void **state)
{
    struct buf b = BUF_INIT(1000);
    char piece[300];

    (void)state;
    memset(piece, 'x', sizeof piece);
    assert_string_equal(buf_text(&b), "");
    for (int i = 0; i < 3; i++)
        assert_int_equal(buf_append(&b, piece, sizeof piece), 0);
    assert_int_equal(buf_append(&b, piece, sizeof piece), CASB_EINVALID);
    assert_int_equal(buf_printf(&b, "%0200d", 1), CASB_EINVALID);
    assert_int_equal(b.len, 900);
    assert_int_equal(buf_append_cut(&b, piece, sizeof piece), 200);
    assert_int_equal(b.len, 1000);
    assert_int_equal(strlen(b.data), 1000);
    buf_free(&b);
}

static void printed_text_follows_what_is_there(void **state)
{
    struct buf b = BUF_INIT(100);

    (void)state;
    assert_int_equal(buf_puts(&b, "a"), 0);
    assert_int_equal(buf_printf(&b, "%d-%s", 7, "b"), 0);
    assert_string_equal(buf_text(&b), "a7-b");
    buf_reset(&b);
    assert_string_equal(buf_text(&b), "");
    buf_free_secret(&b);
    assert_null(b.data);
}

static void taking_hands_the_text_over(void **state)
{
    struct buf b = BUF_INIT(100);
    char *text;

    (void)state;
    assert_int_equal(buf_puts(&b, "mine"), 0);
    text = buf_take(&b);
    assert_string_equal(text, "mine");
    free(text);
    text = buf_take(&b);
    assert_string_equal(text, "");
    free(text);
}

static void bytes_may_be_nul(void **state)
{
    struct buf b = BUF_INIT(100);

    (void)state;
    assert_int_equal(buf_append(&b, "a\0b", 3), 0);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.data, "a\0b", 4);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_grows_up_to_its_limit_and_keeps_what_it_had),
        cmocka_unit_test(printed_text_follows_what_is_there),
        cmocka_unit_test(taking_hands_the_text_over),
        cmocka_unit_test(bytes_may_be_nul),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
