/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instance's lock in a cluster: a Lease, renewed by a thread while it is held and deleted
 * when it is given back. Thread-safe, but for lease_new() and lease_free().
 */
#ifndef STATE_CONFIGMAP_LEASE_H
#define STATE_CONFIGMAP_LEASE_H

#include "common/kube/kube.h"

#include <cas-backup/state.h>

#include <stdbool.h>
#include <stdint.h>

struct lease;

/*
 * For the instance's Lease, or that of host->share. `host` and `kube` are borrowed. `duration_ns`
 * is how long it outlives a holder that died; it is used in whole seconds. No connection is made.
 */
int lease_new(const struct casb_host *host, struct kube *kube, int64_t duration_ns,
              struct lease **ret, struct casb_error *err) _warn_unused_;

/* Ends it; one that is still held is left to expire. NULL is fine. */
void lease_free(struct lease *lease);
DEFINE_FREEP(struct lease *, lease_free)

/*
 * Takes the lease, see casb_state_ops.lock. Waits for one that a dead pass left: at most its
 * duration. CASB_ECONFLICT as soon as its holder, or that of another lease by which a pass splits
 * the nodes otherwise, shows that it lives, or at the deadline.
 */
int lease_take(struct lease *lease, const struct casb_call *call, casb_lost_fn *lost, void *arg,
               struct casb_error *err) _warn_unused_;

/* 0 while it is held; CASB_ECONFLICT once it is lost, CASB_EINVALID where it never was taken. */
int lease_check(struct lease *lease, struct casb_error *err) _warn_unused_;

/* Gives it back. A lost one is nobody's to give back: a success. */
int lease_give_back(struct lease *lease, const struct casb_call *call, struct casb_error *err)
    _warn_unused_;

#endif
