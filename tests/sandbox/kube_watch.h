/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A watch of the sandbox's Kubernetes API: its answer is for each change a line of JSON, or a frame
 * of Protocol Buffers.
 */
#ifndef SANDBOX_KUBE_WATCH_H
#define SANDBOX_KUBE_WATCH_H

#include "base/buf.h"
#include "sandbox/kube_api.h"

struct watch;

/*
 * Begins a watch for a request that api_do() let through. With `mute` nothing ever comes. `broken`
 * has it give one ERROR with this Status and end; NULL: it works. `proto`: frames where they can
 * be. Wants the store's lock held, and may be used by one thread.
 */
struct watch *watch_new(struct store *store, const struct api_request *request, bool mute,
                        const json_t *broken, bool proto);

/* Frees it; without the store's lock. NULL is fine. */
void watch_free(struct watch *watch);

/* Waits for the next lines and appends them. False: it is over. Takes the store's lock itself. */
bool watch_next(struct watch *watch, struct buf *lines);

#endif
