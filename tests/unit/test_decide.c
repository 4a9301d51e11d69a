/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every combination of what a decision depends on, held against a table that reads as the
 * specification: the first row that fits says what must come out.
 */
#include "unit.h"

#include "base/cleanup.h"
#include "decide.h"

#define NOW     INT64_C(1800000000)
#define MAX_AGE 1000

enum kind { WORKER, CONTROL };
enum rec { NO_RECORD, NEVER_TRIED, LAST_FAILED, REGISTERED };
enum prim { THIS, OTHER };
enum las { NODE_UNKNOWN, BOTH_UNKNOWN, RECORD_WITHOUT, SAME, DIFFERS };
enum boot { BOOT_SAME, BOOT_DIFFERS, BOOT_UNKNOWN, BOOT_RECORD_WITHOUT };
enum age { FRESH, EXPIRED };
enum wish { NO_FORCE, FORCED };
enum can { FREE, BLOCKED };

#define ANY (-1)
#define SETS(...)                                                                                  \
    {                                                                                              \
        __VA_ARGS__, END                                                                           \
    }
#define END (-2)

struct row {
    int kind, rec, prim;
    int las[4], boot[4]; /* any of these; {ANY}: all */
    int wish, age;
    const char *reason; /* NULL: keep */
};

/* clang-format off */
static const struct row table[] = {
    /* node     record        primary  LAS key                                boot ID                                       force     age      reason */
    { CONTROL,  ANY,          ANY,     {ANY},                                 {ANY},                                        ANY,      ANY,     "control-plane" },
    { WORKER,   NO_RECORD,    ANY,     {ANY},                                 {ANY},                                        ANY,      ANY,     "new" },
    { WORKER,   NEVER_TRIED,  ANY,     {ANY},                                 {ANY},                                        ANY,      ANY,     "new" },
    { WORKER,   LAST_FAILED,  ANY,     {ANY},                                 {ANY},                                        ANY,      ANY,     "retry" },
    { WORKER,   REGISTERED,   OTHER,   {ANY},                                 {ANY},                                        ANY,      ANY,     "primary-changed" },
    { WORKER,   REGISTERED,   THIS,    SETS(DIFFERS),                         {ANY},                                        ANY,      ANY,     "las-key-changed" },
    { WORKER,   REGISTERED,   THIS,    SETS(NODE_UNKNOWN, BOTH_UNKNOWN, RECORD_WITHOUT), SETS(BOOT_DIFFERS),                ANY,      ANY,     "boot-id-changed" },
    { WORKER,   REGISTERED,   THIS,    {ANY},                                 {ANY},                                        FORCED,   ANY,     "forced" },
    { WORKER,   REGISTERED,   THIS,    {ANY},                                 {ANY},                                        NO_FORCE, EXPIRED, "expired" },
    { WORKER,   REGISTERED,   THIS,    SETS(SAME),                            {ANY},                                        NO_FORCE, FRESH,   NULL },
    { WORKER,   REGISTERED,   THIS,    {ANY},                                 SETS(BOOT_SAME, BOOT_UNKNOWN, BOOT_RECORD_WITHOUT), NO_FORCE, FRESH, NULL },
};
/* clang-format on */

static bool fits(int wanted, int is)
{
    return wanted == ANY || wanted == is;
}

static bool fits_one(const int *wanted, int is)
{
    if (wanted[0] == ANY)
        return true;
    for (; *wanted != END; wanted++)
        if (*wanted == is)
            return true;
    return false;
}

struct combination {
    enum kind kind;
    enum rec rec;
    enum prim prim;
    enum las las;
    enum boot boot;
    enum wish wish;
    enum age age;
    enum can can;
};

static const struct row *look_up(const struct combination *c)
{
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        const struct row *row = &table[i];

        if (fits(row->kind, (int)c->kind) && fits(row->rec, (int)c->rec) &&
            fits(row->prim, (int)c->prim) && fits_one(row->las, (int)c->las) &&
            fits_one(row->boot, (int)c->boot) && fits(row->wish, (int)c->wish) &&
            fits(row->age, (int)c->age))
            return row;
    }
    return NULL;
}

static struct casb_node make_node(const struct combination *c)
{
    bool key = c->las != NODE_UNKNOWN && c->las != BOTH_UNKNOWN;

    return (struct casb_node){
        .uid = "uid",
        .name = "node",
        .las_key = key ? "KEY-A" : NULL,
        .boot_id = c->boot == BOOT_UNKNOWN ? NULL : "boot-a",
        .control_plane = c->kind == CONTROL,
        .blocked = c->can == BLOCKED ? "unschedulable" : NULL,
    };
}

static struct casb_record make_record(const struct combination *c)
{
    static const char *const keys[] = {"KEY-A", NULL, NULL, "KEY-A", "KEY-B"};
    static const char *const boots[] = {"boot-a", "boot-b", "boot-a", NULL};
    static const enum casb_status statuses[] = {CASB_NONE, CASB_NONE, CASB_FAILED, CASB_REGISTERED};

    return (struct casb_record){
        .uid = "uid",
        .status = statuses[c->rec],
        .primary = c->prim == THIS ? "this" : "other",
        .las_key = keys[c->las],
        .boot_id = boots[c->boot],
        .registered = c->rec == NEVER_TRIED ? 0 : NOW - (c->age == EXPIRED ? MAX_AGE + 1 : MAX_AGE),
    };
}

static void check(const struct combination *c, bool used[static ELEMENTS(table)])
{
    struct decide_policy policy = {
        .primary = "this", .forced = c->wish == FORCED, .max_age_s = MAX_AGE, .now_s = NOW};
    struct casb_node node = make_node(c);
    struct casb_record record = make_record(c);
    struct decision d = decide(&node, c->rec == NO_RECORD ? NULL : &record, &policy);
    const struct row *row = look_up(c);

    assert_non_null(row);
    used[row - table] = true;
    if (!row->reason) {
        assert_int_equal(d.action, DECIDE_KEEP);
        assert_string_equal(d.reason, "");
    } else if (c->kind == CONTROL) {
        assert_int_equal(d.action, DECIDE_SKIP);
        assert_string_equal(d.reason, "control-plane");
    } else if (c->can == BLOCKED) {
        assert_int_equal(d.action, DECIDE_SKIP);
        assert_string_equal(d.reason, "unschedulable");
    } else {
        assert_int_equal(d.action, DECIDE_REGISTER);
        assert_string_equal(d.reason, row->reason);
    }
}

static void every_combination_follows_the_table(void **state)
{
    bool used[ELEMENTS(table)] = {false};
    size_t count = 0;
    struct combination c;

    (void)state;
    for (unsigned i = 0; i < 2 * 4 * 2 * 5 * 4 * 2 * 2 * 2; i++, count++) {
        unsigned n = i;

        c.kind = n % 2, n /= 2;
        c.rec = n % 4, n /= 4;
        c.prim = n % 2, n /= 2;
        c.las = n % 5, n /= 5;
        c.boot = n % 4, n /= 4;
        c.wish = n % 2, n /= 2;
        c.age = n % 2, n /= 2;
        c.can = n % 2;
        check(&c, used);
    }
    assert_int_equal(count, 2560);
    for (size_t i = 0; i < ELEMENTS(table); i++)
        assert_true(used[i]);
}

static const struct casb_record registered = {.uid = "u",
                                              .name = "n",
                                              .source = "s",
                                              .status = CASB_REGISTERED,
                                              .primary = "this",
                                              .las_key = "A",
                                              .boot_id = "b",
                                              .registered = NOW - 10,
                                              .seen = NOW - 10};
static const struct decision keep = {.action = DECIDE_KEEP, .holds = true};
static const struct decision skip = {.action = DECIDE_SKIP, .holds = true};
static const struct decide_policy plain = {.primary = "this", .now_s = NOW};

static void control_plane_takes_part_when_included(void **state)
{
    struct casb_node node = {.uid = "u", .name = "n", .control_plane = true};
    struct decide_policy policy = {.primary = "this", .include_control_plane = true};

    (void)state;
    assert_string_equal(decide(&node, NULL, &policy).reason, "new");
}

static void without_max_age_nothing_expires(void **state)
{
    struct casb_record old = registered;
    struct casb_node node = {.uid = "u", .name = "n"};

    (void)state;
    old.registered = 1;
    assert_int_equal(decide(&node, &old, &plain).action, DECIDE_KEEP);
}

static void a_changed_machine_does_not_hold_its_registration(void **state)
{
    struct casb_node node = {.uid = "u", .name = "n", .las_key = "B", .blocked = "not-ready"};
    struct casb_record other = registered;

    (void)state;
    assert_false(decide(&node, &registered, &plain).holds);
    node.las_key = "A";
    assert_true(decide(&node, &registered, &plain).holds);
    other.primary = "other";
    assert_false(decide(&node, &other, &plain).holds);
    assert_false(decide(&node, NULL, &plain).holds);
}

static void a_failed_renewal_leaves_the_old_registration_standing(void **state)
{
    struct casb_record failed = registered;
    struct casb_node node = {.uid = "u", .name = "n", .las_key = "A"};

    (void)state;
    failed.status = CASB_FAILED;
    assert_true(decide(&node, &failed, &plain).holds);
    assert_string_equal(decide(&node, &failed, &plain).reason, "retry");
}

static void keeping_brings_the_record_up_to_date(void **state)
{
    struct casb_record record = registered;
    struct casb_node node = {
        .uid = "u", .name = "n2", .las_key = "A", .las_source = "pod/1", .boot_id = "b2"};

    (void)state;
    assert_true(decide_refresh(&record, &node, "s", &keep, NOW));
    assert_string_equal(record.name, "n2");
    assert_string_equal(record.boot_id, "b2");
    assert_string_equal(record.las_source, "pod/1");
    assert_false(decide_refresh(&record, &node, "s", &keep, NOW));
}

static void an_unknown_key_leaves_the_recorded_one(void **state)
{
    struct casb_record record = registered;
    struct casb_node node = {.uid = "u", .name = "n", .las_source = "pod/2", .boot_id = "b"};

    (void)state;
    assert_false(decide_refresh(&record, &node, "s", &keep, NOW));
    assert_string_equal(record.las_key, "A");
    assert_null(record.las_source);
}

static void that_there_is_no_key_is_noted_whatever_becomes_of_the_node(void **state)
{
    static const struct decision *const decisions[] = {&keep, &skip};
    struct casb_node node = {.uid = "u", .name = "n", .las_source = "!pod/2", .boot_id = "b"};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(decisions); i++) {
        struct casb_record record = registered;

        assert_true(decide_refresh(&record, &node, "s", decisions[i], NOW));
        assert_string_equal(record.las_source, "!pod/2");
        assert_string_equal(record.las_key, "A");
        assert_false(decide_refresh(&record, &node, "s", decisions[i], NOW));
    }
}

static void seen_is_renewed_once_a_day(void **state)
{
    struct casb_record record = registered;
    struct casb_node node = {.uid = "u", .name = "n", .boot_id = "b"};

    (void)state;
    assert_false(decide_refresh(&record, &node, "s", &keep, NOW + 24 * 3600 - 11));
    assert_true(decide_refresh(&record, &node, "s", &keep, NOW + 24 * 3600 - 10));
    assert_int_equal(record.seen, NOW + 24 * 3600 - 10);
}

static void skipping_only_says_that_the_node_was_seen(void **state)
{
    struct casb_record record = registered;
    struct casb_node node = {.uid = "u", .name = "n2", .las_key = "B", .boot_id = "b2"};

    (void)state;
    assert_true(decide_refresh(&record, &node, "s", &skip, NOW + 24 * 3600));
    assert_int_equal(record.seen, NOW + 24 * 3600);
    record.seen = registered.seen;
    assert_memory_equal(&record, &registered, sizeof record);
}

static void a_change_is_noted_until_the_machine_is_known_again(void **state)
{
    struct casb_record record = registered;
    struct casb_node other = {.uid = "u", .name = "n", .las_key = "B", .blocked = "not-ready"},
                     silent = {.uid = "u", .name = "n"},
                     again = {.uid = "u", .name = "n", .las_key = "A"};
    struct decision d = decide(&other, &record, &plain);

    (void)state;
    assert_true(d.changed);
    assert_true(decide_note_change(&record, &d, NOW));
    assert_int_equal(record.changed, NOW);
    assert_false(decide_note_change(&record, &d, NOW + 1));
    d = decide(&silent, &record, &plain); /* nothing to compare: it stands */
    assert_true(d.changed);
    assert_false(d.holds);
    d = decide(&again, &record, &plain);
    assert_true(d.holds);
    assert_true(decide_note_change(&record, &d, NOW + 2));
    assert_int_equal(record.changed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination_follows_the_table),
        cmocka_unit_test(control_plane_takes_part_when_included),
        cmocka_unit_test(without_max_age_nothing_expires),
        cmocka_unit_test(a_changed_machine_does_not_hold_its_registration),
        cmocka_unit_test(a_failed_renewal_leaves_the_old_registration_standing),
        cmocka_unit_test(keeping_brings_the_record_up_to_date),
        cmocka_unit_test(an_unknown_key_leaves_the_recorded_one),
        cmocka_unit_test(that_there_is_no_key_is_noted_whatever_becomes_of_the_node),
        cmocka_unit_test(seen_is_renewed_once_a_day),
        cmocka_unit_test(a_change_is_noted_until_the_machine_is_known_again),
        cmocka_unit_test(skipping_only_says_that_the_node_was_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
