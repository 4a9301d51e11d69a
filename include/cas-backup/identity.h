/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What identifies a machine: by it the host knows that a node is still the one that was registered.
 */
#ifndef CAS_BACKUP_IDENTITY_H
#define CAS_BACKUP_IDENTITY_H

/* Two identities of one kind are compared; different kinds say nothing about each other. */
enum casb_identity_kind {
    CASB_UNIDENTIFIED = 0, /* nothing is known */
    CASB_LAS_KEY = 1,      /* public key of its LAS: 64 hexadecimal digits, upper case */
    CASB_BOOT_ID = 2,      /* of its kernel: another one after each reboot */
    CASB_LAS_QE_ID = 3,    /* of Intel's QE, shown by LAS 7: 32 hexadecimal digits, lower case */
};

#define CASB_LAS_KEY_LENGTH   64
#define CASB_LAS_QE_ID_LENGTH 32
#define CASB_IDENTITY_LENGTH  127

struct casb_identity {
    enum casb_identity_kind kind;
    char text[CASB_IDENTITY_LENGTH + 1]; /* "" where nothing is known */
};

/* All that is known of one machine. All zero: nothing. */
struct casb_machine {
    struct casb_identity
        las; /* what its LAS shows, which outlives reboots: CASB_LAS_KEY, CASB_LAS_QE_ID */
    struct casb_identity boot; /* CASB_BOOT_ID */
};

#endif
