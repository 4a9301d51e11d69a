/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/attempt.h"

#include "base/clock.h"
#include "base/identity.h"
#include "base/text.h"

struct casb_record attempt_begin(const struct casb_record *known, const struct casb_node *node,
                                 const char *source)
{
    struct casb_record values = known ? *known : (struct casb_record){0};

    values.uid = node->uid;
    values.name = node->name;
    values.source = source;
    values.seen = clock_wall_ms() / 1000;
    values.absent = values.missed = values.absent_s = 0;
    return values;
}

void attempt_success(struct casb_record *values, const struct casb_node *node,
                     const struct decision *decision, const char *primary)
{
    bool was_read = identity_is_known(&decision->machine.las) || decision->las_none;

    values->attempted = values->seen;
    values->status = CASB_REGISTERED;
    values->registered = values->attempted;
    values->primary = primary;
    values->release = decision->release;
    values->machine = decision->machine;
    values->las_source = was_read && !text_empty(node->las_source) ? node->las_source : NULL;
    values->las_none = decision->las_none;
    values->changed = 0;
    values->unprotected = 0;
    values->reason = NULL;
    values->attempts = 0;
    values->told = 0;
    values->error = NULL;
}

void attempt_failure(struct casb_record *values, const struct casb_node *node,
                     const struct decision *decision, const char *error)
{
    values->attempted = values->seen;
    (void)decide_note(values, node, decision, values->attempted);
    values->status = CASB_FAILED;
    values->attempts++;
    values->error = error;
}
