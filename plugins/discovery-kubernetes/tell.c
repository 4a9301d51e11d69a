/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/tell.h"

/* A failed attempt says nothing about the registration before it, which may hold: settle() does. */
static int set_mark(const struct discovery *d, const struct casb_call *call,
                    const struct casb_news *news, struct casb_error *err)
{
    if (!d->settings->label || news->outcome == CASB_OUTCOME_FAILED)
        return 0;
    return marks_set(d->marks, call, news->uid, news->name,
                     news->outcome == CASB_OUTCOME_REGISTERED, err);
}

int tell_news(void *self, const struct casb_call *call, const struct casb_news *news,
              struct casb_error *err)
{
    const struct discovery *d = self;
    int marked = set_mark(d, call, news, err);
    int told = d->settings->events ? events_tell(d->events, call, news, marked ? NULL : err) : 0;

    return marked ? marked : told;
}

int tell_settle(void *self, const struct casb_call *call, casb_protected_fn *is_protected,
                void *arg, struct casb_error *err)
{
    const struct discovery *d = self;
    bool listed = is_protected && !d->selector; /* all nodes were; a cleanup scans none */
    int marked = d->settings->label || !is_protected
                     ? marks_settle(d->marks, call, listed, is_protected, arg, err)
                     : 0;
    int told = d->settings->events ? events_end(d->events, call, marked ? NULL : err) : 0;

    return marked ? marked : told;
}
