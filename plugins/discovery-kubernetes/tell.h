/* SPDX-License-Identifier: Apache-2.0 */
/* What became of nodes, where those look who operate the cluster: as Events and by a label. */
#ifndef DISCOVERY_KUBERNETES_TELL_H
#define DISCOVERY_KUBERNETES_TELL_H

#include "discovery-kubernetes/discovery.h"

/* casb_discovery_ops.tell. What the settings do not ask for is not done. */
int tell_news(void *self, const struct casb_call *call, const struct casb_news *news,
              struct casb_error *err);

/* casb_discovery_ops.settle. */
int tell_settle(void *self, const struct casb_call *call, casb_protected_fn *is_protected,
                void *arg, struct casb_error *err);

#endif
