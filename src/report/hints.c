/* SPDX-License-Identifier: Apache-2.0 */
#include "report/hints.h"

#include <cas-backup/error.h>

#include <stdint.h>
#include <string.h>

#define CODE(code) (1U << -(code))
#define ANY        UINT32_MAX

enum answer {
    ANSWER_ANY,
    ANSWER_NONE,    /* no CAS answered us: a CLI was called, or there was no connection */
    ANSWER_DENIED,  /* 401, 403 */
    ANSWER_UNKNOWN, /* 400, 404, 405, 415, 422: what was asked is not what the CAS knows */
};

/* A cause, and what it needs to fit. The rows stand in the order of how likely they are. */
static const struct row {
    const char *hint;
    const char *image; /* part of its name; NULL: any image, or an unknown one */
    uint32_t codes;
    enum answer answer;
    bool registering, session; /* needed where true */
} rows[] = {
    {"the backup's image is a preprovisioned CAS, which cannot be a backup: take the primary's own",
     "preprovisioned", ANY, ANSWER_ANY, false, false},
    {"the session's policy may be older than the CLI's image: its MRENCLAVE changes each release",
     NULL, CODE(CASB_EFAILED) | CODE(CASB_EDENIED), ANSWER_NONE, true, true},
    {"the primary may have another owner than the one that registers", NULL, ANY, ANSWER_DENIED,
     true, false},
    {"the CAS may want other calls than cas-api makes: docs/cas-api.md says how to check them",
     NULL, ANY, ANSWER_UNKNOWN, true, false},
    {"the pinned chain may be an earlier primary's, or have expired: attest the primary again",
     NULL, CODE(CASB_EDENIED), ANSWER_NONE, true, false},
    {"the backup's image is a SCONE 5, which stopped attesting at the end of October 2025",
     "scone5", CODE(CASB_EFAILED) | CODE(CASB_EDENIED) | CODE(CASB_ETIMEOUT), ANSWER_ANY, false,
     false},
    {"the backup's image may be of another signer, or older: take the primary's own", NULL,
     CODE(CASB_EFAILED) | CODE(CASB_EDENIED), ANSWER_ANY, true, false},
    {"the primary may be out of reach: a network policy can limit its clients to its namespace",
     NULL, CODE(CASB_ETIMEOUT) | CODE(CASB_EUNREACHABLE) | CODE(CASB_EFAILED), ANSWER_NONE, true,
     false},
};

static bool answer_fits(enum answer answer, int http)
{
    switch (answer) {
    case ANSWER_NONE:
        return http == 0;
    case ANSWER_DENIED:
        return http == 401 || http == 403;
    case ANSWER_UNKNOWN:
        return http == 400 || http == 404 || http == 405 || http == 415 || http == 422;
    case ANSWER_ANY:
        break;
    }
    return true;
}

static bool fits(const struct row *row, const struct hint_facts *facts)
{
    if (row->image && (!facts->image || !strstr(facts->image, row->image)))
        return false;
    if ((row->registering && !facts->registering) || (row->session && !facts->session))
        return false;
    return (row->codes & CODE(facts->code)) && answer_fits(row->answer, facts->http);
}

size_t hints_find(const struct hint_facts *facts, const char *ret[static HINTS_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && n < HINTS_MAX; i++) {
        if (fits(&rows[i], facts))
            ret[n++] = rows[i].hint;
    }
    return n;
}
