/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The leases of an instance's other passes. A pass may share the nodes with others, each with a
 * Lease of its own: side by side they are only where all split the nodes into as many shares.
 */
#ifndef STATE_CONFIGMAP_RIVALS_H
#define STATE_CONFIGMAP_RIVALS_H

#include "base/label.h"
#include "common/kube/kube.h"

#include <cas-backup/host.h>

#define RIVALS_NAME_BYTES (LABEL_BYTES + 32)

/* The name of a share's lease: the instance's own, or INSTANCE-I-of-N. Returns out. */
char *rivals_lease_name(char out[static RIVALS_NAME_BYTES], const char *instance,
                        const struct casb_share *share);

/* Into how many shares the holder of the instance's lease of that name splits the nodes. Pure. */
uint32_t rivals_shares(const char *name, const char *instance);

/*
 * Waits until no pass that splits the nodes otherwise can be at work: each such lease is watched
 * until it was renewed, or is not for as long as it gives itself, and then deleted. CASB_ECONFLICT:
 * one lives, or may live when the call is over. The own lease is held. `all` is the path of the
 * namespace's leases, `fallback_s` the duration of one that gives none.
 */
int rivals_await_none(const struct casb_host *host, struct kube *kube, const char *all,
                      int64_t fallback_s, const struct casb_call *call, struct casb_error *err)
    _warn_unused_;

#endif
