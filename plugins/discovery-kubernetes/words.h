/* SPDX-License-Identifier: Apache-2.0 */
/* What a backup CAS said last. */
#ifndef DISCOVERY_KUBERNETES_WORDS_H
#define DISCOVERY_KUBERNETES_WORDS_H

#include <cas-backup/discovery.h>

/* Logs the last lines of the log of the node's pod: the slot last_words. Thread-safe. */
void words_log(void *self, const struct casb_call *call, const struct casb_node *node);

#endif
