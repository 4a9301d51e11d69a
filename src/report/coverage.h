/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which machines the primary's database opens on: status and coverage answer from it.
 */
#ifndef CAS_BACKUP_COVERAGE_H
#define CAS_BACKUP_COVERAGE_H

#include "state/records.h"
#include "report/report.h"
#include "plugin/plugins.h"

/*
 * Why the primary's database would not open on the record's machine, for people: "registered with
 * another primary". `primary` is its identity, "" where that is unknown. Static; NULL: it would,
 * unless the hardware was changed since, which only a scan can tell.
 */
const char *coverage_reason(const struct casb_record *record, const char *primary);

#define COVERAGE_WHY_BYTES 1024

/*
 * Why the record's node is not as it is to be, for people: what was decided last, and how the last
 * attempt ended ("retry: spawn: ..."); where neither is known coverage_reason(). NULL: it is well.
 * Returns out, or what is static.
 */
const char *coverage_why(char out[static COVERAGE_WHY_BYTES], const struct casb_record *record,
                         const char *primary);

/* Loads the records of the opened state plugin into a new set, which the caller frees. */
int coverage_load(const struct plugins *plugins, const struct casb_call *call, struct records **ret,
                  struct casb_error *err) _warn_unused_;

/* One machine's answer. */
struct coverage_row {
    char *name, *uid; /* uid: NULL where nothing is known of it */
    char *source;     /* likewise */
    bool selected;    /* not one that no pass registers: a control plane, or excluded */
    bool opens;
    bool current;        /* and it is registered for the present release of its source */
    char *release;       /* what it was registered for; NULL: unknown */
    int64_t since_s;     /* when it was registered; 0: never */
    const char *reason;  /* why not; static; NULL where it opens */
    const char *same_as; /* name in another row, which is the same machine; NULL: none */
    struct casb_machine machine;
};

struct coverage {
    struct coverage_row *rows;
    size_t count;
    size_t opens; /* machines that it opens on: one with two rows counts once */
};

/*
 * Answers for each name (or uid), with one row for every machine that has it, however often it is
 * named: those that the scan behind `report` found, else those of the records that the name means
 * (records_each_meant()), else one that says "unknown". Without names (NULL or empty): for every
 * node that the scan found. Without a scan (NULL) the records say which nodes those are: all that
 * are not absent. The caller frees *ret by coverage_done(), also after a failure.
 */
int coverage_make(struct records *records, struct report *report, const struct plugins *plugins,
                  const char *const *names, struct coverage *ret, struct casb_error *err)
    _warn_unused_;

/* Is the row's machine, by these records alone, registered for the present release? */
bool coverage_is_current(const struct coverage_row *row, struct records *records,
                         const struct plugins *plugins);

/* Frees the rows. */
void coverage_done(struct coverage *coverage);

#endif
