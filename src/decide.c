/* SPDX-License-Identifier: Apache-2.0 */
#include "decide.h"

#include "base/text.h"

#define SEEN_AGAIN_S (24 * 60 * 60)

bool decide_is_keyless(const char *las_source)
{
    return las_source && las_source[0] == DECIDE_KEYLESS;
}

/* What two words about a machine say of it. */
enum evidence { UNKNOWN, SAME, CHANGED };

static enum evidence compare(const char *a, const char *b)
{
    if (!a || !b)
        return UNKNOWN;
    return text_equal(a, b) ? SAME : CHANGED;
}

/*
 * Is it the machine that was registered? The boot ID only speaks where the LAS keys cannot be
 * compared: it changes with every reboot. *ret_reason is why not.
 */
static enum evidence hardware(const struct casb_node *node, const struct casb_record *record,
                              const char **ret_reason)
{
    enum evidence las = compare(node->las_key, record->las_key);

    *ret_reason = las == UNKNOWN ? "boot-id-changed" : "las-key-changed";
    return las == UNKNOWN ? compare(node->boot_id, record->boot_id) : las;
}

/* Where nothing can be compared now, what was seen before stands. */
static bool is_changed(const struct casb_node *node, const struct casb_record *record)
{
    const char *reason;
    enum evidence seen = hardware(node, record, &reason);

    return seen == CHANGED || (seen == UNKNOWN && record->changed > 0);
}

static bool expired(const struct casb_record *record, const struct decide_policy *policy)
{
    return policy->max_age_s > 0 && policy->now_s - record->registered > policy->max_age_s;
}

static const char *register_reason(const struct casb_node *node, const struct casb_record *record,
                                   const struct decide_policy *policy)
{
    const char *why;

    if (!record || record->status == CASB_NONE)
        return "new";
    if (record->status == CASB_FAILED)
        return "retry";
    if (!text_equal(record->primary, policy->primary))
        return "primary-changed";
    if (hardware(node, record, &why) == CHANGED)
        return why;
    if (policy->forced)
        return "forced";
    return expired(record, policy) ? "expired" : NULL;
}

struct decision decide(const struct casb_node *node, const struct casb_record *record,
                       const struct decide_policy *policy)
{
    struct decision d = {.action = DECIDE_KEEP, .reason = ""};
    const char *reason;

    d.changed = record && record->registered > 0 && is_changed(node, record);
    d.holds = record && record->registered > 0 && text_equal(record->primary, policy->primary) &&
              !d.changed;
    if (node->control_plane && !policy->include_control_plane) {
        d.action = DECIDE_SKIP;
        d.reason = "control-plane";
        return d;
    }
    reason = register_reason(node, record, policy);
    if (reason) {
        d.action = node->blocked ? DECIDE_SKIP : DECIDE_REGISTER;
        d.reason = node->blocked ? node->blocked : reason;
    }
    return d;
}

static bool refresh(const char **known, const char *now)
{
    if (!now || text_equal(*known, now))
        return false;
    *known = now;
    return true;
}

static bool refresh_identity(struct casb_record *record, const struct casb_node *node,
                             const char *source)
{
    bool changed = refresh(&record->name, node->name);

    changed |= refresh(&record->source, source);
    changed |= refresh(&record->boot_id, node->boot_id);
    /* the word without its key would say that a log was read which was not */
    if (node->las_key) {
        changed |= refresh(&record->las_key, node->las_key);
        changed |=
            refresh(&record->las_source, text_empty(node->las_source) ? NULL : node->las_source);
    }
    return changed;
}

bool decide_note_change(struct casb_record *record, const struct decision *decision, int64_t now_s)
{
    if (decision->changed == (record->changed > 0))
        return false;
    record->changed = decision->changed ? now_s : 0;
    return true;
}

bool decide_refresh(struct casb_record *record, const struct casb_node *node, const char *source,
                    const struct decision *decision, int64_t now_s)
{
    bool changed = decision->action == DECIDE_KEEP && refresh_identity(record, node, source);

    changed |= decide_note_change(record, decision, now_s);
    if (decide_is_keyless(node->las_source))
        changed |= refresh(&record->las_source, node->las_source);
    if (now_s - record->seen < SEEN_AGAIN_S)
        return changed;
    record->seen = now_s;
    return true;
}

const char *decide_action_name(enum decide_action action)
{
    static const char *const names[] = {"skip", "keep", "register"};

    return names[action];
}
