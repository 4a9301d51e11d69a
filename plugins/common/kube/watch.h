/* SPDX-License-Identifier: Apache-2.0 */
/* A watch's stream of events, apart from the connection that it comes from. */
#ifndef KUBE_WATCH_H
#define KUBE_WATCH_H

#include "common/kube/kube.h"

/*
 * What is known of a watch. Start it with version, event, arg and pending = BUF_INIT(...) set;
 * free that in the end.
 */
struct watch_stream {
    char version[KUBE_VERSION_BYTES]; /* of the last event: from here it can be resumed */
    kube_event_fn *event;
    void *arg;
    struct buf pending; /* of an event that has not arrived whole */
    bool any;           /* an object's event arrived; the owner resets it */
    int64_t retry_ns;   /* an ERROR event asked for another try after that; -1: none did */
    bool ended;         /* nothing more is taken: result and err say why */
    int result;
    struct casb_error err;
};

/*
 * Takes a piece of the stream: JSON objects with a newline behind each (Kubernetes' "API concepts:
 * efficient detection of changes"), or Protocol Buffers with a length before each
 * (apimachinery/pkg/util/framer). Non-zero where no more is wanted: `ended`, or `retry_ns` is
 * not -1.
 */
int watch_stream_feed(struct watch_stream *stream, const char *data, size_t len);

#endif
