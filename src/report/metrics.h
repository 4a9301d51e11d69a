/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known, as metrics in Prometheus' text format: from the state alone, so that a pass that
 * died leaves the truth. Pure.
 */
#ifndef CAS_BACKUP_METRICS_H
#define CAS_BACKUP_METRICS_H

#include "base/buf.h"
#include "base/error.h"
#include "state/records.h"

#include <cas-backup/state.h>

#include <stdbool.h>

/* What the metrics are made from, all borrowed. */
struct metrics_input {
    const struct casb_pass *last; /* what is remembered of the last pass */
    const struct records *records;
    const char *primary;      /* the primary's identity */
    bool per_node;            /* with series for each node */
    const char *cr_name;      /* of the SCONE Operator's CAS resource; NULL: not its two series */
    const char *cr_namespace; /* likewise */
};

/*
 * Appends all metrics (Prometheus' text format 0.0.4), all of them gauges and without timestamps. A
 * time that never was is 0. Nodes that are absent, or that no pass registers, have no series.
 */
int metrics_write(const struct metrics_input *input, struct buf *out, struct casb_error *err)
    _warn_unused_;

/* Does the text begin as metrics_write() writes it? */
bool metrics_is_begin(const char *text);

#endif
