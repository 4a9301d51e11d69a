/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of one pass in memory, by uid, and the thread that writes changed ones in batches.
 * Thread-safe, but for what a comment excludes.
 */
#ifndef CAS_BACKUP_RECORDS_H
#define CAS_BACKUP_RECORDS_H

#include "base/error.h"

#include <cas-backup/discovery.h>
#include <cas-backup/state.h>

struct records;
struct record; /* one node's: valid as long as its records */

/* Writes a batch; called by one thread at a time. */
typedef int records_store_fn(const struct casb_record *batch, size_t count, void *arg,
                             struct casb_error *err);

/*
 * Says that a change was written (0), or could not be (its class; it will be tried again with
 * the next batch). From the writing thread; must not block for long.
 */
typedef void records_done_fn(int result, void *arg);

/* Makes an empty set. The caller frees it by records_free(). */
int records_new(struct records **ret, struct casb_error *err) _warn_unused_;

/* Frees it; the writer must be stopped. NULL is fine. */
void records_free(struct records *records);
DEFINE_FREEP(struct records *, records_free)

/*
 * Takes over a record as loaded, in place of one with the same uid. One that is registered since no
 * time, or one before 1970, was not registered.
 */
int records_add(struct records *records, const struct casb_record *values, struct casb_error *err)
    _warn_unused_;

/* The record with this uid, made without values where there is none. */
int records_get(struct records *records, const char *uid, struct record **ret,
                struct casb_error *err) _warn_unused_;

/* The record with this uid, or NULL. */
struct record *records_find(struct records *records, const char *uid);

/*
 * What is known, unpacked into *ret, which is returned; NULL: nothing is. Its strings are borrowed
 * until the next records_set() for the record, which only the one that works on the node may call.
 */
const struct casb_record *records_values(const struct record *record, struct casb_record *ret);

/*
 * Some of it without a copy, borrowed likewise; NULL: it is not known. Its name; the text of what
 * the machine's LAS showed, and its kind; of its boot ID.
 */
const char *records_name(const struct record *record);
const char *records_las(const struct record *record, enum casb_identity_kind *ret_kind);
const char *records_boot(const struct record *record);

/*
 * Marks the record's node as found by a scan of this pass. False where it was marked already:
 * two sources have the same node. Only from the scanning thread.
 */
bool records_mark_present(struct record *record);
/* Was it marked? */
bool records_is_present(const struct record *record);

/*
 * Marks the record's node as one that holds a valid registration now, and as protected by it where
 * it takes part. Only from the one that works on the node.
 */
void records_mark_holding(struct record *record, bool takes_part);
/* Was it marked? */
bool records_is_holding(const struct record *record);
/* As one that takes part? */
bool records_is_protected(const struct record *record);

/*
 * Notes what is to be told of the record's node once it is written; 0: nothing. Only from the one
 * that works on the node.
 */
void records_set_news(struct record *record, enum casb_outcome outcome);
/* What was noted. */
enum casb_outcome records_news(const struct record *record);

/*
 * Replaces what is known by a copy of `values` and has it written. `done` may be NULL. On failure,
 * out of memory, nothing changed, `done` is not called, and records_stop() will fail.
 */
int records_set(struct records *records, struct record *record, const struct casb_record *values,
                records_done_fn *done, void *arg, struct casb_error *err) _warn_unused_;

/* Starts writing: a batch as soon as something changed, and interval_ns after the last one. */
int records_start(struct records *records, int64_t interval_ns, records_store_fn *store, void *arg,
                  struct casb_error *err) _warn_unused_;

/*
 * Writes what is left and ends the thread. Returns the class of the last batch's failure, or
 * CASB_ENOMEM where records_set() failed: then changes are lost. Without a started writer it does
 * nothing.
 */
int records_stop(struct records *records, struct casb_error *err) _warn_unused_;

/* Takes one record. Non-zero ends the walk, which then returns it. */
typedef int records_each_fn(struct record *record, void *arg);

/*
 * Calls `each` for every record that has values, in the order of uids. Only while no other thread
 * uses the records.
 */
int records_each(const struct records *records, records_each_fn *each, void *arg);

/*
 * The same for those that a name or uid means: the record with that uid, and those with that name
 * that no pass misses; where there is none of them, the absent ones with that name.
 */
int records_each_meant(struct records *records, const char *name, records_each_fn *each, void *arg);

/* How many records have values. Only while no other thread uses the records. */
size_t records_count(const struct records *records);

#endif
