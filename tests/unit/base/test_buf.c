/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/buf.h"
#include "unit/chaos.h"

#include <cas-backup/error.h>

static void an_empty_buffer_is_an_empty_string(void **state)
{
    _cleanup_(buf_free) struct buf b = BUF_INIT(10);
    _cleanup_(freep) char *taken = NULL;

    (void)state;
    assert_string_equal(buf_text(&b), "");
    assert_int_equal(buf_append(&b, NULL, 0), 0);
    taken = buf_take(&b);
    assert_string_equal(taken, "");
}

static void what_is_added_is_terminated(void **state)
{
    _cleanup_(buf_free) struct buf b = BUF_INIT(1000);

    (void)state;
    assert_int_equal(buf_puts(&b, "one"), 0);
    assert_int_equal(buf_append(&b, "\0two", 4), 0);
    assert_int_equal(buf_printf(&b, " %d %s", 3, "four"), 0);
    assert_int_equal(b.len, 14);
    assert_memory_equal(b.data, "one\0two 3 four", 15);
}

static void the_limit_is_reached_but_not_passed(void **state)
{
    _cleanup_(buf_free) struct buf b = BUF_INIT(5);

    (void)state;
    assert_int_equal(buf_puts(&b, "1234"), 0);
    assert_int_equal(buf_puts(&b, "56"), CASB_EINVALID);
    assert_int_equal(buf_printf(&b, "%d", 56), CASB_EINVALID);
    assert_int_equal(buf_append(&b, "", SIZE_MAX), CASB_EINVALID);
    assert_string_equal(buf_text(&b), "1234");
    assert_int_equal(buf_printf(&b, "%d", 5), 0);
    assert_string_equal(buf_text(&b), "12345");
    assert_int_equal(buf_puts(&b, "6"), CASB_EINVALID);
}

static void cutting_tells_what_did_not_fit(void **state)
{
    _cleanup_(buf_free) struct buf b = BUF_INIT(5);

    (void)state;
    assert_int_equal(buf_append_cut(&b, "123", 3), 0);
    assert_int_equal(buf_append_cut(&b, "4567", 4), 2);
    assert_int_equal(buf_append_cut(&b, "8", 1), 1);
    assert_string_equal(buf_text(&b), "12345");
}

static void a_buffer_grows_over_many_appends(void **state)
{
    _cleanup_(buf_free_secret) struct buf b = BUF_INIT(100000);

    (void)state;
    for (int i = 0; i < 10000; i++)
        assert_int_equal(buf_printf(&b, "%04d ", i), 0);
    assert_int_equal(b.len, 50000);
    assert_memory_equal(b.data, "0000 0001 ", 10);
    assert_string_equal(b.data + 49990, "9998 9999 ");
    assert_true(b.cap <= b.limit + 1);
}

static void a_reset_buffer_keeps_its_memory(void **state)
{
    _cleanup_(buf_free) struct buf b = BUF_INIT(10);
    const char *data;

    (void)state;
    buf_reset(&b);
    assert_int_equal(buf_puts(&b, "123"), 0);
    data = b.data;
    buf_reset(&b);
    assert_string_equal(buf_text(&b), "");
    assert_int_equal(buf_puts(&b, "4"), 0);
    assert_ptr_equal(b.data, data);
    assert_string_equal(buf_text(&b), "4");
}

static void taking_and_freeing_leave_an_empty_buffer(void **state)
{
    struct buf b = BUF_INIT(10);
    _cleanup_(freep) char *taken = NULL;

    (void)state;
    assert_int_equal(buf_puts(&b, "123"), 0);
    taken = buf_take(&b);
    assert_string_equal(taken, "123");
    assert_string_equal(buf_text(&b), "");
    assert_int_equal(buf_puts(&b, "45"), 0);
    buf_free_secret(&b);
    buf_free(&b);
    assert_null(b.data);
    assert_int_equal(b.limit, 10);
}

static void without_memory_the_content_stays(void **state)
{
    _cleanup_(buf_free) struct buf b = BUF_INIT(1000);
    struct buf empty = BUF_INIT(1);
    char *taken;

    (void)state;
    assert_int_equal(buf_puts(&b, "kept"), 0);
    chaos_left = 0;
    taken = buf_take(&empty);
    assert_null(taken);
    assert_int_equal(buf_printf(&b, "%300d", 1), CASB_ENOMEM);
    assert_int_equal(buf_append_cut(&b, (char[300]){0}, 300), 300);
    chaos_left = -1;
    assert_string_equal(buf_text(&b), "kept");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_is_an_empty_string),
        cmocka_unit_test(what_is_added_is_terminated),
        cmocka_unit_test(the_limit_is_reached_but_not_passed),
        cmocka_unit_test(cutting_tells_what_did_not_fit),
        cmocka_unit_test(a_buffer_grows_over_many_appends),
        cmocka_unit_test(a_reset_buffer_keeps_its_memory),
        cmocka_unit_test(taking_and_freeing_leave_an_empty_buffer),
        cmocka_unit_test(without_memory_the_content_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
