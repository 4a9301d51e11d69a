/* SPDX-License-Identifier: Apache-2.0 */
/* A host for plugins under test that keeps their log lines; and a call without a near deadline. */
#ifndef TESTS_UNIT_RECORDING_HOST_H
#define TESTS_UNIT_RECORDING_HOST_H

#include "base/clock.h"

#include <cas-backup/host.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct recording_host {
    struct casb_host host;
    pthread_mutex_t lock; /* guards log */
    char log[8192];       /* all lines of warnings, with '\n' behind each; the oldest stay */
};

static inline void recording_host_log(const struct casb_host *host, enum casb_level level,
                                      const char *node, const char *text)
{
    struct recording_host *r = host->arg;
    size_t len;

    (void)node;
    if (level < CASB_WARN)
        return;
    pthread_mutex_lock(&r->lock);
    len = strlen(r->log);
    snprintf(r->log + len, sizeof r->log - len, "%s\n", text);
    pthread_mutex_unlock(&r->lock);
}

/* Makes *r a host named as given; it must not move afterwards. */
static inline void recording_host_init(struct recording_host *r, const char *holder)
{
    *r = (struct recording_host){
        .host = {.size = sizeof r->host,
                 .instance = "mycas-backup",
                 .source = "src",
                 .holder = holder,
                 .arg = r,
                 .log = recording_host_log},
        .lock = PTHREAD_MUTEX_INITIALIZER,
    };
}

/* A call that ends `seconds` from now and cannot be cancelled. */
static inline struct casb_call call_for(int64_t seconds)
{
    return (struct casb_call){clock_now_ns() + seconds * CLOCK_S, -1};
}

#endif
