/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/clock.h"
#include "base/cond.h"

struct gate {
    pthread_mutex_t lock; /* guards `open` */
    pthread_cond_t opened;
    bool open;
};

static void *open_gate(void *arg)
{
    struct gate *gate = arg;

    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_signal(&gate->opened);
    pthread_mutex_unlock(&gate->lock);
    return NULL;
}

static void a_signal_ends_the_wait(void **state)
{
    struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER};
    int64_t started = clock_now_ns();
    pthread_t thread;

    (void)state;
    assert_int_equal(cond_init(&gate.opened), 0);
    pthread_mutex_lock(&gate.lock);
    assert_int_equal(pthread_create(&thread, NULL, open_gate, &gate), 0);
    while (!gate.open)
        cond_wait(&gate.opened, &gate.lock, 3600 * CLOCK_S);
    pthread_mutex_unlock(&gate.lock);
    assert_true(clock_now_ns() - started < 600 * CLOCK_S);
    pthread_join(thread, NULL);
    pthread_cond_destroy(&gate.opened);
}

static void without_one_it_ends_by_the_monotonic_clock(void **state)
{
    static const int64_t waits[] = {-CLOCK_S, 0, CLOCK_MS, 50 * CLOCK_MS};
    struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER};

    (void)state;
    assert_int_equal(cond_init(&gate.opened), 0);
    pthread_mutex_lock(&gate.lock);
    for (size_t i = 0; i < ELEMENTS(waits); i++) {
        int64_t started = clock_now_ns();

        cond_wait(&gate.opened, &gate.lock, waits[i]);
        assert_true(clock_now_ns() - started < 600 * CLOCK_S);
    }
    pthread_mutex_unlock(&gate.lock);
    pthread_cond_destroy(&gate.opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_ends_the_wait),
        cmocka_unit_test(without_one_it_ends_by_the_monotonic_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
