/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/note.h"

#include "base/clock.h"
#include "base/text.h"

/* What is new in it; 0: nothing that anybody is told. What is tried next is told after that. */
static enum casb_outcome news_of(const struct casb_record *known, const struct casb_record *now,
                                 const struct decision *decision)
{
    if (now->changed > 0 && !(known && known->changed > 0))
        return CASB_OUTCOME_HARDWARE_CHANGED;
    if (now->unprotected == 0 || decision->action != DECIDE_SKIP || decision->left_out)
        return 0;
    if (known && known->unprotected > 0 && text_equal(known->reason, now->reason))
        return 0;
    return CASB_OUTCOME_UNPROTECTED;
}

int note_node(struct pass *pass, const struct plugin *source, const struct casb_node *node,
              struct record *record, const struct decision *decision, struct casb_error *err)
{
    struct casb_record before;
    const struct casb_record *known = records_values(record, &before);
    struct casb_record values = known ? *known : (struct casb_record){.uid = node->uid};

    if (pass->mode == PASS_PLAN || (!known && (!decision->selected || decision->left_out)))
        return 0;
    if (!decide_refresh(&values, node, source->host.source, decision, clock_wall_ms() / 1000))
        return 0;
    records_set_news(record, news_of(known, &values, decision));
    return records_set(pass->records, record, &values, NULL, NULL, err);
}
