/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spawning and removing pods on a fake_kube.h, by a clock of the tests' own (link with
 * --wrap=clock_now_ns and --wrap=clock_sleep). What cannot work fails the test.
 */
#ifndef TESTS_UNIT_SPAWNING_H
#define TESTS_UNIT_SPAWNING_H

#include "unit/unit.h"

#include "fake_kube.h"

#include "base/clock.h"
#include "discovery-kubernetes/discovery.h"
#include "discovery-kubernetes/spawn.h"

#include <stdatomic.h>

#define PENDING "{\"phase\": \"Pending\"}"
#define READY                                                                                      \
    "{\"phase\": \"Running\", \"podIP\": \"10.0.0.7\", \"conditions\": ["                          \
    "{\"type\": \"Ready\", \"status\": \"True\"}]}"

/* What each look at the clock adds to it, so that graces of many seconds pass at once; and how far
 * it is ahead by then. */
extern _Atomic int64_t clock_step_ns, clock_ahead_ns;

/* The waits between tries so far, which pass at once too. */
extern int64_t waits[64];
extern size_t wait_count;

struct setup {
    struct kube kube;
    struct discovery_settings settings;
    struct discovery discovery;
    struct casb_call call;
    struct casb_error err;
    struct casb_backup backup;
    struct casb_host host;
    char log[CASB_ERROR_TEXT_BYTES]; /* the last warning */
};

/* For each test: a plan for pods on "node-1", whose uid is "machine-1", and a watch under way. */
int set_up(void **state);
int tear_down(void **state);

/* Spawns the pod of node-1, and removes it. */
int spawn(struct setup *s);
int clean(struct setup *s);

/* A pod under node-1's name, made by another pass or by somebody else. */
void add_pod(struct setup *s, const char *instance, const char *holder, bool deleting);

size_t count_pods(struct setup *s);

/* The call came to `r`: it failed with that, and gave nothing. */
void assert_failed(struct setup *s, int r, int code, const char *text);

#endif
