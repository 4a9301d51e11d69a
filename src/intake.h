/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a scan finds: each node is decided on as it arrives, and settled at once or made a job.
 */
#ifndef CAS_BACKUP_INTAKE_H
#define CAS_BACKUP_INTAKE_H

#include "pass.h"

/*
 * Takes one node. Only from the scanning thread; `node` is borrowed. Returns 0, or a class that
 * ends the scan: CASB_ENOMEM, CASB_EFAILED for a node without name or uid.
 */
int intake_node(struct pass *pass, struct plugin *source, const struct casb_node *node,
                struct casb_error *err) _warn_unused_;

#endif
