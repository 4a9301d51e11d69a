/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pass did, node by node: one structure from which the JSON report, the tables and the
 * exit status come. Adding is thread-safe; reading only when no pass runs.
 */
#ifndef CAS_BACKUP_REPORT_H
#define CAS_BACKUP_REPORT_H

#include "base/error.h"

#include <cas-backup/registration.h>

#include <jansson.h>
#include <stdio.h>

enum report_outcome {
    REPORT_REGISTERED,
    REPORT_KEPT,
    REPORT_FAILED,
    REPORT_SKIPPED,
    REPORT_PLANNED, /* plan: would be registered */
};

/* One node's outcome. Strings are copied by report_add(). */
struct report_node {
    const char *source, *name, *uid;
    enum report_outcome outcome;
    const char *reason;  /* of the decision: "new", "unschedulable", ...; "" for kept */
    const char *message; /* what went wrong; NULL: nothing */
    double seconds;      /* spent on the node */
    bool holds;          /* it holds a valid registration now */
    const char *release; /* what that was made for; NULL where it holds none */
    bool unselected;     /* it takes no part: a control plane, or excluded by its source */
};

struct report_counts {
    size_t nodes;      /* found by the scan */
    size_t selected;   /* of these, those that take part, and that --only did not leave out */
    size_t registered; /* machines that hold a valid registration now */
    size_t new;        /* registered by this pass */
    size_t kept, failed, skipped;
    size_t absent;    /* known, but not found by this scan */
    size_t elsewhere; /* machines that hold a valid registration in other shares */
    size_t overdue;   /* selected, and unprotected for longer than overdue_after */
};

struct report;

/* Makes an empty report for an instance and its primary (copied). The caller frees it. */
int report_new(const char *instance, const char *primary, struct report **ret,
               struct casb_error *err) _warn_unused_;

/* Frees it; NULL is fine. */
void report_free(struct report *report);
DEFINE_FREEP(struct report *, report_free)

/* Adds a node's outcome and counts it. Where memory runs out it is counted all the same. */
void report_add(struct report *report, const struct report_node *node);

/* Counts a node that the scan found but --only left out. */
void report_add_unselected(struct report *report, bool holds);

/* Says that one of the nodes counted as registered is the same machine as another of them. */
void report_add_twin(struct report *report);

/* Counts a node that is known but was not found. */
void report_add_absent(struct report *report);

/* Says how many other machines hold a valid registration: those of the other shares. */
void report_set_elsewhere(struct report *report, size_t registered);

/* The counts as they stand. From any thread. */
struct report_counts report_counts(struct report *report);

/* Notes what registered: the plugin's name and what it said. */
void report_set_registrar(struct report *report, const char *plugin,
                          const struct casb_registrar *registrar);

/* When the primary's pinned chain ends, as the registrar said; 0: none, or unknown. */
int64_t report_chain_end(const struct report *report);

/* How long the pass has gone on. */
int64_t report_milliseconds(const struct report *report);

/* Notes what failed first where nothing succeeded, and `count` likely causes (static). */
void report_set_cause(struct report *report, const char *node, const char *message,
                      const char *const *hints, size_t count);

/* Notes how many nodes are overdue, and which of them has been unprotected longest. */
void report_set_overdue(struct report *report, size_t count, const char *node, int64_t since_s);

/* Sets the time of the end, and the exit status. */
void report_finish(struct report *report, int exit_status);

/* DESIGN's "Report" as JSON; the caller owns it. NULL: no memory. */
json_t *report_json(struct report *report);

/*
 * Prints the nodes as a table, sorted by name: all of them, or with `open_only` those that could
 * not be registered: failed, or skipped though selected. Nothing where there is none.
 */
int report_print(struct report *report, bool open_only, FILE *out);

/* Takes one node, borrowed. Non-zero ends the walk and is returned. */
typedef int report_each_fn(const struct report_node *node, void *arg);

/* Calls `each` for every node, sorted by name. 0, or what `each` returned. */
int report_each(struct report *report, report_each_fn *each, void *arg);

/* Prints the report as JSON. 0, or -1 where that failed. */
int report_print_json(struct report *report, FILE *out);

/* The counts as a line without its end, for people: "3 nodes, 3 selected: ...". */
#define REPORT_COUNTS_BYTES 256
void report_counts_text(struct report *report, char out[static REPORT_COUNTS_BYTES]);

/* Prints one line with the counts. */
int report_print_counts(struct report *report, FILE *out);

/* May a report be written to this path? As file_check_replaceable(), but a pipe or a device may. */
int report_check_path(const char *path, struct casb_error *err) _warn_unused_;

/* Writes what report_print_json() prints as file_write_through() does, where it may. */
int report_write(struct report *report, const char *path, struct casb_error *err) _warn_unused_;

/* "registered", "kept", ... Static. */
const char *report_outcome_name(enum report_outcome outcome);

#endif
