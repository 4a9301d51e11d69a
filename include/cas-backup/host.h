/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host lends to a plugin: who it is, a log, and the context of each call.
 */
#ifndef CAS_BACKUP_HOST_H
#define CAS_BACKUP_HOST_H

#include <stddef.h>
#include <stdint.h>

enum casb_level {
    CASB_DEBUG,
    CASB_INFO,
    CASB_WARN, /* something went wrong and the work went on without it; the text says so */
    CASB_ERROR,
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

    /*
     * Writes one log line. `node` names the node it is about, or is NULL. `text` is a sentence
     * in lower case without a time or level; the host cuts it and strips control characters.
     * May be called from any thread.
     */
    void (*log)(const struct casb_host *host, enum casb_level level, const char *node,
                const char *text);
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
