/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes that --only and --force name, and which of these names some source has. */
#ifndef CAS_BACKUP_SELECTION_H
#define CAS_BACKUP_SELECTION_H

#include "base/error.h"
#include "settings/request.h"

#include <cas-backup/discovery.h>

/* Its functions are for one thread at a time. */
struct selection {
    const struct request *request; /* borrowed */
    bool *only_seen, *force_seen;  /* parallel to request->only and request->force */
};

/* Begins with no name seen. The caller ends it by selection_done(), also after a failure. */
int selection_init(struct selection *selection, const struct request *request,
                   struct casb_error *err) _warn_unused_;

/* Frees what selection_init() made. */
void selection_done(struct selection *selection);

/* Is there --only, without this node? */
bool selection_leaves_out(struct selection *selection, const struct casb_node *node);

/* Is the node, or "all", named by --force? */
bool selection_forces(struct selection *selection, const struct casb_node *node);

/* Notes that there is the node, which another pass works on. */
void selection_see(struct selection *selection, const struct casb_node *node);

/* CASB_EINVALID, naming it, where a name was asked about with no node so far. */
int selection_check(const struct selection *selection, struct casb_error *err) _warn_unused_;

#endif
