/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state file's text: {"version":1,"records":{"UID":{...},...},"pass":{...}}. It is read record
 * by record, so that thousands of them cost no tree of JSON, and written with one record a line.
 * Pure and thread-safe.
 */
#ifndef STATE_FILE_DOCUMENT_H
#define STATE_FILE_DOCUMENT_H

#include "base/buf.h"
#include "base/error.h"

#include <jansson.h>

/*
 * Takes one record: its key, its value, and both as they stand in the document ("key": value),
 * not NUL-terminated. All is borrowed for this call. Non-zero ends the reading, which returns it.
 */
typedef int document_record_fn(const char *uid, const json_t *value, const char *text, size_t len,
                               void *arg);

/*
 * Calls `each` for every record, in their order. CASB_EFAILED with the line where the text is
 * damaged, or of another version; the records before that place were given. CASB_EINVALID where it
 * is another's file: it has no version that is a number, or beside it no records but other things.
 * CASB_ENOMEM. *ret_pass (may be NULL) gets what is remembered of the last pass, which the caller
 * owns; it is untouched where there is nothing, or not all could be read.
 */
int document_read(const char *text, size_t len, document_record_fn *each, void *arg,
                  json_t **ret_pass, struct casb_error *err) _warn_unused_;

/*
 * A document into which records are put one after the other: as they stood in another one, or
 * anew, where `value` is the text of an object and `uid` is one (record_is_uid()).
 */
struct document {
    struct buf out;
    size_t n; /* records in it */
};

/* Begins it. This and the next return 0, CASB_ENOMEM, or CASB_EINVALID at the buffer's limit. */
int document_begin(struct document *doc) _warn_unused_;
/* Adds a record as it stood in another document. */
int document_copy(struct document *doc, const char *text, size_t len) _warn_unused_;
/* Adds a record anew. */
int document_put(struct document *doc, const char *uid, const char *value) _warn_unused_;
/* Ends it, with what is remembered of the pass as text, or NULL: `out` is whole. */
int document_end(struct document *doc, const char *pass) _warn_unused_;

#endif
