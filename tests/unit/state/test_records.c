/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/clock.h"
#include "state/records.h"
#include "unit/chaos.h"

#include <pthread.h>
#include <stdatomic.h>

struct store {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    size_t batches, records, done;
    int last_result;
    int fail_times;
    char names[8][32];
};

static int store_batch(const struct casb_record *batch, size_t count, void *arg,
                       struct casb_error *err)
{
    struct store *store = arg;
    int r = 0;

    pthread_mutex_lock(&store->lock);
    store->batches++;
    if (store->fail_times > 0) {
        r = err_set(err, CASB_EUNREACHABLE, "gone %d", store->fail_times--);
    }
    for (size_t i = 0; r == 0 && i < count; i++)
        snprintf(store->names[store->records++ % 8], 32, "%s", batch[i].name);
    pthread_mutex_unlock(&store->lock);
    return r;
}

static void count_done(int result, void *arg)
{
    struct store *store = arg;

    pthread_mutex_lock(&store->lock);
    store->done++;
    store->last_result = result;
    pthread_cond_signal(&store->changed);
    pthread_mutex_unlock(&store->lock);
}

static void wait_done(struct store *store, size_t count)
{
    pthread_mutex_lock(&store->lock);
    while (store->done < count)
        pthread_cond_wait(&store->changed, &store->lock);
    pthread_mutex_unlock(&store->lock);
}

#define STORE_INIT                                                                                 \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER                     \
    }

static struct record *set(struct records *records, const char *uid, const char *name,
                          struct store *store)
{
    struct casb_record values = {.uid = uid, .name = name, .attempted = 1};
    struct record *record;

    assert_int_equal(records_get(records, uid, &record, NULL), 0);
    assert_int_equal(records_set(records, record, &values, store ? count_done : NULL, store, NULL),
                     0);
    return record;
}

static void a_change_is_written_and_told(void **state)
{
    struct store store = STORE_INIT;
    struct records *records;

    (void)state;
    assert_int_equal(records_new(&records, NULL), 0);
    assert_int_equal(records_start(records, CLOCK_S, store_batch, &store, NULL), 0);
    set(records, "a", "node-a", &store);
    wait_done(&store, 1);
    assert_int_equal(store.last_result, 0);
    assert_string_equal(store.names[0], "node-a");
    assert_int_equal(records_stop(records, NULL), 0);
    assert_int_equal(store.batches, 1);
    records_free(records);
}

static void changes_within_the_interval_are_one_batch(void **state)
{
    struct store store = STORE_INIT;
    struct records *records;

    (void)state;
    assert_int_equal(records_new(&records, NULL), 0);
    assert_int_equal(records_start(records, 3600 * CLOCK_S, store_batch, &store, NULL), 0);
    set(records, "a", "first", &store);
    wait_done(&store, 1);
    set(records, "b", "second", NULL);
    set(records, "c", "third", NULL);
    set(records, "b", "second again", NULL);
    assert_int_equal(records_stop(records, NULL), 0);
    assert_int_equal(store.batches, 2);
    assert_int_equal(store.records, 3);
    assert_string_equal(store.names[1], "second again");
    records_free(records);
}

/* The clock of the code under test stands still while this is not 0. */
static atomic_int_least64_t stopped_ns;

int64_t __real_clock_now_ns(void);
int64_t __wrap_clock_now_ns(void);
int64_t __wrap_clock_now_ns(void)
{
    int64_t now_ns = atomic_load(&stopped_ns);

    return now_ns ? now_ns : __real_clock_now_ns();
}

static void what_comes_together_is_one_batch(void **state)
{
    struct store store = STORE_INIT;
    struct records *records;
    char uid[16];

    (void)state;
    atomic_store(&stopped_ns, __real_clock_now_ns());
    assert_int_equal(records_new(&records, NULL), 0);
    assert_int_equal(records_start(records, CLOCK_S, store_batch, &store, NULL), 0);
    for (int i = 0; i < 8; i++) {
        snprintf(uid, sizeof uid, "%d", i);
        set(records, uid, "node", &store);
    }
    atomic_store(&stopped_ns, 0);
    wait_done(&store, 8);
    assert_int_equal(store.batches, 1);
    assert_int_equal(records_stop(records, NULL), 0);
    records_free(records);
}

static void a_failed_batch_is_told_and_tried_again(void **state)
{
    struct store store = STORE_INIT;
    struct records *records;

    (void)state;
    store.fail_times = 1;
    assert_int_equal(records_new(&records, NULL), 0);
    assert_int_equal(records_start(records, 3600 * CLOCK_S, store_batch, &store, NULL), 0);
    set(records, "a", "node-a", &store);
    wait_done(&store, 1);
    assert_int_equal(store.last_result, CASB_EUNREACHABLE);
    assert_int_equal(records_stop(records, NULL), 0);
    assert_string_equal(store.names[0], "node-a");
    records_free(records);
}

static void what_cannot_be_written_in_the_end_is_an_error(void **state)
{
    struct store store = STORE_INIT;
    struct casb_error err = {0};
    struct records *records;

    (void)state;
    store.fail_times = 2;
    assert_int_equal(records_new(&records, NULL), 0);
    assert_int_equal(records_start(records, 3600 * CLOCK_S, store_batch, &store, NULL), 0);
    set(records, "a", "node-a", &store);
    wait_done(&store, 1);
    assert_int_equal(records_stop(records, &err), CASB_EUNREACHABLE);
    assert_string_equal(err.text, "gone 1; before that: gone 2");
    records_free(records);
}

static void whoever_waits_is_told_that_there_is_no_memory_to_write_in(void **state)
{
    struct store store = STORE_INIT;
    struct casb_error err = {0};
    struct records *records;

    (void)state;
    assert_int_equal(records_new(&records, NULL), 0);
    set(records, "a", "node-a", &store);
    set(records, "b", "node-b", &store);
    chaos_left = 0;
    assert_int_equal(records_start(records, 3600 * CLOCK_S, store_batch, &store, NULL), 0);
    wait_done(&store, 2);
    assert_int_equal(store.last_result, CASB_ENOMEM);
    assert_int_equal(records_stop(records, &err), CASB_ENOMEM);
    chaos_left = -1;
    assert_int_equal(store.batches, 0);
    records_free(records);
}

static void a_change_that_cannot_be_noted_is_an_error_in_the_end(void **state)
{
    const struct casb_record values = {.uid = "a", .name = "other", .attempted = 2};
    struct store store = STORE_INIT;
    struct casb_error err = {0};
    struct records *records;
    struct record *record;

    (void)state;
    assert_int_equal(records_new(&records, NULL), 0);
    assert_int_equal(records_start(records, CLOCK_S, store_batch, &store, NULL), 0);
    record = set(records, "a", "node-a", &store);
    wait_done(&store, 1);
    chaos_left = 0;
    assert_int_equal(records_set(records, record, &values, count_done, &store, &err), CASB_ENOMEM);
    chaos_left = -1;
    assert_string_equal(records_name(record), "node-a");
    assert_int_equal(records_stop(records, NULL), CASB_ENOMEM);
    assert_int_equal(store.done, 1);
    records_free(records);
}

static void the_last_of_two_loaded_records_stays(void **state)
{
    struct casb_record first = {.uid = "a", .name = "first", .attempted = 6};
    struct casb_record last = {.uid = "a", .name = "last", .attempted = 5};
    struct records *records;

    (void)state;
    assert_int_equal(records_new(&records, NULL), 0);
    assert_int_equal(records_add(records, &first, NULL), 0);
    assert_int_equal(records_add(records, &last, NULL), 0);
    assert_int_equal(records_count(records), 1);
    assert_string_equal(records_name(records_find(records, "a")), "last");
    assert_null(records_find(records, "b"));
    records_free(records);
}

static void a_node_is_present_once(void **state)
{
    struct casb_record values;
    struct records *records;
    struct record *record;

    (void)state;
    assert_int_equal(records_new(&records, NULL), 0);
    assert_int_equal(records_get(records, "a", &record, NULL), 0);
    assert_null(records_values(record, &values));
    assert_null(records_name(record));
    assert_int_equal(records_count(records), 0);
    assert_false(records_is_present(record));
    assert_true(records_mark_present(record));
    assert_false(records_mark_present(record));
    assert_true(records_is_present(record));
    records_free(records);
}

static int stop_at_b(struct record *record, void *arg)
{
    struct casb_record values;

    ++*(int *)arg;
    return strcmp(records_values(record, &values)->uid, "b") == 0 ? 7 : 0;
}

static void walking_goes_by_uid_and_can_be_stopped(void **state)
{
    static const char *const uids[] = {"c", "a", "b"};
    struct records *records;
    int visited = 0;

    (void)state;
    assert_int_equal(records_new(&records, NULL), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(
            records_add(records, &(struct casb_record){.uid = uids[i], .attempted = 1}, NULL), 0);
    assert_int_equal(records_each(records, stop_at_b, &visited), 7);
    assert_int_equal(visited, 2);
    records_free(records);
}

static void who_is_registered_since_no_time_is_not(void **state)
{
    static const struct {
        struct casb_record loaded;
        enum casb_status status;
        int64_t registered;
    } rows[] = {
        {{.status = CASB_REGISTERED, .registered = 1}, CASB_REGISTERED, 1},
        {{.status = CASB_REGISTERED}, CASB_NONE, 0},
        {{.status = CASB_REGISTERED, .registered = -1}, CASB_NONE, 0},
        {{.status = CASB_REGISTERED, .registered = -62135596800}, CASB_NONE, 0},
        {{.status = CASB_FAILED, .registered = 1}, CASB_FAILED, 1},
        {{.status = CASB_FAILED, .registered = -1}, CASB_FAILED, 0},
    };
    _cleanup_(records_freep) struct records *records = NULL;

    (void)state;
    assert_int_equal(records_new(&records, NULL), 0);
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        struct casb_record loaded = rows[i].loaded, values;

        loaded.uid = "u";
        assert_int_equal(records_add(records, &loaded, NULL), 0);
        records_values(records_find(records, "u"), &values);
        assert_int_equal(values.status, rows[i].status);
        assert_int_equal(values.registered, rows[i].registered);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_written_and_told),
        cmocka_unit_test(changes_within_the_interval_are_one_batch),
        cmocka_unit_test(what_comes_together_is_one_batch),
        cmocka_unit_test(a_failed_batch_is_told_and_tried_again),
        cmocka_unit_test(what_cannot_be_written_in_the_end_is_an_error),
        cmocka_unit_test(whoever_waits_is_told_that_there_is_no_memory_to_write_in),
        cmocka_unit_test(a_change_that_cannot_be_noted_is_an_error_in_the_end),
        cmocka_unit_test(the_last_of_two_loaded_records_stays),
        cmocka_unit_test(a_node_is_present_once),
        cmocka_unit_test(walking_goes_by_uid_and_can_be_stopped),
        cmocka_unit_test(who_is_registered_since_no_time_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
