/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/decide.h"

#include "base/clock.h"
#include "base/identity.h"
#include "base/text.h"

#define SEEN_AGAIN_S (24 * 60 * 60)
#define BACKOFF_S    60 /* after the first failure */

/* ---- which machine it is */

/* Fills in what is known of the machine: where LAS was not started anew it is as the record says.
 */
static void recall(const struct casb_node *node, const struct casb_record *record,
                   struct decision *d)
{
    bool same_place =
        record && !text_empty(node->las_source) && text_equal(record->las_source, node->las_source);

    d->machine = node->machine;
    if (identity_is_known(&d->machine.las))
        return;
    d->las_none = node->las_none || (same_place && record->las_none);
    if (same_place && !d->las_none)
        d->machine.las = record->machine.las;
}

/* There is something to be read that was not. */
static bool is_unread(const struct casb_node *node, const struct decide_policy *policy,
                      const struct decision *d)
{
    return policy->may_identify && node->las_source && !d->las_none &&
           !identity_is_known(&d->machine.las);
}

/*
 * What the record is compared with. While LAS can tell, the boot ID alone says nothing against a
 * machine that may just have been rebooted.
 */
static struct casb_machine evident(const struct casb_node *node, const struct casb_record *record,
                                   const struct decision *d, bool unread)
{
    struct casb_machine machine = d->machine;

    if (unread && record && identity_is_known(&record->machine.las) &&
        !text_empty(node->las_source))
        machine.boot = (struct casb_identity){0};
    return machine;
}

/*
 * Is it the machine that was registered? The boot ID only speaks where what LAS shows cannot be
 * compared: it changes with every reboot. *ret_reason is why not.
 */
static enum identity_evidence compare(const struct casb_machine *now,
                                      const struct casb_machine *known, const char **ret_reason)
{
    enum identity_evidence las = identity_compare(&now->las, &known->las);

    *ret_reason = las == IDENTITY_SILENT          ? "boot-id-changed"
                  : now->las.kind == CASB_LAS_KEY ? "las-key-changed"
                                                  : "las-qe-id-changed";
    return las == IDENTITY_SILENT ? identity_compare(&now->boot, &known->boot) : las;
}

/*
 * What was seen before stands until as much says otherwise: LAS may have shown another machine
 * under the boot ID of the record.
 */
static bool is_changed(const struct casb_machine *now, const struct casb_record *record)
{
    const char *reason;
    enum identity_evidence seen = compare(now, &record->machine, &reason);

    if (seen == IDENTITY_SAME && identity_is_known(&record->machine.las))
        seen = identity_compare(&now->las, &record->machine.las);
    return seen == IDENTITY_DIFFERS || (seen == IDENTITY_SILENT && record->changed > 0);
}

/* ---- what to do with it */

/* Was it ever registered with this primary? */
static bool is_ours(const struct casb_record *record, const struct decide_policy *policy)
{
    return record && record->registered > 0 && text_equal(record->primary, policy->primary);
}

/* A time that is still to come is no age. */
static bool expired(const struct casb_record *record, const struct decide_policy *policy)
{
    if (policy->max_age_s == 0)
        return false;
    return policy->now_s - record->registered > policy->max_age_s ||
           clock_is_ahead(record->registered, policy->now_s) ||
           clock_is_ahead(record->attempted, policy->now_s);
}

static const char *register_reason(const struct casb_machine *now, const struct casb_record *record,
                                   const struct decide_policy *policy, bool changed)
{
    const char *why;

    if (!record || record->status == CASB_NONE)
        return "new";
    if (record->status == CASB_FAILED)
        return "retry";
    if (!text_equal(record->primary, policy->primary))
        return "primary-changed";
    if (changed)
        return compare(now, &record->machine, &why) == IDENTITY_DIFFERS ? why : "hardware-changed";
    if (record->release && !text_equal(record->release, policy->release))
        return "release-changed";
    if (policy->forced)
        return "forced";
    return expired(record, policy) ? "expired" : NULL;
}

/* Did it fail so lately that it is not tried again yet? A time that is still to come is no age. */
static bool backs_off(const struct casb_record *record, const struct decide_policy *policy)
{
    int64_t age_s = record ? policy->now_s - record->attempted : 0;
    int64_t wait_s = BACKOFF_S;

    if (!record || record->status != CASB_FAILED || policy->forced || age_s < 0)
        return false;
    for (uint32_t i = 1; i < record->attempts && wait_s < policy->retry_backoff_s; i++)
        wait_s *= 2;
    return age_s < (wait_s < policy->retry_backoff_s ? wait_s : policy->retry_backoff_s);
}

/* What keeps it from being registered now; NULL: nothing. */
static const char *held_up(const struct casb_node *node, const struct casb_record *record,
                           const struct decide_policy *policy)
{
    if (node->blocked)
        return node->blocked;
    return backs_off(record, policy) ? "backing-off" : NULL;
}

/*
 * Does it matter which machine it is? Where that is compared, or will be recorded. Of one that
 * fails it is enough to know that it is another.
 */
static bool matters(const struct casb_record *record, const struct decide_policy *policy,
                    const struct decision *d)
{
    bool ours = is_ours(record, policy);

    if (d->action == DECIDE_REGISTER)
        return ours || !policy->plan;
    return d->holds || (ours && record->status == CASB_REGISTERED);
}

/* Does the node take part? *d gets why not. */
static bool takes_part(const struct casb_node *node, const struct decide_policy *policy,
                       struct decision *d)
{
    bool control_plane = node->control_plane && !policy->include_control_plane;

    d->selected = !control_plane && !node->excluded;
    d->left_out = policy->left_out;
    d->reason = d->left_out ? "left-out" : control_plane ? "control-plane" : node->excluded;
    return d->selected && !d->left_out;
}

struct decision decide(const struct casb_node *node, const struct casb_record *record,
                       const struct decide_policy *policy)
{
    struct decision d = {.action = DECIDE_SKIP, .release = policy->release};
    const char *held = held_up(node, record, policy);
    struct casb_machine now;
    bool unread;

    recall(node, record, &d);
    unread = is_unread(node, policy, &d);
    now = evident(node, record, &d, unread);
    d.changed = record && record->registered > 0 && is_changed(&now, record);
    d.holds = is_ours(record, policy) && !d.changed;
    if (!takes_part(node, policy, &d))
        return d;
    d.reason = register_reason(&now, record, policy, d.changed);
    d.action = !d.reason ? DECIDE_KEEP : held ? DECIDE_SKIP : DECIDE_REGISTER;
    if (unread && matters(record, policy, &d))
        d.action = DECIDE_IDENTIFY;
    if (d.action == DECIDE_KEEP || d.action == DECIDE_IDENTIFY)
        d.reason = "";
    else if (d.action == DECIDE_SKIP)
        d.reason = held;
    return d;
}

const char *decide_release(const struct casb_record *record, const struct decision *decision)
{
    if (!decision->holds)
        return NULL;
    return record->release ? record->release : decision->release;
}

/* ---- what the record keeps of it */

static bool refresh(const char **known, const char *now)
{
    if (!now || text_equal(*known, now))
        return false;
    *known = now;
    return true;
}

static bool refresh_identity(struct casb_identity *known, const struct casb_identity *now)
{
    if (!identity_is_known(now) || identity_compare(known, now) == IDENTITY_SAME)
        return false;
    *known = *now;
    return true;
}

/* Notes where the node's identity was read, or that there is none. */
static bool refresh_las_source(struct casb_record *record, const struct casb_node *node,
                               const struct decision *decision)
{
    bool changed = record->las_none != decision->las_none;

    if (text_empty(node->las_source))
        return false;
    record->las_none = decision->las_none;
    return refresh(&record->las_source, node->las_source) || changed;
}

static bool refresh_kept(struct casb_record *record, const struct casb_node *node,
                         const struct decision *decision)
{
    bool changed = refresh_identity(&record->machine.boot, &decision->machine.boot);

    /* the word without what was read there would say that a log was read which was not */
    if (identity_is_known(&decision->machine.las)) {
        changed |= refresh_identity(&record->machine.las, &decision->machine.las);
        changed |= refresh_las_source(record, node, decision);
    }
    return changed;
}

static bool note_unprotected(struct casb_record *record, const struct decision *decision,
                             int64_t now_s)
{
    bool unprotected = decision->selected && !decision->holds;

    if (unprotected == (record->unprotected > 0) && !clock_is_ahead(record->unprotected, now_s))
        return false;
    record->unprotected = unprotected ? now_s : 0;
    return true;
}

/* The one of before stands where nothing was decided. */
static bool note_reason(struct casb_record *record, const struct decision *decision)
{
    const char *reason = decision->action == DECIDE_KEEP ? NULL : decision->reason;

    if (decision->left_out || decision->action == DECIDE_IDENTIFY ||
        text_equal(record->reason, reason) || (!record->reason && !reason))
        return false;
    record->reason = reason;
    return true;
}

bool decide_note(struct casb_record *record, const struct casb_node *node,
                 const struct decision *decision, int64_t now_s)
{
    bool changed = decision->las_none && refresh_las_source(record, node, decision);

    if (record->registered > 0 && !record->release)
        changed |= refresh(&record->release, decision->release);
    changed |= note_unprotected(record, decision, now_s);
    changed |= note_reason(record, decision);
    if (decision->changed == (record->changed > 0))
        return changed;
    record->changed = decision->changed ? now_s : 0;
    return true;
}

static bool refresh_seen(struct casb_record *record, int64_t now_s)
{
    bool again = now_s - record->seen >= SEEN_AGAIN_S || clock_is_ahead(record->seen, now_s);

    if (!again && !record->absent)
        return false;
    record->seen = now_s;
    record->absent = record->missed = record->absent_s = 0;
    return true;
}

bool decide_refresh(struct casb_record *record, const struct casb_node *node, const char *source,
                    const struct decision *decision, int64_t now_s)
{
    bool changed = refresh(&record->name, node->name);

    changed |= refresh(&record->source, source);
    if (decision->action == DECIDE_KEEP)
        changed |= refresh_kept(record, node, decision);
    changed |= decide_note(record, node, decision, now_s);
    return refresh_seen(record, now_s) || changed;
}
