/* SPDX-License-Identifier: Apache-2.0 */
/* Which of several nodes are one machine, as what identifies them says. Pure and thread-safe. */
#ifndef CAS_BACKUP_MACHINES_H
#define CAS_BACKUP_MACHINES_H

#include "base/cleanup.h"
#include "state/records.h"

#include <cas-backup/identity.h>

#include <stddef.h>

/* One node. */
struct machine {
    const char *name;                  /* borrowed, as the two texts */
    enum casb_identity_kind las_kind;  /* what it is identified by: */
    const char *las, *boot;            /* NULL: it is not known */
    struct machine *same_as;           /* one before it that is the same machine; NULL: none */
    enum casb_identity_kind same_kind; /* by this */
};

/* The node with that name, which is identified by `known`; both are borrowed. */
struct machine machine_of(const char *name, const struct casb_machine *known);

/* The record's node; borrowed from its values, of which there are some. */
struct machine machine_of_record(const struct record *record);

/*
 * Fills in same_as. Nodes with the same LAS identity or boot ID are one machine, but not those
 * whose LAS identities differ: a copy of a machine's memory has its boot ID. Returns 0 or
 * CASB_ENOMEM.
 */
int machines_match(struct machine *machines, size_t count) _warn_unused_;

#endif
