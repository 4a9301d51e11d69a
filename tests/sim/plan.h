/* SPDX-License-Identifier: Apache-2.0 */
/* What happens in one run of the simulation, and when: drawn from a seed, printed, made shorter. */
#ifndef TESTS_SIM_PLAN_H
#define TESTS_SIM_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define PLAN_EVENTS 40

enum event_kind {
    /* at a time, in seconds */
    EVENT_PASS, /* begins one: PASS_WORKERS() and PASS_SHARE() of `which` */
    EVENT_NODE_COMES,
    EVENT_NODE_GOES,
    EVENT_NODE_REPLACED, /* another machine under its name, with another UID */
    EVENT_HARDWARE,      /* another machine behind the same node */
    EVENT_REBOOT,
    EVENT_CORDON,
    EVENT_UNCORDON,
    EVENT_RENAME,
    EVENT_PRIMARY,
    EVENT_RELEASE,
    EVENT_CLOCK,  /* the wall clock jumps by `which` hours */
    EVENT_STALL,  /* whoever holds the lock cannot renew it any more */
    EVENT_FORGET, /* a record is lost */
    EVENT_TIMED,
    /* at a plugin's call, counted over the run */
    EVENT_FAIL = EVENT_TIMED,
    EVENT_HANG, /* until the call's deadline */
    EVENT_LOSE, /* it is done, and fails nevertheless */
    EVENT_LATE,
    EVENT_DIE, /* the process does, before */
    EVENT_DIE_AFTER,
    EVENT_KINDS,
};

struct event {
    enum event_kind kind;
    int at;    /* second, or number of the call */
    int which; /* node, hours, ... */
};

#define PASS_WHICH(workers, share) ((workers) + 16 * (share))
#define PASS_WORKERS(which)        ((which) % 16)
#define PASS_SHARE(which)          ((which) / 16)

struct plan {
    uint64_t seed; /* of the order in which threads run, and of all else that is drawn */
    int shares;    /* into which the passes split the nodes */
    int count;
    struct event events[PLAN_EVENTS]; /* in the order of their times */
};

/* Draws one. */
void plan_draw(struct plan *plan, uint64_t seed);

/* The plan without that event. */
struct plan plan_without(const struct plan *plan, int event);

/* The fault at a plugin's call; EVENT_KINDS: none. */
enum event_kind plan_fault(const struct plan *plan, int call);

/* Prints it, an event a line, each behind "# ". */
void plan_print(const struct plan *plan, FILE *to);

#endif
