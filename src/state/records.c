/* SPDX-License-Identifier: Apache-2.0 */
#include "state/records.h"

#include "base/clock.h"
#include "base/cond.h"
#include "base/text.h"
#include "state/values.h"

#include <pthread.h>
#include <search.h>
#include <stddef.h>
#include <string.h>

#define GATHER_NS (20 * CLOCK_MS) /* what is noted together, as of a scan, is written together */

struct record {
    struct values *values; /* its count is guarded by records.lock */
    struct record *next_dirty;
    records_done_fn *done;
    void *done_arg;
    enum casb_outcome news;
    bool present, holding, is_protected;
    bool dirty;
    char uid[];
};

struct records {
    pthread_mutex_t lock; /* guards the tree, the dirty list, each record and all below */
    pthread_cond_t changed;
    void *tree;
    struct words words; /* of all values */
    struct record *dirty, **dirty_tail;
    size_t n_dirty;
    bool running, stopping;
    bool lost; /* some change could not even be noted */
    int64_t interval_ns;
    records_store_fn *store;
    void *arg;
    struct casb_error trouble; /* of the first write that failed since one was in order */
    pthread_t writer;
};

static int compare_uid(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* What the tree knows of a record is its uid. */
static struct record *record_of(const void *uid)
{
    return (struct record *)(uintptr_t)((const char *)uid - offsetof(struct record, uid));
}

static void record_free(void *uid)
{
    struct record *record = record_of(uid);

    values_unref(record->values);
    free(record);
}

int records_new(struct records **ret, struct casb_error *err)
{
    struct records *records = calloc(1, sizeof *records);

    if (!records)
        return err_nomem(err);
    if (cond_init(&records->changed)) {
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
    words_done(&records->words);
    pthread_cond_destroy(&records->changed);
    pthread_mutex_destroy(&records->lock);
    free(records);
}

static struct record *find(const struct records *records, const char *uid)
{
    const char *const *slot = tfind(uid, &records->tree, compare_uid);

    return slot ? record_of(*slot) : NULL;
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
    size_t size = strlen(uid) + 1;

    if (record)
        return record;
    record = calloc(1, sizeof *record + size);
    if (!record)
        return NULL;
    memcpy(record->uid, uid, size);
    if (tsearch(record->uid, &records->tree, compare_uid))
        return record;
    free(record);
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

static int replace(struct records *records, struct record *record, const struct casb_record *values)
{
    struct values *v = values_new(&records->words, values);

    if (!v)
        return CASB_ENOMEM;
    values_unref(record->values);
    record->values = v;
    return 0;
}

int records_add(struct records *records, const struct casb_record *values, struct casb_error *err)
{
    struct casb_record loaded = *values;
    struct record *record;
    int r = 0;

    if (loaded.registered < 0)
        loaded.registered = 0;
    if (loaded.registered == 0 && loaded.status == CASB_REGISTERED)
        loaded.status = CASB_NONE;
    pthread_mutex_lock(&records->lock);
    record = find_or_insert(records, loaded.uid);
    if (!record || replace(records, record, &loaded))
        r = CASB_ENOMEM;
    pthread_mutex_unlock(&records->lock);
    return r ? err_nomem(err) : 0;
}

const struct casb_record *records_values(const struct record *record, struct casb_record *ret)
{
    if (!record->values)
        return NULL;
    values_read(record->values, record->uid, ret);
    return ret;
}

const char *records_name(const struct record *record)
{
    return record->values ? values_name(record->values) : NULL;
}

const char *records_las(const struct record *record, enum casb_identity_kind *ret_kind)
{
    return record->values ? values_las(record->values, ret_kind) : NULL;
}

const char *records_boot(const struct record *record)
{
    return record->values ? values_boot(record->values) : NULL;
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

void records_mark_holding(struct record *record, bool takes_part)
{
    record->holding = true;
    record->is_protected = takes_part;
}

bool records_is_holding(const struct record *record)
{
    return record->holding;
}

bool records_is_protected(const struct record *record)
{
    return record->is_protected;
}

void records_set_news(struct record *record, enum casb_outcome outcome)
{
    record->news = outcome;
}

enum casb_outcome records_news(const struct record *record)
{
    return record->news;
}

static void append_dirty(struct records *records, struct record *record)
{
    if (record->dirty)
        return;
    record->dirty = true;
    record->next_dirty = NULL;
    *records->dirty_tail = record;
    records->dirty_tail = &record->next_dirty;
    if (records->n_dirty++ == 0) /* the writer, who waits for further ones, need not know of them */
        pthread_cond_signal(&records->changed);
}

int records_set(struct records *records, struct record *record, const struct casb_record *values,
                records_done_fn *done, void *arg, struct casb_error *err)
{
    int r;

    pthread_mutex_lock(&records->lock);
    r = replace(records, record, values);
    if (r) {
        records->lost = true;
    } else {
        record->done = done;
        record->done_arg = arg;
        append_dirty(records, record);
    }
    pthread_mutex_unlock(&records->lock);
    return r ? err_nomem(err) : 0;
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
        changes[i] =
            (struct change){record, values_ref(record->values), record->done, record->done_arg};
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
        values_read(changes[i].values, changes[i].record->uid, &batch[i]);
    return records->store(batch, count, records->arg, err);
}

/* Called with the lock held, too. */
static int settle_trouble(struct records *records, int r, const struct casb_error *failure,
                          struct casb_error *err)
{
    if (r)
        err_pass_after(err, failure, &records->trouble);
    if (r)
        err_pass(&records->trouble, failure);
    else
        records->trouble = (struct casb_error){0};
    return r;
}

/* Whoever waits would wait for ever while there is no memory to write in. */
static int tell_waiting(struct records *records, int r)
{
    for (struct record *record = records->dirty; record; record = record->next_dirty) {
        records_done_fn *done = record->done;
        void *arg = record->done_arg;

        if (!done)
            continue;
        record->done = NULL;
        pthread_mutex_unlock(&records->lock);
        done(r, arg);
        pthread_mutex_lock(&records->lock); /* meanwhile the list may only have become longer */
    }
    return r;
}

/* Writes what is dirty. Called with the lock held, which is released meanwhile. */
static int flush(struct records *records, struct casb_error *err)
{
    struct casb_error failure = {0};
    size_t count = 0;
    _cleanup_(freep) struct change *changes = take_changes(records, &count);
    int r;

    if (!changes)
        return tell_waiting(records, err_nomem(err));
    pthread_mutex_unlock(&records->lock);
    r = store_changes(records, changes, count, &failure);
    for (size_t i = 0; i < count; i++)
        if (changes[i].done)
            changes[i].done(r, changes[i].done_arg);
    pthread_mutex_lock(&records->lock);
    for (size_t i = 0; i < count; i++) {
        values_unref(changes[i].values);
        if (r)
            append_dirty(records, changes[i].record);
    }
    return settle_trouble(records, r, &failure, err);
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
            cond_wait(&records->changed, &records->lock, wait_ns);
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
    if (!r && records->lost)
        r = err_set(err, CASB_ENOMEM, "out of memory: not all of what was done could be recorded");
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
    struct record *record = record_of(*(const char *const *)node);

    if ((order == postorder || order == leaf) && record->values && walk->result == 0)
        walk->result = walk->each(record, walk->arg);
}

int records_each(const struct records *records, records_each_fn *each, void *arg)
{
    struct walk walk = {each, arg, 0};

    twalk_r(records->tree, visit, &walk);
    return walk.result;
}

/* Those of a name that are being looked for. */
struct meant {
    const char *name;
    bool absent;
    records_each_fn *each;
    void *arg;
    size_t found;
};

static int visit_meant(struct record *record, void *arg)
{
    struct meant *meant = arg;
    struct casb_record values;

    if (strcmp(record->uid, meant->name) == 0 || !text_equal(records_name(record), meant->name) ||
        (records_values(record, &values)->absent > 0) != meant->absent)
        return 0;
    meant->found++;
    return meant->each(record, meant->arg);
}

int records_each_meant(struct records *records, const char *name, records_each_fn *each, void *arg)
{
    struct meant meant = {.name = name, .each = each, .arg = arg};
    struct record *record = records_find(records, name);
    bool known = record && record->values;
    int r = known ? each(record, arg) : 0;

    if (r == 0)
        r = records_each(records, visit_meant, &meant);
    if (r || known || meant.found > 0)
        return r;
    meant.absent = true;
    return records_each(records, visit_meant, &meant);
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
