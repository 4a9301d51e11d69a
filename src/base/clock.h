/* SPDX-License-Identifier: Apache-2.0 */
/* Time: monotonic deadlines, RFC 3339, and waits that grow. Thread-safe. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/cleanup.h"

#include <cas-backup/host.h>

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_MS            INT64_C(1000000)
#define CLOCK_S             INT64_C(1000000000)
#define CLOCK_RFC3339_BYTES 32

/* Now, in nanoseconds of CLOCK_MONOTONIC. */
int64_t clock_now_ns(void);

/* Now, in milliseconds since 1970 UTC: for records and reports only. */
int64_t clock_wall_ms(void);

/* As whole seconds, of which a begun one counts: a setting of 500 ms is not none. */
int64_t clock_whole_s(int64_t ns);

/* "2026-11-25T12:00:00Z", or with `millis` "2026-11-25T12:00:00.123Z". Returns out. */
char *clock_format(char out[static CLOCK_RFC3339_BYTES], int64_t wall_ms, bool millis);

/*
 * Parses RFC 3339: 'T', 't' or a space, fractions with '.' or ',', 'Z' or an offset; without a
 * zone UTC. Gives milliseconds since 1970. Returns 0 or CASB_EINVALID.
 */
int clock_parse(const char *text, int64_t *ret_wall_ms) _warn_unused_;

/*
 * Is a time that was recorded, in seconds since 1970, later than now by more than the clocks of two
 * machines differ? Then some clock was wrong, and it says nothing.
 */
bool clock_is_ahead(int64_t seconds, int64_t now_s);

/* The earlier of the call's deadline and now + timeout_ns. */
int64_t clock_deadline(const struct casb_call *call, int64_t timeout_ns);

/* Milliseconds until the deadline for poll(): 0 where it passed, rounded up, at most INT_MAX. */
int clock_poll_ms(int64_t deadline_ns);

/* 0 while the call may go on, else CASB_ECANCELLED or CASB_ETIMEOUT. */
int clock_check(const struct casb_call *call) _warn_unused_;

/* Sleeps, but no longer than the call allows. Returns 0, CASB_ECANCELLED or CASB_ETIMEOUT. */
int clock_sleep(const struct casb_call *call, int64_t ns) _warn_unused_;

/*
 * The wait before try number `attempt` (1, 2, ...): base_ns doubled each time, at most cap_ns,
 * of which a random half to whole is taken, so that many clients do not come back at once.
 */
int64_t clock_backoff(unsigned attempt, int64_t base_ns, int64_t cap_ns);

#endif
