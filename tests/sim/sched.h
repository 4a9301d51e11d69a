/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads of several processes on a simulated clock, all of them in one real thread: one runs at a
 * time, and whichever goes on next is drawn from a seed. Time passes only where all of them wait.
 * The code under test is linked with --wrap for what pthread_*(3), clock_gettime(2), poll(2),
 * write(2) and getrandom(2) do to it; it has no mutable static data, so that its processes can
 * share the memory of a real one.
 */
#ifndef TESTS_SIM_SCHED_H
#define TESTS_SIM_SCHED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SCHED_NEVER INT64_MAX
#define SCHED_S     INT64_C(1000000000)

#define SCHED_PROCESSES 32

/* Begins anew: the caller is process 0, which must not use what is wrapped. */
void sched_start(uint64_t seed);

/* Simulated CLOCK_MONOTONIC, and what is added to it for CLOCK_REALTIME. */
int64_t sched_now_ns(void);
void sched_set_wall(int64_t offset_ns);

/* A number below `below`, drawn from the seed. */
uint64_t sched_random(uint64_t below);

/* Lets others run. */
void sched_yield_to_others(void);

/* Waits for sched_wake() of the same process and `on`; false where `until_ns` came first. */
bool sched_block(const void *on, int64_t until_ns);

/* Lets who waits on it go on. */
void sched_wake(const void *on);

/* Begins a process that runs `body` and then ends. Returns its number: 1, 2, ... */
int sched_spawn(void *(*body)(void *arg), void *arg);

/* The calling process's number. */
int sched_process(void);

/* Ends the calling process as SIGKILL would. */
_Noreturn void sched_die(void);

/* When the process ended; SCHED_NEVER: it has not. */
int64_t sched_ended_ns(int process);

/* Process 0 waits until every other has ended; false where `until_ns` came first. */
bool sched_wait_all(int64_t until_ns);

#endif
