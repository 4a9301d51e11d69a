/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/remember.h"

#include "base/clock.h"
#include "log.h"

static int store(struct pass *pass, const struct casb_call *call, struct casb_error *err)
{
    const struct casb_state_ops *ops = plugins_state(pass->plugins);

    if (atomic_load(&pass->lock_lost)) /* somebody else may be writing */
        return 0;
    return ops->store_pass(pass->plugins->state.self, call, &pass->last.values, err);
}

/*
 * A state that is reached and does not keep what it is given keeps no record either: then all that
 * a pass registers would be registered again by the next one. A full disk may have room by then.
 */
static bool is_hopeless(const struct casb_error *why)
{
    return why->code == CASB_EFAILED && !why->sys_errno;
}

int remember_begin(struct pass *pass, struct casb_error *err)
{
    struct casb_pass *values = &pass->last.values;
    struct casb_error why = {0};

    if (!plugins_state(pass->plugins)->store_pass)
        return 0;
    if (lastpass_load(pass->plugins, &pass->call, &pass->last, &why)) {
        log_warn("the pass is not remembered: %s", why.text);
        return 0;
    }
    pass->remembered = true;
    values->started = clock_wall_ms() / 1000;
    values->version = PACKAGE_VERSION;
    values->address = pass->plugins->primary.address;
    values->primary = pass->plugins->primary.id;
    values->release = pass->plugins->n_sources > 0 ? pass->plugins->sources[0].release : NULL;
    values->min_registered = pass->settings->min_registered;
    if (!store(pass, &pass->call, &why))
        return 0;
    if (!is_hopeless(&why)) {
        log_warn("the pass is not remembered: %s", why.text);
        return 0;
    }
    pass->remembered = false;
    err_pass(err, &why);
    return err_wrap(err, why.code, "remember the pass");
}

static void note_counts(struct casb_pass *values, const struct report_counts *counts)
{
    values->nodes = (int64_t)counts->nodes;
    values->selected = (int64_t)counts->selected;
    values->registered = (int64_t)(counts->registered + counts->elsewhere);
    values->newly = (int64_t)counts->new;
    values->kept = (int64_t)counts->kept;
    values->failed = (int64_t)counts->failed;
    values->skipped = (int64_t)counts->skipped;
    values->absent = (int64_t)counts->absent;
}

void remember_end(struct pass *pass, int status)
{
    struct casb_pass *values = &pass->last.values;
    struct report_counts counts = report_counts(pass->report);
    int64_t chain_end = report_chain_end(pass->report);
    struct casb_call call = turn_cleanup_call(pass);
    struct casb_error why = {0};

    if (!pass->remembered)
        return;
    note_counts(values, &counts);
    call.deadline_ns -=
        (call.deadline_ns - clock_now_ns()) / 2; /* the lock is yet to be released */
    values->finished = clock_wall_ms() / 1000;
    values->duration_ms = report_milliseconds(pass->report);
    values->exit = status;
    if (status == 0)
        values->succeeded = values->finished;
    if (chain_end > 0)
        values->chain_not_after = chain_end;
    if (store(pass, &call, &why))
        log_warn("the pass is not remembered: %s", why.text);
}
