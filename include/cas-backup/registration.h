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
     * or address and policy). A change means that every node must be registered again.
     */
    char id[CASB_PRIMARY_ID_LENGTH + 1];
};

/* What registers, for people and reports. */
struct casb_registrar {
    char version[128];       /* of the program or service: "scone 6.0.3"; "": unknown */
    int64_t chain_not_after; /* end of the primary's pinned chain, in seconds since 1970; 0: none */
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

    /*
     * Optional. Called once a pass, before anything is spawned and while no other slot runs: logs
     * what an operator should know before registrations begin. CASB_EINVALID where the settings are
     * none that the other side takes: the pass ends with exit status 2. Trouble with finding that
     * out is no error but a warning.
     */
    int (*prepare)(void *self, const struct casb_call *call, struct casb_error *err);

    /* Optional. Says what registers. Called once a pass, after its last registration. */
    int (*describe)(void *self, const struct casb_call *call, struct casb_registrar *ret,
                    struct casb_error *err);

    /*
     * Optional. What is done with each backup CAS, as a word, borrowed from the plugin's settings
     * or static: "register-upgrade". With another one every machine is registered again. Called
     * without open(), too. NULL where it is always the same: then the plugin's name stands for it.
     */
    const char *(*command)(const void *settings);
};

#endif
