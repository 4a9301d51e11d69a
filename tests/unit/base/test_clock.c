/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/clock.h"

#include <cas-backup/error.h>

#include <limits.h>

static void times_are_formatted(void **state)
{
    static const struct {
        int64_t ms;
        const char *plain, *millis;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"},
        {1795608000123, "2026-11-25T12:00:00Z", "2026-11-25T12:00:00.123Z"},
        {951782399999, "2000-02-28T23:59:59Z", "2000-02-28T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999Z"},
        {-32790830400000, "0930-11-25T12:00:00Z", "0930-11-25T12:00:00.000Z"},
        {-62135596800000, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"},
    };
    char out[CLOCK_RFC3339_BYTES];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        assert_string_equal(clock_format(out, cases[i].ms, false), cases[i].plain);
        assert_string_equal(clock_format(out, cases[i].ms, true), cases[i].millis);
    }
}

static void any_number_can_be_formatted(void **state)
{
    char out[CLOCK_RFC3339_BYTES];

    (void)state;
    assert_string_equal(clock_format(out, INT64_MAX, true), "292278994-08-17T07:12:55.807Z");
    clock_format(out, INT64_MIN, true);
    assert_true(strlen(out) < sizeof out);
}

static void times_are_parsed(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"2017-02-14T12:30:00Z", 1487075400000},
        {"2017-02-14t12:30:00z", 1487075400000},
        {"2017-02-14 12:30:00Z", 1487075400000},
        {"2017-02-14T12:30:00", 1487075400000},
        {"2017-02-14T12:30:00.005Z", 1487075400005},
        {"2017-02-14T12:30:00,005Z", 1487075400005},
        {"2017-02-14T12:30:00.5", 1487075400500},
        {"2017-02-14T12:30:00.123456789Z", 1487075400123},
        {"2017-02-14T12:30:00+01:00", 1487071800000},
        {"2017-02-14T12:30:00-01:00", 1487079000000},
        {"2017-02-14T12:30:00.25+05:30", 1487055600250},
        {"2017-02-14T12:30:00-23:59", 1487161740000},
        {"2016-12-31T23:59:60Z", 1483228800000},
        {"2000-02-29T00:00:00Z", 951782400000},
        {"1969-12-31T23:59:59.999Z", -1},
        {"9999-12-31T23:59:59Z", 253402300799000},
        {"0001-01-01T00:00:00Z", -62135596800000},
    };
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        if (clock_parse(cases[i].text, &ms))
            fail_msg("'%s' is refused", cases[i].text);
        if (ms != cases[i].ms)
            fail_msg("'%s' gives %lld", cases[i].text, (long long)ms);
    }
}

static void wrong_times_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "not-a-valid-date",
        "2017-02-14",
        "2017-02-14T",
        "2017-02-14T12:30",
        "2017-13-14T12:30:00Z",
        "2017-00-14T12:30:00Z",
        "2017-02-32T12:30:00Z",
        "2017-02-00T12:30:00Z",
        "2017-02-29T12:30:00Z",
        "2017-04-31T12:30:00Z",
        "2017-02-14T25:30:00Z",
        "2017-02-14T24:00:00Z",
        "2017-02-14T12:60:00Z",
        "2017-02-14T12:30:61Z",
        "2017-02-14T12:30:00.Z",
        "2017-02-14T12:30:00ZZ",
        "2017-02-14T12:30:00 Z",
        "2017-02-14T12:30:00+1:00",
        "2017-02-14T12:30:00+0100",
        "2017-02-14T12:30:00+24:00",
        "2017-02-14T12:30:00+01:60",
        "2017-02-14X12:30:00Z",
        "2017-2-14T12:30:00Z",
        "+017-02-14T12:30:00Z",
        " 2017-02-14T12:30:00Z",
        "1487075400",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-00:01",
    };
    int64_t ms = 42;

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++)
        if (clock_parse(cases[i], &ms) != CASB_EINVALID)
            fail_msg("'%s' is accepted", cases[i]);
    assert_int_equal(ms, 42);
}

static void what_is_formatted_can_be_parsed(void **state)
{
    char out[CLOCK_RFC3339_BYTES];
    int64_t now = clock_wall_ms(), ms;

    (void)state;
    assert_int_equal(clock_parse(clock_format(out, now, true), &ms), 0);
    assert_int_equal(ms, now);
}

static void a_begun_second_is_one(void **state)
{
    static const struct {
        int64_t ns, s;
    } cases[] = {
        {0, 0},       {1, 1},           {500 * CLOCK_MS, 1},
        {CLOCK_S, 1}, {CLOCK_S + 1, 2}, {INT64_MAX, INT64_MAX / CLOCK_S + 1},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++)
        assert_int_equal(clock_whole_s(cases[i].ns), cases[i].s);
}

static void the_earlier_deadline_counts(void **state)
{
    int64_t now = clock_now_ns();
    struct casb_call call = {.deadline_ns = now + 100 * CLOCK_S, .cancel_fd = -1};
    int64_t end = clock_deadline(&call, 10 * CLOCK_S);

    (void)state;
    assert_true(end >= now + 10 * CLOCK_S && end < now + 20 * CLOCK_S);
    assert_int_equal(clock_deadline(&call, 1000 * CLOCK_S), call.deadline_ns);
    assert_int_equal(clock_deadline(&call, INT64_MAX), call.deadline_ns);
}

static void poll_gets_milliseconds_rounded_up(void **state)
{
    int64_t now = clock_now_ns();
    int ms = clock_poll_ms(now + 100 * CLOCK_S + 1);

    (void)state;
    assert_in_range(ms, 90000, 100001);
    assert_int_equal(clock_poll_ms(now), 0);
    assert_int_equal(clock_poll_ms(0), 0);
    assert_int_equal(clock_poll_ms(INT64_MAX), INT_MAX);
}

/* Cancelled from the start where `cancelled`. */
static struct casb_call call_for(int pipe_fds[2], int64_t ns, bool cancelled)
{
    assert_int_equal(pipe(pipe_fds), 0);
    if (cancelled)
        assert_int_equal(write(pipe_fds[1], "x", 1), 1);
    return (struct casb_call){.deadline_ns = clock_now_ns() + ns, .cancel_fd = pipe_fds[0]};
}

static void calls_end_by_deadline_or_cancellation(void **state)
{
    int fds[2];
    struct casb_call call;

    (void)state;
    call = call_for(fds, 100 * CLOCK_S, false);
    assert_int_equal(clock_check(&call), 0);
    call.deadline_ns = clock_now_ns();
    assert_int_equal(clock_check(&call), CASB_ETIMEOUT);
    close(fds[1]);
    assert_int_equal(clock_check(&call), CASB_ECANCELLED);
    close(fds[0]);
}

static void sleep_lasts_as_long_as_asked(void **state)
{
    struct casb_call call = {.deadline_ns = clock_now_ns() + 100 * CLOCK_S, .cancel_fd = -1};
    int64_t start = clock_now_ns();

    (void)state;
    assert_int_equal(clock_sleep(&call, 20 * CLOCK_MS), 0);
    assert_true(clock_now_ns() - start >= 20 * CLOCK_MS);
    assert_int_equal(clock_sleep(&call, 0), 0);
}

static void sleep_ends_with_the_call(void **state)
{
    struct casb_call call = {.deadline_ns = clock_now_ns() + 20 * CLOCK_MS, .cancel_fd = -1};

    (void)state;
    assert_int_equal(clock_sleep(&call, 1000 * CLOCK_S), CASB_ETIMEOUT);
    assert_true(clock_now_ns() >= call.deadline_ns);
}

static void sleep_ends_at_cancellation(void **state)
{
    int fds[2];
    struct casb_call call = call_for(fds, 1000 * CLOCK_S, true);
    char byte;

    (void)state;
    assert_int_equal(clock_sleep(&call, 1000 * CLOCK_S), CASB_ECANCELLED);
    assert_int_equal(read(fds[0], &byte, 1), 1); /* it was left for others to see */
    close(fds[0]);
    close(fds[1]);
}

static void waits_double_up_to_the_cap(void **state)
{
    static const struct {
        unsigned attempt;
        int64_t most_ms;
    } cases[] = {{0, 100}, {1, 100}, {2, 200}, {3, 400}, {4, 800}, {5, 1000}, {UINT_MAX, 1000}};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++)
        for (int n = 0; n < 100; n++)
            assert_in_range(clock_backoff(cases[i].attempt, 100 * CLOCK_MS, CLOCK_S),
                            cases[i].most_ms * CLOCK_MS / 2, cases[i].most_ms * CLOCK_MS);
    for (int n = 0; n < 100; n++)
        assert_in_range(clock_backoff(20, CLOCK_S, 3600 * CLOCK_S), 1800 * CLOCK_S, 3600 * CLOCK_S);
    assert_in_range(clock_backoff(1, 5 * CLOCK_S, CLOCK_S), CLOCK_S / 2, CLOCK_S);
    assert_int_equal(clock_backoff(9, 0, CLOCK_S), 0);
}

static void waits_differ(void **state)
{
    int64_t first = clock_backoff(1, CLOCK_S, CLOCK_S);
    bool differ = false;

    (void)state;
    for (int n = 0; n < 10; n++)
        differ = differ || clock_backoff(1, CLOCK_S, CLOCK_S) != first;
    assert_true(differ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_formatted),
        cmocka_unit_test(any_number_can_be_formatted),
        cmocka_unit_test(times_are_parsed),
        cmocka_unit_test(wrong_times_are_refused),
        cmocka_unit_test(what_is_formatted_can_be_parsed),
        cmocka_unit_test(a_begun_second_is_one),
        cmocka_unit_test(the_earlier_deadline_counts),
        cmocka_unit_test(poll_gets_milliseconds_rounded_up),
        cmocka_unit_test(calls_end_by_deadline_or_cancellation),
        cmocka_unit_test(sleep_lasts_as_long_as_asked),
        cmocka_unit_test(sleep_ends_with_the_call),
        cmocka_unit_test(sleep_ends_at_cancellation),
        cmocka_unit_test(waits_double_up_to_the_cap),
        cmocka_unit_test(waits_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
