/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plugins without a shared object: a world of nodes, a primary CAS and a state in memory, that
 * counts what is done to it and can be told to misbehave.
 */
#ifndef TESTS_UNIT_FAKES_H
#define TESTS_UNIT_FAKES_H

#include "pass/pass.h"
#include "settings/request.h"
#include "unit/pass/kept.h"

#include <pthread.h>

#define FAKE_NODES 64

struct fake_node {
    const char *uid, *name, *las_key, *las_source, *boot_id, *excluded, *blocked;
    const char *spawn_boot; /* what spawn() says of the machine; NULL: nothing */
    bool control_plane;
    bool spawn_fails, spawn_hangs, register_fails, identify_fails, identify_hangs, remove_fails;
    bool keyless;  /* its LAS log has no key */
    bool starting; /* it may get one yet */
    bool alive;    /* a backup CAS runs there */
    int spawned, identified, removed;
};

struct fake_world {
    pthread_mutex_t lock; /* guards all below */
    struct fake_node nodes[FAKE_NODES];
    size_t n_nodes;
    struct kept_record records[FAKE_NODES];
    int spawning, most_spawning, registering, most_registering;
    const char *stuck; /* why a backup CAS does not go; NULL: all do */
    int registered, stores, locks, unlocks, sweeps, drops, early_removals;
    int prepared, described;
    struct casb_pass pass; /* as it was stored last, without its strings */
    char pass_primary[80];
    int pass_stores;
    int pass_fails; /* class with which it cannot be stored; 0: it can */
    bool locked_by_other, store_fails, scan_fails, lock_breaks, refuses_settings;
    char news[2048]; /* what was told, a line each */
    int early_news;  /* before the record said so */
    int settles;
    int protected;                /* nodes, by the last settle() */
    bool deaf;                    /* tell() and settle() fail */
    int lock_tries, freed_at_try; /* while it is locked by another; 0: never */
    casb_lost_fn *lost;
    void *lost_arg;
    int64_t spawn_ns; /* how long a spawn takes */
};

/* Plugins on one or two sources that share the world; the second has no sweep(). */
struct fake {
    struct fake_world world;
    struct settings settings;
    struct request request;
    struct plugin sources[2];
    struct plugins plugins;
    struct report *report;
    int cancel_fd;
    const struct pass_view *view; /* or NULL */
    struct casb_error err;
};

/* Makes a world with `n_nodes` healthy nodes "node-0", ... . */
void fake_init(struct fake *fake, size_t n_nodes);

/* Runs a pass and returns what pass_run() returned; fake->report is the new report. */
int fake_pass(struct fake *fake, enum pass_mode mode);

/* The outcome of a node in the last report: "registered: new". Static until the next call. */
const char *fake_outcome(struct fake *fake, const char *name);

/* The record of a node; NULL: none. */
struct kept_record *fake_record(struct fake *fake, const char *uid);

/* How many backup CAS run. */
size_t fake_alive(const struct fake *fake);

/* Lets the nodes' source be one that cannot list what it spawned. */
void fake_without_sweep(struct fake *fake);

/* Ends the pass that runs, as a signal does. From any thread. */
void fake_cancel(const struct fake *fake);

void fake_done(struct fake *fake);

#endif
