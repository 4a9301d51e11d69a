/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults of the sandbox's Kubernetes API, as PUT /sandbox/faults gives them: an array of objects
 * with these keys, all optional but `match`.
 *
 *   match        a pattern (fnmatch) for "METHOD URI": the first fault that matches counts
 *   over         only requests with more bytes of body than that
 *   skip, times  let the first `skip` requests pass, then have `times` of them go wrong (all)
 *   delay_ms     wait before the request is done
 *   compact      forget the past first: older list tokens and versions get 410
 *   status       answer with this Status, of this `reason` and `message`
 *   retry_after  and with this header
 *   text         answer with this page of HTML in place of a Status: with `status`, else 200
 *   admit        of a creation: as admission would, merge this patch into the object first
 *   event        of a watch: give the Status as an ERROR event
 *   mute         of a watch: give nothing, but keep it open as long as it was asked for
 *   garbage      answer 200 with something that is no JSON
 *   cut          close the connection after so many bytes of the body, 0: without any answer
 *   done         do the request before it is answered wrong (with status, garbage, cut 0)
 */
#ifndef SANDBOX_KUBE_FAULT_H
#define SANDBOX_KUBE_FAULT_H

#include <jansson.h>
#include <stdbool.h>

struct fault {
    unsigned status, delay_ms;
    int retry_after;
    long cut; /* -1: the connection stays */
    bool compact, event, mute, garbage, done;
    const char *reason, *message, *text; /* of `spec`, as is `admit`; NULL: not given */
    const json_t *admit;
    json_t *spec;
};

/* What goes wrong with this request, by the list; counts it there. The caller frees ret->spec. */
void fault_take(json_t *faults, const char *method, const char *uri, size_t body_len,
                struct fault *ret);

#endif
