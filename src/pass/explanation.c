/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/explanation.h"

#include "base/clock.h"
#include "base/identity.h"
#include "base/jsonx.h"
#include "base/record.h"
#include "base/text.h"
#include "pass/decide.h"
#include "report/coverage.h"

#include <string.h>

#define TEXT_BYTES 512

/* What the reason means; "": there is no more to it than its words. */
static const char *meaning_of(const struct casb_node *node, const char *reason)
{
    static const struct {
        const char *reason, *meaning;
    } words[] = {
        {"", "it is registered, and nothing that counts is another than then"},
        {"new", "it was never registered"},
        {"retry", "the last attempt failed"},
        {"primary-changed", "it is registered with another primary"},
        {"las-key-changed", "its LAS shows another key than when it was registered: another "
                            "machine, microcode or hyperthreading"},
        {"las-qe-id-changed", "its LAS shows another QE ID than when it was registered"},
        {"boot-id-changed", "it was booted since it was registered, and LAS does not say that it "
                            "is the same machine"},
        {"hardware-changed", "it was seen to be another machine than the one that was registered, "
                             "and nothing says that it no longer is"},
        {"release-changed", "it is registered for another release"},
        {"forced", "it was asked for with --force"},
        {"expired", "it was registered longer ago than max_age, or in the future"},
        {"control-plane", "control-plane nodes take no part"},
        {"backing-off", "it failed again and again, and is tried less often (retry_backoff)"},
    };

    for (size_t i = 0; i < ELEMENTS(words); i++)
        if (strcmp(reason, words[i].reason) == 0)
            return words[i].meaning;
    return text_equal(reason, node->blocked) || text_equal(reason, node->excluded)
               ? "its source says that no backup CAS can run there"
               : "";
}

static const char *action_name(enum decide_action action)
{
    static const char *const names[] = {"skip", "keep", "register", "identify"};

    return names[action];
}

/* What would be decided if nothing kept a backup CAS from there now. */
static struct decision behind(const struct pass_sight *sight)
{
    struct casb_node node = *sight->node;
    struct decide_policy policy = *sight->policy;

    node.blocked = node.excluded = NULL;
    node.control_plane = policy.may_identify = false;
    policy.retry_backoff_s = 0;
    return decide(&node, sight->known, &policy);
}

/* ---- what comes next */

static void write_next(const struct pass_sight *sight, char out[static TEXT_BYTES])
{
    const struct decision *decision = sight->decision;
    int64_t max_age_s = sight->policy->max_age_s;
    char when[CLOCK_RFC3339_BYTES];

    if (!decision->selected)
        snprintf(out, TEXT_BYTES, "none, while it takes no part");
    else if (decision->action == DECIDE_REGISTER)
        snprintf(out, TEXT_BYTES, "in the next pass");
    else if (decision->action == DECIDE_SKIP && behind(sight).action != DECIDE_KEEP)
        snprintf(out, TEXT_BYTES, "in the first pass after that has ended");
    else if (max_age_s > 0 && sight->known)
        snprintf(out, TEXT_BYTES, "after %s, when it is older than max_age",
                 clock_format(when, (sight->known->registered + max_age_s) * 1000, false));
    else
        snprintf(out, TEXT_BYTES, "none, until one of the facts changes");
}

/* Its name where a shell takes it as it stands, else its uid, which is as good. */
static const char *word_for(const char *name, const char *uid)
{
    return name && record_is_uid(name) ? name : uid;
}

static void write_command(const struct pass_sight *sight, char out[static TEXT_BYTES])
{
    const struct casb_discovery_ops *ops = plugins_discovery(sight->source);
    const char *word = word_for(sight->node->name, sight->node->uid);

    out[0] = '\0';
    if (text_equal(sight->decision->reason, "control-plane"))
        snprintf(out, TEXT_BYTES, "set `include_control_plane: true` to have it take part");
    else if (text_equal(sight->decision->reason, "backing-off"))
        snprintf(out, TEXT_BYTES, "cas-backup run --verbose --force %s", word);
    else if (sight->decision->action == DECIDE_SKIP && ops->unblock)
        ops->unblock(sight->source->self, sight->node, out, TEXT_BYTES);
    else if (sight->decision->action == DECIDE_REGISTER)
        snprintf(out, TEXT_BYTES, "cas-backup run --verbose --only %s", word);
    if (!out[0])
        snprintf(out, TEXT_BYTES, "cas-backup coverage %s", word);
}

/* ---- the facts */

static json_t *now_json(const struct pass_sight *sight)
{
    const struct casb_node *node = sight->node;
    const struct casb_machine *machine = &sight->decision->machine;

    return jsonx_new("{s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:b, s:b, s:s*, s:s*}", "name",
                     node->name, "source", sight->source->host.source, "primary",
                     sight->policy->primary, "release", sight->policy->release, "las_key",
                     identity_text(&machine->las, CASB_LAS_KEY), "las_qe_id",
                     identity_text(&machine->las, CASB_LAS_QE_ID), "boot_id",
                     identity_text(&machine->boot, CASB_BOOT_ID), "las_source",
                     text_empty(node->las_source) ? NULL : node->las_source, "las_none",
                     sight->decision->las_none, "control_plane", node->control_plane, "excluded",
                     node->excluded, "blocked", node->blocked);
}

static json_t *record_json(const struct casb_record *known)
{
    json_t *json = NULL;

    return record_to_json(known, &json, NULL) ? NULL : json;
}

/* Adds `key`, where there is something to add; takes `value`. Gives the object, or NULL. */
static json_t *with(json_t *object, const char *key, bool there, json_t *value)
{
    if (!object || (there && json_object_set_new(object, key, value))) {
        json_decref(object);
        return NULL;
    }
    return object;
}

json_t *explanation_of_node(const struct pass_sight *sight)
{
    const struct decision *decision = sight->decision;
    const char *why = behind(sight).reason;
    bool masked = decision->action == DECIDE_SKIP && !text_equal(why, decision->reason);
    char next[TEXT_BYTES], command[TEXT_BYTES];
    json_t *json;

    write_next(sight, next);
    write_command(sight, command);
    json =
        jsonx_new("{s:s, s:s, s:s, s:b, s:b, s:s, s:s, s:s, s:s, s:s}", "name", sight->node->name,
                  "uid", sight->node->uid, "source", sight->source->host.source, "present", true,
                  "protected", decision->holds, "decision", action_name(decision->action), "reason",
                  decision->reason, "meaning", meaning_of(sight->node, decision->reason),
                  "next_attempt", next, "command", command);
    json = with(json, "behind", masked, masked ? json_string(why) : NULL);
    json = with(json, "behind_meaning", masked,
                masked ? json_string(meaning_of(sight->node, why)) : NULL);
    json = with(json, "record", sight->known, sight->known ? record_json(sight->known) : NULL);
    return with(json, "now", true, now_json(sight));
}

json_t *explanation_of_record(const struct casb_record *known, const char *primary, bool scanned)
{
    const char *why = coverage_reason(known, primary);
    char command[TEXT_BYTES];
    json_t *json;

    if (scanned)
        snprintf(command, sizeof command, "cas-backup forget %s, where the machine is scrapped",
                 known->uid);
    else
        snprintf(command, sizeof command, "cas-backup check");
    json = jsonx_new(
        "{s:s, s:s, s:s, s:o, s:b, s:s, s:s, s:s, s:s, s:s}", "name",
        known->name ? known->name : known->uid, "uid", known->uid, "source",
        known->source ? known->source : "", "present", scanned ? json_false() : json_null(),
        "protected", !why, "decision", "none", "reason", scanned ? "absent" : "unknown", "meaning",
        scanned ? "no source has it now; what was registered still counts if the machine comes back"
                : "what is there now could not be looked at",
        "next_attempt", scanned ? "none, while no source has it" : "in the next pass that can look",
        "command", command);
    json = with(json, "behind", why, why ? json_string(why) : NULL);
    return with(json, "record", true, record_json(known));
}

json_t *explanation_of_nothing(const char *name, const char *near, bool scanned)
{
    const char *nobody =
        scanned ? "no source has such a node, and there is no record of one"
                : "there is no record of such a node, and what is there now could not be looked at";
    char clean[TEXT_BYTES / 2], meaning[2 * TEXT_BYTES];

    if (near)
        snprintf(meaning, sizeof meaning, "%s; is '%s' meant?", nobody, near);
    else
        snprintf(meaning, sizeof meaning, "%s", nobody);
    return jsonx_new(
        "{s:s, s:o, s:b, s:s, s:s, s:s, s:s, s:s}", "name", text_clean(clean, sizeof clean, name),
        "present", scanned ? json_false() : json_null(), "protected", false, "decision", "none",
        "reason", "unknown", "meaning", meaning, "next_attempt", "none, while no source has it",
        "command", scanned ? "cas-backup plan" : "cas-backup check");
}
