/* SPDX-License-Identifier: Apache-2.0 */
#include "records.h"

#include "base/clock.h"
#include "pack.h"
#include "worker.h"

#include <pthread.h>
#include <search.h>
#include <string.h>

#define GATHER_NS (20 * CLOCK_MS) /* what is noted together, as of a scan, is written together */

/* What is known at one time: immutable, shared by the record and a batch that is being written. */
struct values {
    unsigned refs; /* guarded by records.lock */
    struct casb_record r;
    char text[]; /* all its strings */
};

struct record {
    char *uid;
    struct values *values;
    bool present;
    bool dirty;
    struct record *next_dirty;
    records_done_fn *done;
    void *done_arg;
};

struct records {
    pthread_mutex_t lock; /* guards the tree, the dirty list, each record and all below */
    pthread_cond_t changed;
    void *tree;
    struct record *dirty, **dirty_tail;
    size_t n_dirty;
    bool running, stopping;
    int64_t interval_ns;
    records_store_fn *store;
    void *arg;
    pthread_t writer;
};

static int compare_uid(const void *a, const void *b)
{
    return strcmp(((const struct record *)a)->uid, ((const struct record *)b)->uid);
}

static struct values *values_new(const struct casb_record *from)
{
    struct casb_record r = *from;
    const char **strings[] = {&r.uid,     &r.name,       &r.source,  &r.primary,
                              &r.las_key, &r.las_source, &r.boot_id, &r.error};
    struct values *v = malloc(sizeof *v + pack_size(strings, ELEMENTS(strings)));

    if (!v)
        return NULL;
    pack_strings(strings, ELEMENTS(strings), v->text);
    v->refs = 1;
    v->r = r;
    return v;
}

static void values_unref(struct values *v)
{
    if (v && --v->refs == 0)
        free(v);
}

static void record_free(void *p)
{
    struct record *record = p;

    values_unref(record->values);
    free(record->uid);
    free(record);
}

int records_new(struct records **ret, struct casb_error *err)
{
    struct records *records = calloc(1, sizeof *records);

    if (!records)
        return err_nomem(err);
    if (worker_cond_init(&records->changed)) {
        free(records);
        return err_set(err, CASB_EFAILED, "make a condition variable");
    }
    pthread_mutex_init(&records->lock, NULL);
    records->dirty_tail = &records->dirty;
    *ret = records;
    return 0;
}

void records_free(struct records *records)
{
    if (!records)
        return;
    tdestroy(records->tree, record_free);
    pthread_cond_destroy(&records->changed);
    pthread_mutex_destroy(&records->lock);
    free(records);
}

static struct record *find(const struct records *records, const char *uid)
{
    const struct record key = {.uid = (char *)uid};
    struct record **slot = tfind(&key, &records->tree, compare_uid);

    return slot ? *slot : NULL;
}

struct record *records_find(struct records *records, const char *uid)
{
    struct record *record;

    pthread_mutex_lock(&records->lock);
    record = find(records, uid);
    pthread_mutex_unlock(&records->lock);
    return record;
}

static struct record *find_or_insert(struct records *records, const char *uid)
{
    struct record *record = find(records, uid);

    if (record)
        return record;
    record = calloc(1, sizeof *record);
    if (!record)
        return NULL;
    record->uid = strdup(uid);
    if (record->uid && tsearch(record, &records->tree, compare_uid))
        return record;
    record_free(record);
    return NULL;
}

int records_get(struct records *records, const char *uid, struct record **ret,
                struct casb_error *err)
{
    struct record *record;

    pthread_mutex_lock(&records->lock);
    record = find_or_insert(records, uid);
    pthread_mutex_unlock(&records->lock);
    if (!record)
        return err_nomem(err);
    *ret = record;
    return 0;
}

int records_add(struct records *records, const struct casb_record *values, struct casb_error *err)
{
    struct record *record;
    struct values *v;
    int r = records_get(records, values->uid, &record, err);

    if (r)
        return r;
    if (record->values && record->values->r.attempted >= values->attempted)
        return 0;
    v = values_new(values);
    if (!v)
        return err_nomem(err);
    values_unref(record->values);
    record->values = v;
    return 0;
}

const struct casb_record *records_values(const struct record *record)
{
    return record->values ? &record->values->r : NULL;
}

bool records_mark_present(struct record *record)
{
    bool first = !record->present;

    record->present = true;
    return first;
}

bool records_is_present(const struct record *record)
{
    return record->present;
}

static void append_dirty(struct records *records, struct record *record)
{
    if (record->dirty)
        return;
    record->dirty = true;
    record->next_dirty = NULL;
    *records->dirty_tail = record;
    records->dirty_tail = &record->next_dirty;
    records->n_dirty++;
    pthread_cond_signal(&records->changed);
}

int records_set(struct records *records, struct record *record, const struct casb_record *values,
                records_done_fn *done, void *arg, struct casb_error *err)
{
    struct values *v = values_new(values);

    if (!v)
        return err_nomem(err);
    pthread_mutex_lock(&records->lock);
    values_unref(record->values);
    record->values = v;
    record->done = done;
    record->done_arg = arg;
    append_dirty(records, record);
    pthread_mutex_unlock(&records->lock);
    return 0;
}

/* One change on its way: what to write, and whom to tell. */
struct change {
    struct record *record;
    struct values *values;
    records_done_fn *done;
    void *done_arg;
};

/* Takes the dirty list, lock held. NULL where there is no memory; then it stays. */
static struct change *take_changes(struct records *records, size_t *ret_count)
{
    struct change *changes = calloc(records->n_dirty, sizeof *changes);
    struct record *record = records->dirty;

    if (!changes)
        return NULL;
    for (size_t i = 0; record; i++, record = record->next_dirty) {
        changes[i] = (struct change){record, record->values, record->done, record->done_arg};
        record->values->refs++;
        record->done = NULL;
        record->dirty = false;
    }
    *ret_count = records->n_dirty;
    records->n_dirty = 0;
    records->dirty = NULL;
    records->dirty_tail = &records->dirty;
    return changes;
}

static int store_changes(struct records *records, const struct change *changes, size_t count,
                         struct casb_error *err)
{
    _cleanup_(freep) struct casb_record *batch = calloc(count, sizeof *batch);

    if (!batch)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++)
        batch[i] = changes[i].values->r;
    return records->store(batch, count, records->arg, err);
}

/* Writes what is dirty. Called with the lock held, which is released meanwhile. */
static int flush(struct records *records, struct casb_error *err)
{
    size_t count = 0;
    _cleanup_(freep) struct change *changes = take_changes(records, &count);
    int r;

    if (!changes)
        return err_nomem(err);
    pthread_mutex_unlock(&records->lock);
    r = store_changes(records, changes, count, err);
    for (size_t i = 0; i < count; i++)
        if (changes[i].done)
            changes[i].done(r, changes[i].done_arg);
    pthread_mutex_lock(&records->lock);
    for (size_t i = 0; i < count; i++) {
        values_unref(changes[i].values);
        if (r)
            append_dirty(records, changes[i].record);
    }
    return r;
}

static int64_t later(int64_t a_ns, int64_t b_ns)
{
    return a_ns > b_ns ? a_ns : b_ns;
}

static void *write_batches(void *arg)
{
    struct records *records = arg;
    int64_t next_ns = clock_now_ns() + GATHER_NS;

    pthread_mutex_lock(&records->lock);
    while (!records->stopping) {
        int64_t wait_ns = next_ns - clock_now_ns();

        if (!records->dirty) {
            pthread_cond_wait(&records->changed, &records->lock);
            next_ns = later(next_ns, clock_now_ns() + GATHER_NS);
        } else if (wait_ns > 0) {
            worker_cond_wait(&records->changed, &records->lock, wait_ns);
        } else {
            (void)flush(records, NULL);
            next_ns = clock_now_ns() + records->interval_ns;
        }
    }
    pthread_mutex_unlock(&records->lock);
    return NULL;
}

int records_start(struct records *records, int64_t interval_ns, records_store_fn *store, void *arg,
                  struct casb_error *err)
{
    int r;

    records->interval_ns = interval_ns;
    records->store = store;
    records->arg = arg;
    r = pthread_create(&records->writer, NULL, write_batches, records);
    if (r)
        return err_set_errno(err, r, "start the writer of records");
    records->running = true;
    return 0;
}

int records_stop(struct records *records, struct casb_error *err)
{
    int r = 0;

    if (!records->running)
        return 0;
    pthread_mutex_lock(&records->lock);
    records->stopping = true;
    pthread_cond_signal(&records->changed);
    pthread_mutex_unlock(&records->lock);
    pthread_join(records->writer, NULL);
    records->running = false;
    pthread_mutex_lock(&records->lock);
    if (records->dirty)
        r = flush(records, err);
    pthread_mutex_unlock(&records->lock);
    return r;
}

struct walk {
    records_each_fn *each;
    void *arg;
    int result;
};

static void visit(const void *node, VISIT order, void *arg)
{
    struct walk *walk = arg;
    struct record *record = *(struct record *const *)node;

    if ((order == postorder || order == leaf) && record->values && walk->result == 0)
        walk->result = walk->each(record, walk->arg);
}

int records_each(const struct records *records, records_each_fn *each, void *arg)
{
    struct walk walk = {each, arg, 0};

    twalk_r(records->tree, visit, &walk);
    return walk.result;
}

static int count_one(struct record *record, void *arg)
{
    (void)record;
    ++*(size_t *)arg;
    return 0;
}

size_t records_count(const struct records *records)
{
    size_t count = 0;

    records_each(records, count_one, &count);
    return count;
}
