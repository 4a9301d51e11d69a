/* SPDX-License-Identifier: Apache-2.0 */
/* Which node a pod goes to: the scheduler of the sandbox's Kubernetes. */
#ifndef SANDBOX_KUBE_SCHEDULER_H
#define SANDBOX_KUBE_SCHEDULER_H

#include "sandbox/kube_store.h"

/*
 * Binds each pod that has no node to one that it may go to: by nodeSelector and node affinity,
 * cordons, taints and extended resources. Others get the condition PodScheduled=False with the
 * real scheduler's words. Wants the store's lock held.
 */
void scheduler_run(struct store *store);

#endif
