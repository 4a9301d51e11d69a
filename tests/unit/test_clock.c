/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/clock.h"

#include <cas-backup/error.h>
#include <sys/eventfd.h>

static void rfc3339_in_all_its_forms(void **state)
{
    static const struct {
        const char *in;
        int64_t want; /* ms; -1: refused */
    } table[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-25T12:00:00Z", INT64_C(1795608000000)},
        {"2026-11-25t12:00:00z", INT64_C(1795608000000)},
        {"2026-11-25 12:00:00", INT64_C(1795608000000)},
        {"2026-11-25T13:00:00+01:00", INT64_C(1795608000000)},
        {"2026-11-25T10:30:00-01:30", INT64_C(1795608000000)},
        {"2026-11-25T12:00:00.005Z", INT64_C(1795608000005)},
        {"2026-11-25T12:00:00,005Z", INT64_C(1795608000005)},
        {"2026-11-25T12:00:00.123456Z", INT64_C(1795608000123)},
        {"2024-02-29T00:00:00Z", INT64_C(1709164800000)},
        {"2026-02-29T00:00:00Z", -1},
        {"2026-13-25T12:00:00Z", -1},
        {"2026-11-32T12:00:00Z", -1},
        {"2026-11-25T25:00:00Z", -1},
        {"2026-11-25T12:60:00Z", -1},
        {"2026-11-25T12:00:00.Z", -1},
        {"2026-11-25T12:00:00Zx", -1},
        {"2026-11-25", -1},
        {"", -1},
        {"not-a-valid-date", -1},
    };
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        ms = -1;
        assert_int_equal(clock_parse(table[i].in, &ms), table[i].want < 0 ? CASB_EINVALID : 0);
        assert_true(ms == table[i].want);
    }
}

static void formatting_is_what_parsing_reads(void **state)
{
    char text[CLOCK_RFC3339_BYTES];

    (void)state;
    assert_string_equal(clock_format(text, INT64_C(1795608000123), false), "2026-11-25T12:00:00Z");
    assert_string_equal(clock_format(text, INT64_C(1795608000123), true),
                        "2026-11-25T12:00:00.123Z");
}

static void a_call_ends_by_deadline_or_cancellation(void **state)
{
    struct casb_call call = {.deadline_ns = clock_now_ns() + 60 * CLOCK_S,
                             .cancel_fd = eventfd(0, EFD_CLOEXEC)};
    uint64_t one = 1;

    (void)state;
    assert_int_equal(clock_check(&call), 0);
    assert_int_equal(clock_sleep(&call, CLOCK_MS), 0);
    assert_true(clock_deadline(&call, 3600 * CLOCK_S) == call.deadline_ns);
    assert_true(clock_deadline(&call, INT64_MAX) == call.deadline_ns);
    assert_true(clock_deadline(&call, CLOCK_S) < call.deadline_ns);
    assert_int_equal(write(call.cancel_fd, &one, sizeof one), sizeof one);
    assert_int_equal(clock_sleep(&call, 3600 * CLOCK_S), CASB_ECANCELLED);
    assert_int_equal(clock_check(&call), CASB_ECANCELLED);
    close(call.cancel_fd);
    call = (struct casb_call){clock_now_ns() + CLOCK_MS, -1};
    assert_int_equal(clock_sleep(&call, 3600 * CLOCK_S), CASB_ETIMEOUT);
    assert_int_equal(clock_check(&call), CASB_ETIMEOUT);
}

static void backoff_doubles_up_to_its_cap(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_in_range(clock_backoff(1, 100, 1000), 50, 100);
        assert_in_range(clock_backoff(3, 100, 1000), 200, 400);
        assert_in_range(clock_backoff(60, 100, 1000), 500, 1000);
    }
}

static void polls_round_up(void **state)
{
    (void)state;
    assert_int_equal(clock_poll_ms(clock_now_ns() - 1), 0);
    assert_in_range(clock_poll_ms(clock_now_ns() + CLOCK_S), 990, 1000);
    assert_int_equal(clock_poll_ms(INT64_MAX), INT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc3339_in_all_its_forms),
        cmocka_unit_test(formatting_is_what_parsing_reads),
        cmocka_unit_test(a_call_ends_by_deadline_or_cancellation),
        cmocka_unit_test(backoff_doubles_up_to_its_cap),
        cmocka_unit_test(polls_round_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
