/* SPDX-License-Identifier: Apache-2.0 */
/* The processes in the sandbox's pods. */
#ifndef SANDBOX_KUBE_PROCESS_H
#define SANDBOX_KUBE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Starts a command, whose words are separated by spaces and in which {ip} stands for the address.
 * Its standard output goes nowhere. It ends when the calling thread does.
 */
pid_t process_start(const char *command, const char *ip);

/* Has it ended? If so, it is reaped and its id is of no use any more. */
bool process_ended(pid_t pid);

/* Asks it to end, or makes it. 0 is fine. */
void process_stop(pid_t pid, bool now);

/* Makes it end and waits until it did. 0 is fine. */
void process_kill(pid_t pid);

/* Can one connect to it? */
bool process_listens(const char *ip, uint16_t port);

#endif
