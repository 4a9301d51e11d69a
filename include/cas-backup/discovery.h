/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Discovery plugins know the machines: they scan them, and start and remove a backup CAS there.
 */
#ifndef CAS_BACKUP_DISCOVERY_H
#define CAS_BACKUP_DISCOVERY_H

#include <cas-backup/identity.h>
#include <cas-backup/plugin.h>

#define CASB_ADDRESS_LENGTH 319 /* [253-byte name or IPv6]:port */

/*
 * One machine. Strings are borrowed; an unknown one is NULL.
 */
struct casb_node {
    const char *uid; /* unique and stable over the machine's life in this source: [-._a-zA-Z0-9]+ */
    const char *name;            /* for people, --only, --force and coverage */
    struct casb_machine machine; /* what the source knows of it without identify() */
    /*
     * Where identify() would read machine.las: an opaque word that changes whenever it can have
     * changed (the start of the LAS container). The host calls identify() only where the record's
     * word differs. "" : no such word exists, ask each time. NULL: nothing to read.
     */
    const char *las_source;
    bool las_none; /* nothing is where las_source points, nor will be before that changes */
    bool control_plane;
    /*
     * Why the source's settings keep every backup CAS from there, in the report's words:
     * "pod-node-selector". Such a node takes no part, as a control plane. NULL: they do not.
     */
    const char *excluded;
    /*
     * Why the node cannot take a backup CAS now, likewise: "unschedulable", "not-ready",
     * "untolerated-taint (KEY)", "no-sgx-resource". NULL: it can.
     */
    const char *blocked;
};

/* A backup CAS that is Ready. */
struct casb_backup {
    char address[CASB_ADDRESS_LENGTH + 1]; /* host:port, an IPv6 host in brackets */
    struct casb_identity boot; /* CASB_BOOT_ID of the machine that it runs on, where known */
};

/* Takes one node, borrowed for this call. Non-zero stops the scan, which then returns it. */
typedef int casb_node_fn(const struct casb_node *node, void *arg);

/* What may become of a node. */
enum casb_outcome {
    CASB_OUTCOME_REGISTERED = 1,
    CASB_OUTCOME_FAILED,           /* the attempt to register it */
    CASB_OUTCOME_HARDWARE_CHANGED, /* it is not the machine that was registered */
    CASB_OUTCOME_UNPROTECTED,      /* it holds no valid registration, and is not tried now */
    CASB_OUTCOME_DROPPED,          /* its record was: it had been absent, or was to be forgotten */
};

/* What became of a node. Strings are borrowed, and come from outside where they are messages. */
struct casb_news {
    const char *uid, *name;
    enum casb_outcome outcome;
    const char *message; /* the reason of the decision, or what failed; "": nothing to say */
    int64_t since;       /* when it first came to that, seconds since 1970 */
    uint32_t count;      /* how often since then; 1: for the first time */
};

/* Does the node with this uid hold a valid registration now, whichever source it is of? */
typedef bool casb_protected_fn(const char *uid, void *arg);

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
     * and goes by what else it knows. CASB_ENOTFOUND says that LAS shows none and will show none
     * before las_source changes: the host remembers that, and does not ask again before; with
     * err->retry LAS shows none yet, and is asked again. What was not found is left as it is in
     * *ret_machine, which is all zero. May be NULL.
     */
    int (*identify)(void *self, const struct casb_call *call, const struct casb_node *node,
                    struct casb_machine *ret_machine, struct casb_error *err);

    /*
     * Starts a backup CAS on the node and waits until it is Ready. *ret_backup is all zero before;
     * a boot ID in it is recorded in place of the node's, which may be older. The host calls
     * remove() afterwards, whatever spawn() returned.
     */
    int (*spawn)(void *self, const struct casb_call *call, const struct casb_node *node,
                 struct casb_backup *ret_backup, struct casb_error *err);

    /* Removes the node's backup CAS. None there is a success. */
    int (*remove)(void *self, const struct casb_call *call, const struct casb_node *node,
                  struct casb_error *err);

    /*
     * Removes every backup CAS of this instance whose node host->has_node() has, whoever left it.
     * The host holds the lock. *ret_removed counts them. Where they take a while to go it is enough
     * that they are about to; but with `until_gone` those that stay are an error that names them.
     * NULL where the source cannot list them: then the host notes each spawn in the state before it
     * begins, and calls remove() for those that a dead pass left.
     */
    int (*sweep)(void *self, const struct casb_call *call, bool until_gone, size_t *ret_removed,
                 struct casb_error *err);

    /*
     * Optional. The image of this source's backup CAS, which stays the same until close() (also its
     * memory); NULL: unknown. With another one every machine is registered again.
     */
    const char *(*image)(void *self);

    /*
     * Optional. Tells what became of a node of this source, once its record says so. Only what is
     * new is told; of a node that fails again and again, with the count, every 30 minutes. That its
     * hardware changed is told before it is registered anew. Trouble is a warning of the host's.
     */
    int (*tell)(void *self, const struct casb_call *call, const struct casb_news *news,
                struct casb_error *err);

    /*
     * Optional. Brings in line what the source shows of all nodes of the instance that
     * host->has_node() has, whatever was told and whoever showed it. Called once at the end of a
     * pass whose scans were complete, while the host holds the lock; trouble is a warning. By
     * `cleanup --label` with NULL for is_protected: none is, and what is shown goes, also where the
     * settings ask for nothing.
     */
    int (*settle)(void *self, const struct casb_call *call, casb_protected_fn *is_protected,
                  void *arg, struct casb_error *err);

    /*
     * Optional. What a person does about node->blocked or node->excluded: a command or a setting,
     * in ret[size]; "" where there is nothing to be done.
     */
    void (*unblock)(void *self, const struct casb_node *node, char *ret, size_t size);

    /*
     * Optional. Logs, at CASB_DEBUG, the last lines of what the node's backup CAS said, as far as
     * they can be had. Called after an attempt failed and before remove(), and only where lines of
     * that level are written.
     */
    void (*last_words)(void *self, const struct casb_call *call, const struct casb_node *node);
};

#endif
