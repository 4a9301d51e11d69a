/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which machines the primary's database opens on: status and coverage answer from it.
 */
#ifndef CAS_BACKUP_COVERAGE_H
#define CAS_BACKUP_COVERAGE_H

#include "records.h"
#include "report.h"
#include "tool.h"

/*
 * Why the primary's database would not open on the record's machine, for people: "registered with
 * another primary". Static; NULL: it would, unless the hardware was changed since, which only a
 * scan can tell.
 */
const char *coverage_reason(const struct casb_record *record, const char *primary);

/* Loads the records of the tool's state into a new set, which the caller frees. */
int coverage_load(const struct tool *tool, const struct casb_call *call, struct records **ret,
                  struct casb_error *err) _warn_unused_;

/* One machine's answer. */
struct coverage_row {
    char *name, *uid; /* uid: NULL where nothing is known of it */
    bool opens;
    int64_t since_s;    /* when it was registered; 0: never */
    const char *reason; /* why not; static; NULL where it opens */
};

struct coverage {
    struct coverage_row *rows;
    size_t count, opens;
};

/*
 * Answers for each name (or uid), with one row for every machine that has it, however often it is
 * named: those that the scan behind `report` found, else those of the records, else one that says
 * "unknown". Without names (NULL or empty): for every node that the scan found. The caller frees
 * *ret by coverage_done(), also after a failure.
 */
int coverage_make(struct records *records, struct report *report, const char *primary,
                  const char *const *names, struct coverage *ret, struct casb_error *err)
    _warn_unused_;

/* Frees the rows. */
void coverage_done(struct coverage *coverage);

#endif
