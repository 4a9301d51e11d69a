/* SPDX-License-Identifier: Apache-2.0 */
#include "decide.h"

#include "base/text.h"

#define SEEN_AGAIN_S (24 * 60 * 60)

bool decide_is_keyless(const char *las_source)
{
    return las_source && las_source[0] == DECIDE_KEYLESS;
}

static bool both_known_and_differ(const char *a, const char *b)
{
    return a && b && !text_equal(a, b);
}

/*
 * Why the machine is not the one that was registered; NULL: it is, as far as is known. The boot
 * ID only speaks where the LAS keys cannot be compared: it changes with every reboot.
 */
static const char *hardware_change(const struct casb_node *node, const struct casb_record *record)
{
    if (both_known_and_differ(node->las_key, record->las_key))
        return "las-key-changed";
    if (node->las_key && record->las_key)
        return NULL;
    return both_known_and_differ(node->boot_id, record->boot_id) ? "boot-id-changed" : NULL;
}

static bool expired(const struct casb_record *record, const struct decide_policy *policy)
{
    return policy->max_age_s > 0 && policy->now_s - record->registered > policy->max_age_s;
}

static const char *register_reason(const struct casb_node *node, const struct casb_record *record,
                                   const struct decide_policy *policy)
{
    const char *changed;

    if (!record || record->status == CASB_NONE)
        return "new";
    if (record->status == CASB_FAILED)
        return "retry";
    if (!text_equal(record->primary, policy->primary))
        return "primary-changed";
    changed = hardware_change(node, record);
    if (changed)
        return changed;
    if (policy->forced)
        return "forced";
    return expired(record, policy) ? "expired" : NULL;
}

static bool holds(const struct casb_node *node, const struct casb_record *record,
                  const struct decide_policy *policy)
{
    return record && record->registered > 0 && text_equal(record->primary, policy->primary) &&
           !hardware_change(node, record);
}

struct decision decide(const struct casb_node *node, const struct casb_record *record,
                       const struct decide_policy *policy)
{
    struct decision d = {.action = DECIDE_KEEP, .reason = ""};
    const char *reason;

    d.holds = holds(node, record, policy);
    d.replaced = record && both_known_and_differ(node->las_key, record->las_key);
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

bool decide_refresh(struct casb_record *record, const struct casb_node *node, const char *source,
                    enum decide_action action, int64_t now_s)
{
    bool changed = action == DECIDE_KEEP && refresh_identity(record, node, source);

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
