/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registration plugins know the primary CAS: who it is, and how to register a backup with it.
 */
#ifndef CAS_BACKUP_REGISTRATION_H
#define CAS_BACKUP_REGISTRATION_H

#include <cas-backup/plugin.h>

#define CASB_PRIMARY_ID_LENGTH 64

struct casb_primary {
    char address[320]; /* as configured: a host, with a port where one was given */
    /*
     * Which primary: SHA-256 in lower-case hexadecimal over what pins it (the certificate chain,
     * or address and session). A change means that every node must be registered again.
     */
    char id[CASB_PRIMARY_ID_LENGTH + 1];
};

struct casb_registration_ops {
    size_t size;

    /* Says which primary the settings name, without a connection. */
    int (*primary)(void *self, struct casb_primary *ret_primary, struct casb_error *err);

    /*
     * Registers the backup CAS at `address` (host:port, an IPv6 host in brackets) with the
     * primary. On failure the error text is what the operator needs to know.
     */
    int (*register_backup)(void *self, const struct casb_call *call, const char *address,
                           struct casb_error *err);
};

#endif
