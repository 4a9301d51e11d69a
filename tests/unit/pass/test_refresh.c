/* SPDX-License-Identifier: Apache-2.0 */
/* What the record of a node keeps of a decision: decide_refresh() and decide_note(). */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "base/identity.h"
#include "pass/decide.h"

#define NOW INT64_C(1800000000)

static const struct casb_record registered = {
    .uid = "u",
    .name = "n",
    .source = "s",
    .status = CASB_REGISTERED,
    .primary = "this",
    .machine = {.las = {CASB_LAS_KEY, "A"}, .boot = {CASB_BOOT_ID, "b"}},
    .las_source = "pod/1",
    .registered = NOW - 10,
    .seen = NOW - 10};
static const struct decide_policy plain = {.primary = "this", .now_s = NOW};

/* Decides with what a look at the machine would have found, and refreshes the record. */
static bool refresh(struct casb_record *record, const struct casb_node *node, int64_t now_s)
{
    struct decision d = decide(node, record, &plain);

    return decide_refresh(record, node, "s", &d, now_s);
}

static void keeping_brings_the_record_up_to_date(void **state)
{
    struct casb_record record = registered;
    struct casb_node node = {.uid = "u",
                             .name = "n2",
                             .machine = {.las = {CASB_LAS_KEY, "A"}, .boot = {CASB_BOOT_ID, "b2"}},
                             .las_source = "pod/2"};

    (void)state;
    assert_true(refresh(&record, &node, NOW));
    assert_string_equal(record.name, "n2");
    assert_string_equal(record.machine.boot.text, "b2");
    assert_string_equal(record.las_source, "pod/2");
    assert_false(refresh(&record, &node, NOW));
}

/* SCONE 7 shows another kind of identity, which says nothing about the key of before. */
static void an_identity_of_another_kind_is_taken_over_where_the_boot_id_is_the_same(void **state)
{
    struct casb_record record = registered;
    struct casb_node node = {.uid = "u",
                             .name = "n",
                             .machine = {.las = {CASB_LAS_QE_ID, "Q"}, .boot = {CASB_BOOT_ID, "b"}},
                             .las_source = "pod/2"};
    struct decision d = decide(&node, &record, &plain);

    (void)state;
    assert_int_equal(d.action, DECIDE_KEEP);
    assert_true(refresh(&record, &node, NOW));
    assert_int_equal(record.machine.las.kind, CASB_LAS_QE_ID);
    assert_string_equal(record.machine.las.text, "Q");
    node.machine.las.text[0] = 'R';
    assert_string_equal(decide(&node, &record, &plain).reason, "las-qe-id-changed");
}

static void an_unknown_key_leaves_the_recorded_one(void **state)
{
    struct casb_record record = registered;
    struct casb_node node = {
        .uid = "u", .name = "n", .machine.boot = {CASB_BOOT_ID, "b"}, .las_source = "pod/2"};

    (void)state;
    assert_false(refresh(&record, &node, NOW));
    assert_string_equal(record.machine.las.text, "A");
    assert_string_equal(record.las_source, "pod/1");
}

static void that_there_is_no_key_is_noted_whatever_becomes_of_the_node(void **state)
{
    static const char *const blocked[] = {NULL, "not-ready"};
    struct casb_node node = {.uid = "u",
                             .name = "n",
                             .las_source = "pod/2",
                             .las_none = true,
                             .machine.boot = {CASB_BOOT_ID, "b"}};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(blocked); i++) {
        struct casb_record record = registered;

        record.status = i == 0 ? CASB_REGISTERED : CASB_FAILED;
        node.blocked = blocked[i];
        assert_true(refresh(&record, &node, NOW));
        assert_string_equal(record.las_source, "pod/2");
        assert_true(record.las_none);
        assert_string_equal(record.machine.las.text, "A");
        assert_false(refresh(&record, &node, NOW));
    }
}

static void a_key_that_is_there_again_takes_the_flag_away(void **state)
{
    struct casb_record record = registered;
    struct casb_node node = {
        .uid = "u", .name = "n", .machine.las = {CASB_LAS_KEY, "A"}, .las_source = "pod/1"};

    (void)state;
    record.las_none = true;
    assert_true(refresh(&record, &node, NOW));
    assert_false(record.las_none);
}

static void seen_is_renewed_once_a_day(void **state)
{
    struct casb_record record = registered;
    struct casb_node node = {.uid = "u", .name = "n", .machine.boot = {CASB_BOOT_ID, "b"}};

    (void)state;
    assert_false(refresh(&record, &node, NOW + 24 * 3600 - 11));
    assert_true(refresh(&record, &node, NOW + 24 * 3600 - 10));
    assert_int_equal(record.seen, NOW + 24 * 3600 - 10);
}

static void a_node_that_is_there_again_or_was_seen_in_the_future_is_seen_now(void **state)
{
    static const struct {
        int64_t seen, absent;
        bool renewed;
    } rows[] = {
        {NOW, 0, false},
        {NOW + 60, 0, false}, /* two machines' clocks differ */
        {NOW + 24 * 3600, 0, true},
        {NOW - 60, NOW - 30, true},
        {NOW - 60, NOW + 24 * 3600, true},
    };
    struct casb_node node = {.uid = "u", .name = "n", .machine.boot = {CASB_BOOT_ID, "b"}};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        struct casb_record record = registered;

        record.seen = rows[i].seen;
        record.absent = record.missed = rows[i].absent;
        record.absent_s = rows[i].absent ? 3600 : 0;
        assert_int_equal(refresh(&record, &node, NOW), rows[i].renewed);
        assert_int_equal(record.seen, rows[i].renewed ? NOW : rows[i].seen);
        assert_int_equal(record.absent, 0);
        assert_int_equal(record.missed, 0);
        assert_int_equal(record.absent_s, 0);
    }
}

static void a_registration_for_no_release_becomes_one_for_the_present(void **state)
{
    static const struct {
        const char *recorded;
        enum casb_status status;
        bool changed;
        const char *want; /* NULL: none */
    } rows[] = {
        {NULL, CASB_REGISTERED, true, "6"}, {NULL, CASB_FAILED, true, "6"},
        {NULL, CASB_NONE, false, NULL},     {"6", CASB_REGISTERED, false, "6"},
        {"5", CASB_REGISTERED, false, "5"}, /* until it is registered for another */
    };
    struct decide_policy policy = {.primary = "this", .release = "6", .now_s = NOW};
    struct casb_node node = {.uid = "u", .name = "n", .blocked = "not-ready"};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        struct casb_record record = registered;
        struct decision d;

        record.release = rows[i].recorded;
        record.status = rows[i].status;
        record.registered = rows[i].status == CASB_NONE ? 0 : NOW - 10;
        d = decide(&node, &record, &policy);
        record.reason = d.action == DECIDE_KEEP ? NULL : d.reason;
        record.unprotected = d.holds ? 0 : NOW;
        assert_int_equal(decide_refresh(&record, &node, "s", &d, NOW), rows[i].changed);
        if (rows[i].want)
            assert_string_equal(record.release, rows[i].want);
        else
            assert_null(record.release);
    }
}

static void skipping_says_what_it_is_called_that_it_was_seen_and_why(void **state)
{
    struct casb_record failed = registered, record;
    struct casb_node node = {.uid = "u",
                             .name = "n2",
                             .machine = {.las = {CASB_LAS_KEY, "A"}, .boot = {CASB_BOOT_ID, "b2"}},
                             .las_source = "pod/2",
                             .blocked = "not-ready"};

    (void)state;
    failed.status = CASB_FAILED;
    record = failed;
    assert_true(refresh(&record, &node, NOW + 24 * 3600));
    assert_int_equal(record.seen, NOW + 24 * 3600);
    assert_string_equal(record.reason, "not-ready");
    assert_string_equal(record.name, "n2");
    record.name = failed.name;
    record.seen = failed.seen;
    record.reason = NULL;
    assert_memory_equal(&record, &failed, sizeof record);
}

static void a_change_is_noted_until_the_machine_is_known_again(void **state)
{
    struct casb_record record = registered;
    struct casb_node other = {.uid = "u",
                              .name = "n",
                              .machine.las = {CASB_LAS_KEY, "B"},
                              .blocked = "not-ready"},
                     silent = {.uid = "u", .name = "n"},
                     again = {.uid = "u", .name = "n", .machine.las = {CASB_LAS_KEY, "A"}};
    struct decision d = decide(&other, &record, &plain);

    (void)state;
    assert_true(d.changed);
    assert_true(decide_note(&record, &other, &d, NOW));
    assert_int_equal(record.changed, NOW);
    assert_false(decide_note(&record, &other, &d, NOW + 1));
    d = decide(&silent, &record, &plain); /* nothing to compare: it stands */
    assert_true(d.changed);
    assert_false(d.holds);
    d = decide(&again, &record, &plain);
    assert_true(d.holds);
    assert_true(decide_note(&record, &again, &d, NOW + 2));
    assert_int_equal(record.changed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeping_brings_the_record_up_to_date),
        cmocka_unit_test(an_identity_of_another_kind_is_taken_over_where_the_boot_id_is_the_same),
        cmocka_unit_test(an_unknown_key_leaves_the_recorded_one),
        cmocka_unit_test(that_there_is_no_key_is_noted_whatever_becomes_of_the_node),
        cmocka_unit_test(a_key_that_is_there_again_takes_the_flag_away),
        cmocka_unit_test(seen_is_renewed_once_a_day),
        cmocka_unit_test(a_node_that_is_there_again_or_was_seen_in_the_future_is_seen_now),
        cmocka_unit_test(a_change_is_noted_until_the_machine_is_known_again),
        cmocka_unit_test(a_registration_for_no_release_becomes_one_for_the_present),
        cmocka_unit_test(skipping_says_what_it_is_called_that_it_was_seen_and_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
