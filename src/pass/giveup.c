/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/giveup.h"

#include "base/text.h"
#include "log.h"
#include "report/hints.h"

void giveup_note_success(struct pass *pass)
{
    pthread_mutex_lock(&pass->lock);
    pass->attempts.succeeded++;
    pthread_mutex_unlock(&pass->lock);
}

void giveup_note_failure(struct pass *pass, const struct plugin *source, const char *node,
                         bool registering, const struct casb_error *failure)
{
    struct attempts *attempts = &pass->attempts;

    pthread_mutex_lock(&pass->lock);
    if (attempts->failed++ == 0) {
        attempts->source = source;
        attempts->registering = registering;
        attempts->first = *failure;
        text_clean(attempts->node, sizeof attempts->node, node);
    }
    pthread_mutex_unlock(&pass->lock);
}

bool giveup_is_due(struct pass *pass)
{
    const size_t most = (size_t)pass->settings->give_up_after;
    bool due;

    pthread_mutex_lock(&pass->lock);
    due = most > 0 && pass->attempts.failed >= most && pass->attempts.succeeded == 0;
    pthread_mutex_unlock(&pass->lock);
    return due;
}

/* Is there a session, so that a policy attests who registers? */
static bool has_session(const struct settings *settings)
{
    for (size_t i = 0; i < settings->request->n_overrides; i++)
        if (text_equal(settings->request->overrides[i].name, "session"))
            return true;
    return json_object_get(settings->registration.tree, "session");
}

void giveup_tell(struct pass *pass)
{
    const struct attempts *attempts = &pass->attempts;
    struct hint_facts facts = {.registering = attempts->registering,
                               .code = attempts->first.code,
                               .http = attempts->first.http,
                               .session = has_session(pass->settings)};
    const char *hints[HINTS_MAX];
    size_t count;

    if (attempts->failed == 0 || attempts->succeeded > 0)
        return;
    if (plugins_discovery(attempts->source)->image)
        facts.image = plugins_discovery(attempts->source)->image(attempts->source->self);
    count = hints_find(&facts, hints);
    if (giveup_is_due(pass))
        log_error("given up after %zu failures without a success; the first, of node '%s': %s",
                  attempts->failed, attempts->node, attempts->first.text);
    for (size_t i = 0; i < count; i++)
        log_warn("a likely cause: %s", hints[i]);
    report_set_cause(pass->report, attempts->node, attempts->first.text, hints, count);
}
