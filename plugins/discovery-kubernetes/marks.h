/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The label that marks protected nodes, "cas-backup/INSTANCE": "true", by which the primary's own
 * pod can be held to machines that open its database. A node that has it already is not touched.
 * Thread-safe.
 */
#ifndef DISCOVERY_KUBERNETES_MARKS_H
#define DISCOVERY_KUBERNETES_MARKS_H

#include "common/kube/kube.h"

#include <cas-backup/discovery.h>

struct marks;

/* Makes them, for the nodes of the host's share; both are borrowed until marks_free(). */
int marks_new(const struct casb_host *host, struct kube *kube, struct marks **ret,
              struct casb_error *err) _warn_unused_;

/* Frees them; NULL is fine. */
void marks_free(struct marks *marks);
DEFINE_FREEP(struct marks *, marks_free)

/* Notes what a Node of the scan shows. Out of memory it is found again by marks_settle(). */
void marks_note(struct marks *marks, const json_t *node);

/*
 * Gives the node the label, or takes it away. A node that is gone is a success. After a failure
 * that others would share no further node is tried, which that failure's error says.
 */
int marks_set(struct marks *marks, const struct casb_call *call, const char *uid, const char *name,
              bool is_protected, struct casb_error *err) _warn_unused_;

/*
 * Brings all nodes in line: those of the scan, and unless it was of all nodes (`complete`) those
 * that only the label finds, with one list more. As casb_discovery_ops.settle for is_protected.
 */
int marks_settle(struct marks *marks, const struct casb_call *call, bool complete,
                 casb_protected_fn *is_protected, void *arg, struct casb_error *err) _warn_unused_;

#endif
