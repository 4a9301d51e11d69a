/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host lends to a plugin: who it is, a log, and the context of each call.
 */
#ifndef CAS_BACKUP_HOST_H
#define CAS_BACKUP_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum casb_level {
    CASB_DEBUG,
    CASB_INFO,
    CASB_WARN, /* something went wrong and the work went on without it; the text says so */
    CASB_ERROR,
};

/*
 * A pass's part of the nodes, where several passes of an instance run side by side: number `index`,
 * from 0, of `count`. With a count of 0 or 1 it has all of them.
 */
struct casb_share {
    uint32_t index, count;
};

/*
 * One per plugin instance, valid from open() until close() returns. All strings are borrowed.
 */
struct casb_host {
    size_t size;          /* of this struct as the host knows it */
    const char *instance; /* base name of everything the tool creates: a DNS-1123 label */
    const char *source;   /* this source's name in records and reports; "" for other kinds */
    const char *holder;   /* identity of this pass, unique per process: for locks and labels */
    void *arg;            /* the host's own */
    struct casb_share share;

    /*
     * Writes one log line. `node` names the node it is about, or is NULL. `text` is a sentence
     * in lower case without a time or level; the host cuts it and strips control characters.
     * May be called from any thread.
     */
    void (*log)(const struct casb_host *host, enum casb_level level, const char *node,
                const char *text);

    /*
     * Is the node with this uid ("": one that is unknown) in this pass's share? What belongs to any
     * other is another pass's. From any thread. NULL: each node is.
     */
    bool (*has_node)(const struct casb_host *host, const char *uid);
};

/*
 * The context of one blocking call. A call returns CASB_ETIMEOUT soon after the deadline and
 * CASB_ECANCELLED soon after cancel_fd became readable: 200 ms are soon, and a child process may
 * get 2 s between SIGTERM and SIGKILL.
 */
struct casb_call {
    int64_t deadline_ns; /* absolute, CLOCK_MONOTONIC */
    int cancel_fd;       /* poll it for POLLIN, never read it; -1: cannot be cancelled */
};

#endif
