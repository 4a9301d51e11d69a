/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is outside of a pass: machines, the nodes on them, a primary CAS, and the state. All passes
 * of a run share it, and it knows what they can only believe.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "sim/plan.h"
#include "unit/pass/kept.h"

#include <cas-backup/state.h>

#include <stdbool.h>
#include <stdint.h>

#define NODES     5
#define MACHINES  64
#define RECORDS   64
#define SHARES    3
#define EXPIRY_NS (15 * INT64_C(1000000000)) /* of a lock that is not renewed */
#define VERSIONS  4                          /* of the primary, and of the release */

struct node {
    bool present, cordoned, has_las;
    bool labelled; /* as one whose machine opens the database */
    int uid, machine, boot, name;
};

struct backup {
    bool runs;
    int uid, machine;
};

/* The lock of a share. */
struct lock {
    int holder; /* the process; 0: none */
    bool stalled;
    int64_t expires_ns; /* where it was stalled */
};

/* What became of a pass. */
struct ended {
    bool ended;
    int result, registrations;
    int faults; /* that it met */
    size_t registered, failed;
    char error[CASB_ERROR_TEXT_BYTES];
};

struct world {
    struct node nodes[NODES];
    int uids, machines; /* that were given out */
    struct backup backups[RECORDS];
    /* what the primaries know: how often a machine was registered with which one, for which
     * release */
    int registered[VERSIONS][VERSIONS][MACHINES];
    int primary, release;
    struct kept_record records[RECORDS];
    struct casb_pass pass;
    struct lock locks[SHARES];
    int calls;      /* of plugins, so far */
    bool forgotten; /* a record was lost in the state */
    bool faultless; /* the rest goes well */
    const struct plan *plan;
    uint64_t seed;          /* the plan's */
    struct ended ended[32]; /* by process */
    char wrong[256];        /* the first thing that must not be; "": all is well */
};

/* The one world, in memory that real processes share. */
extern struct world *world;
void world_make(void);

/* Begins anew with some nodes. */
void world_start(const struct plan *plan);

/* Does to it what the event says. */
void world_change(const struct event *event);

/* Notes what must not be, if it is the first. */
void world_is_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Does the present primary have the node's machine for the present release? */
bool world_is_registered(const struct node *node);

/* Fills in the opened plugins of a pass of the calling process; before the first, world_unplug().
 */
struct plugins;
void world_unplug(void);
void world_plug(struct plugins *plugins);

#endif
