/* SPDX-License-Identifier: Apache-2.0 */
/* A watch's stream of events, apart from the connection that it comes from. */
#ifndef KUBE_WATCH_H
#define KUBE_WATCH_H

#include "kube/kube.h"

#define WATCH_LINE_BYTES (4 * 1024 * 1024)

/*
 * What is known of a watch. Start it with version, event, arg and line = BUF_INIT(...) set; free
 * the line in the end.
 */
struct watch_stream {
    char version[KUBE_VERSION_BYTES]; /* of the last event: from here it can be resumed */
    kube_event_fn *event;
    void *arg;
    struct buf line;  /* of an event that has not arrived whole */
    bool any;         /* an event arrived; the owner resets it */
    int64_t retry_ns; /* an ERROR event asked for another try after that; -1: none did */
    bool ended;       /* nothing more is taken: result and err say why */
    int result;
    struct casb_error err;
};

/*
 * Takes a piece of the stream: JSON objects with a newline behind each (Kubernetes' "API concepts:
 * efficient detection of changes"). Non-zero where no more is wanted: `ended`, or `retry_ns` is
 * not -1.
 */
int watch_stream_feed(struct watch_stream *stream, const char *data, size_t len);

#endif
