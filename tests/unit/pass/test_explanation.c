/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/clock.h"
#include "base/identity.h"
#include "base/jsonx.h"
#include "pass/decide.h"
#include "pass/explanation.h"

#define NOW 1790000000

static void unblock(void *self, const struct casb_node *node, char *ret, size_t size)
{
    (void)self;
    snprintf(ret, size, "free %s", node->name);
}

static const struct casb_discovery_ops ops = {.size = sizeof ops, .unblock = unblock};
static const struct casb_plugin descriptor = {.ops = &ops};
static const struct plugin source = {.descriptor = &descriptor, .host = {.source = "fake"}};

/* A node, its record and the policy, which fit: it would be kept. */
struct facts {
    struct casb_node node;
    struct casb_record known;
    struct decide_policy policy;
    bool unknown; /* there is no record */
};

static struct facts kept(void)
{
    struct facts f = {
        .node = {.uid = "u1", .name = "node-1"},
        .known = {.uid = "u1",
                  .name = "node-1",
                  .source = "fake",
                  .status = CASB_REGISTERED,
                  .primary = "p1",
                  .release = "r1",
                  .registered = NOW - 100,
                  .attempted = NOW - 100},
        .policy = {.primary = "p1", .release = "r1", .plan = true, .now_s = NOW},
    };

    assert_int_equal(identity_set(&f.node.machine.boot, CASB_BOOT_ID, "boot-1"), 0);
    f.known.machine.boot = f.node.machine.boot;
    return f;
}

static json_t *explain(const struct facts *f)
{
    const struct casb_record *known = f->unknown ? NULL : &f->known;
    const struct decision decision = decide(&f->node, known, &f->policy);
    const struct pass_sight sight = {&source, &f->node, known, &f->policy, &decision};
    json_t *json = explanation_of_node(&sight);

    assert_non_null(json);
    return json;
}

static void is(const json_t *json, const char *key, const char *want)
{
    const char *text = jsonx_string(json, key);

    if (want == NULL ? text != NULL : !text || strcmp(text, want) != 0)
        fail_msg("%s: %s, and not %s", key, text ? text : "-", want ? want : "-");
}

static void old_stands_beside_new(void **state)
{
    struct facts f = kept();
    json_auto_t *json = NULL;

    (void)state;
    assert_int_equal(identity_set(&f.node.machine.boot, CASB_BOOT_ID, "boot-2"), 0);
    f.policy.release = "r2";
    json = explain(&f);
    is(json, "record.boot_id", "boot-1");
    is(json, "now.boot_id", "boot-2");
    is(json, "record.release", "r1");
    is(json, "now.release", "r2");
    is(json, "record.primary", "p1");
    is(json, "now.primary", "p1");
    is(json, "record.registered", "2026-09-21T14:11:40Z");
    assert_false(jsonx_bool(json, "protected", true));
}

enum change {
    NOTHING,
    UNKNOWN,
    FAILED,
    BACKS_OFF,
    REBOOTED,
    CORDONED,
    CORDONED_CHANGED,
    EXCLUDED,
    CONTROL,
    AGES
};

static void change(struct facts *f, enum change what)
{
    f->unknown = what == UNKNOWN;
    if (what == FAILED || what == BACKS_OFF)
        f->known.status = CASB_FAILED;
    if (what == BACKS_OFF) {
        f->known.attempts = 3;
        f->policy.retry_backoff_s = 3600;
    }
    if (what == REBOOTED || what == CORDONED_CHANGED)
        assert_int_equal(identity_set(&f->node.machine.boot, CASB_BOOT_ID, "boot-2"), 0);
    if (what == CORDONED || what == CORDONED_CHANGED)
        f->node.blocked = "unschedulable";
    if (what == EXCLUDED)
        f->node.excluded = "pod-node-selector";
    f->node.control_plane = what == CONTROL;
    f->policy.max_age_s = what == AGES ? 86400 : 0;
}

static void the_decision_and_what_comes_next_are_said(void **state)
{
    static const struct {
        enum change change;
        const char *decision, *reason, *behind, *next, *command;
        bool protected;
    } rows[] = {
        {NOTHING, "keep", "", NULL, "none, until one of the facts changes",
         "cas-backup coverage node-1", true},
        {UNKNOWN, "register", "new", NULL, "in the next pass",
         "cas-backup run --verbose --only node-1", false},
        {FAILED, "register", "retry", NULL, "in the next pass",
         "cas-backup run --verbose --only node-1", true},
        {BACKS_OFF, "skip", "backing-off", "retry", "in the first pass after that has ended",
         "cas-backup run --verbose --force node-1", true},
        {REBOOTED, "register", "boot-id-changed", NULL, "in the next pass",
         "cas-backup run --verbose --only node-1", false},
        {CORDONED, "keep", "", NULL, "none, until one of the facts changes",
         "cas-backup coverage node-1", true},
        {CORDONED_CHANGED, "skip", "unschedulable", "boot-id-changed",
         "in the first pass after that has ended", "free node-1", false},
        {EXCLUDED, "skip", "pod-node-selector", "", "none, while it takes no part", "free node-1",
         true},
        {CONTROL, "skip", "control-plane", "", "none, while it takes no part",
         "set `include_control_plane: true` to have it take part", true},
        {AGES, "keep", "", NULL, "after 2026-09-22T14:11:40Z, when it is older than max_age",
         "cas-backup coverage node-1", true},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        struct facts f = kept();
        json_auto_t *json = NULL;

        change(&f, rows[i].change);
        json = explain(&f);
        assert_true(jsonx_string(json, "meaning")[0]);
        is(json, "decision", rows[i].decision);
        is(json, "reason", rows[i].reason);
        is(json, "behind", rows[i].behind);
        is(json, "next_attempt", rows[i].next);
        is(json, "command", rows[i].command);
        assert_int_equal(jsonx_bool(json, "protected", !rows[i].protected), rows[i].protected);
        assert_true(jsonx_bool(json, "present", false));
    }
}

static void a_name_that_a_shell_would_not_take_is_not_in_the_command(void **state)
{
    struct facts f = kept();
    json_auto_t *json = NULL;

    (void)state;
    f.node.name = "a; rm -rf /";
    json = explain(&f);
    is(json, "command", "cas-backup coverage u1");
}

static void one_that_is_not_there_goes_by_its_record(void **state)
{
    struct facts f = kept();
    json_auto_t *absent = explanation_of_record(&f.known, "p1", true);
    json_auto_t *other = explanation_of_record(&f.known, "p2", true);
    json_auto_t *unseen = explanation_of_record(&f.known, "p1", false);

    (void)state;
    is(absent, "reason", "absent");
    is(absent, "command", "cas-backup forget u1, where the machine is scrapped");
    assert_true(jsonx_bool(absent, "protected", false));
    assert_false(jsonx_bool(absent, "present", true));
    is(other, "behind", "registered with another primary");
    assert_false(jsonx_bool(other, "protected", true));
    is(unseen, "reason", "unknown");
    assert_true(json_is_null(jsonx_get(unseen, "present")));
    is(unseen, "record.boot_id", "boot-1");
}

static void of_an_unknown_one_the_nearest_name_is_said(void **state)
{
    json_auto_t *json = explanation_of_nothing("node-11", "node-1", true);

    (void)state;
    is(json, "meaning",
       "no source has such a node, and there is no record of one; is 'node-1' meant?");
    is(json, "command", "cas-backup plan");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_stands_beside_new),
        cmocka_unit_test(the_decision_and_what_comes_next_are_said),
        cmocka_unit_test(a_name_that_a_shell_would_not_take_is_not_in_the_command),
        cmocka_unit_test(one_that_is_not_there_goes_by_its_record),
        cmocka_unit_test(of_an_unknown_one_the_nearest_name_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
