/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plugins without a shared object: a world of nodes, a primary CAS and a state in memory, that
 * counts what is done to it and can be told to misbehave.
 */
#ifndef TESTS_UNIT_FAKES_H
#define TESTS_UNIT_FAKES_H

#include "cli.h"
#include "pass.h"

#include <pthread.h>

#define FAKE_NODES 64

struct fake_node {
    const char *uid, *name, *las_key, *las_source, *boot_id, *blocked;
    bool control_plane;
    bool spawn_fails, spawn_hangs, register_fails, identify_fails, identify_hangs, remove_fails;
    bool keyless; /* its LAS log has no key */
    bool alive;   /* a backup CAS runs there */
    int spawned, identified, removed;
};

struct fake_record {
    struct casb_record r;
    char uid[64], name[64], source[64], primary[80], las_key[80], las_source[80], boot_id[80],
        error[CASB_RECORD_ERROR_BYTES];
    bool used;
};

struct fake_world {
    pthread_mutex_t lock; /* guards all below */
    struct fake_node nodes[FAKE_NODES];
    size_t n_nodes;
    struct fake_record records[FAKE_NODES];
    int spawning, most_spawning, registering, most_registering;
    int registered, stores, locks, unlocks, sweeps, drops, early_removals;
    bool locked_by_other, store_fails, scan_fails, lock_breaks;
    casb_lost_fn *lost;
    void *lost_arg;
    int64_t spawn_ns; /* how long a spawn takes */
};

/* A tool on one or two sources that share the world; the second has no sweep(). */
struct fake {
    struct fake_world world;
    struct settings settings;
    struct cli cli;
    struct plugin sources[2];
    struct tool tool;
    struct report *report;
    struct cmd_context context;
    atomic_int signal;
    struct casb_error err;
};

/* Makes a world with `n_nodes` healthy nodes "node-0", ... . */
void fake_init(struct fake *fake, size_t n_nodes);

/* Runs a pass and returns what pass_run() returned; fake->report is the new report. */
int fake_pass(struct fake *fake, enum pass_mode mode);

/* The outcome of a node in the last report: "registered: new". Static until the next call. */
const char *fake_outcome(struct fake *fake, const char *name);

/* The record of a node; NULL: none. */
struct fake_record *fake_record(struct fake *fake, const char *uid);

/* How many backup CAS run. */
size_t fake_alive(const struct fake *fake);

/* Lets the nodes' source be one that cannot list what it spawned. */
void fake_without_sweep(struct fake *fake);

void fake_done(struct fake *fake);

#endif
