/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who holds a Lease (coordination.k8s.io/v1), by the rules of client-go's leader election: times
 * in it are never compared with a clock of ours; a holder is dead once its record stayed the same
 * for its own leaseDurationSeconds under our eyes. Pure.
 */
#ifndef STATE_CONFIGMAP_LEASE_RULES_H
#define STATE_CONFIGMAP_LEASE_RULES_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lease_verdict {
    LEASE_FREE,  /* nobody's, or of a dead holder: may be taken */
    LEASE_MINE,  /* ours already */
    LEASE_WATCH, /* held, perhaps by a dead holder: look again */
    LEASE_ALIVE, /* held by somebody who lives */
};

/* What was seen of a lease so far; starts as {0}. */
struct lease_sight {
    json_t *spec;     /* as first seen; NULL: never */
    int64_t since_ns; /* when that was, CLOCK_MONOTONIC */
    bool contested;   /* somebody changed it while we tried to take it */
};

/*
 * Judges the lease as it is now. `fallback_s` is the duration of one that gives none from 1 to
 * INT32_MAX, as the API has them. Returns a verdict; keeps the first spec in `sight`, which the
 * caller ends by json_decref(sight->spec).
 */
enum lease_verdict lease_judge(const json_t *lease, struct lease_sight *sight, const char *me,
                               int64_t fallback_s, int64_t now_ns);

/* Is `me` its holder? */
bool lease_is_held_by(const json_t *lease, const char *me);

/* "'HOLDER' since TIME, renewed TIME" for people, clean. Returns out. */
char *lease_describe(const json_t *lease, char *out, size_t size);

/*
 * Makes `me` the holder from now on, in place: a renewal where it was so already, else a take over.
 * `wall_ms` is milliseconds since 1970.
 */
int lease_stamp(json_t *lease, const char *me, int64_t duration_s, int64_t wall_ms,
                struct casb_error *err) _warn_unused_;

#endif
