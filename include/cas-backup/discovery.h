/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Discovery plugins know the machines: they scan them, and start and remove a backup CAS there.
 */
#ifndef CAS_BACKUP_DISCOVERY_H
#define CAS_BACKUP_DISCOVERY_H

#include <cas-backup/plugin.h>

/* Characters of a LAS public key: 64 hexadecimal digits, upper case (FACTS: "LAS"). */
#define CASB_LAS_KEY_LENGTH 64
#define CASB_BOOT_ID_LENGTH 63
#define CASB_ADDRESS_LENGTH 319 /* [253-byte name or IPv6]:port */

/*
 * One machine. Strings are borrowed; an unknown one is NULL.
 */
struct casb_node {
    const char *uid; /* unique and stable over the machine's life in this source: [-._a-zA-Z0-9]+ */
    const char *name; /* for people, --only, --force and coverage */
    const char *las_key;
    /*
     * Where identify() would read the LAS key: an opaque word that changes whenever the key can
     * have changed (the start of the LAS container). The host calls identify() only where the
     * record's word differs. "" : no such word exists, ask each time. NULL: nothing to read. It
     * does not begin with '!', which is the host's mark for a word that holds no key.
     */
    const char *las_source;
    const char *boot_id;
    bool control_plane;
    /*
     * Why the node cannot take a backup CAS now, in the report's words: "unschedulable",
     * "not-ready", "untolerated-taint (KEY)", "no-sgx-resource". NULL: it can.
     */
    const char *blocked;
};

/* What identify() found; "" where unknown. */
struct casb_identity {
    char las_key[CASB_LAS_KEY_LENGTH + 1];
    char boot_id[CASB_BOOT_ID_LENGTH + 1];
};

/* Takes one node, borrowed for this call. Non-zero stops the scan, which then returns it. */
typedef int casb_node_fn(const struct casb_node *node, void *arg);

struct casb_discovery_ops {
    size_t size;

    /*
     * Calls `each` for every selected node, as it arrives, from the calling thread. A node is
     * given once even where the source had to start over. An incomplete list is an error, never
     * a success.
     */
    int (*scan)(void *self, const struct casb_call *call, casb_node_fn *each, void *arg,
                struct casb_error *err);

    /*
     * Reads the node's hardware identity. Trouble is an error of this node alone: the host warns
     * and goes by the boot ID. CASB_ENOTFOUND says that there is no LAS key and will be none before
     * las_source changes: the host remembers that, and does not ask again before. May be NULL.
     */
    int (*identify)(void *self, const struct casb_call *call, const struct casb_node *node,
                    struct casb_identity *ret_identity, struct casb_error *err);

    /*
     * Starts a backup CAS on the node and waits until it is Ready. Gives host:port, an IPv6 host
     * in brackets. The host calls remove() afterwards, whatever spawn() returned.
     */
    int (*spawn)(void *self, const struct casb_call *call, const struct casb_node *node,
                 char ret_address[static CASB_ADDRESS_LENGTH + 1], struct casb_error *err);

    /* Removes the node's backup CAS. None there is a success. */
    int (*remove)(void *self, const struct casb_call *call, const struct casb_node *node,
                  struct casb_error *err);

    /*
     * Removes every backup CAS of this instance, whoever left it. The host holds the lock.
     * *ret_removed counts them. NULL where the source cannot list them: then the host notes each
     * spawn in the state before it begins, and calls remove() for those that a dead pass left.
     */
    int (*sweep)(void *self, const struct casb_call *call, size_t *ret_removed,
                 struct casb_error *err);
};

#endif
