/* SPDX-License-Identifier: Apache-2.0 */
/* A CAS that answers as one did in a recording (tape.h), so that a recording is a test. */
#ifndef KIT_PLAYBACK_H
#define KIT_PLAYBACK_H

#include <jansson.h>
#include <stdbool.h>

struct playback {
    json_t *recording;
    const char *side; /* "primary" or "backup" */
};

/* Reads a recording; ends the process where it is none, or has answers that are no JSON. */
void playback_load(struct playback *playback, const char *path, const char *side);

/*
 * The recorded answer to a request: its status, and the body in *ret_body (NULL: none), which the
 * caller frees. A request must be the recorded one but for what was taken out of it: 404 for
 * another path, 401 without the client certificate, 400 for another body. A primary tells its
 * version in any case.
 */
int playback_answer(const struct playback *playback, const char *method, const char *path,
                    bool client_certificate, const json_t *body, json_t **ret_body);

#endif
