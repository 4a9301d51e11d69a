/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every combination of what a decision depends on, held against tables that read as the
 * specification: of each the first row that fits says what must come out.
 */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "base/identity.h"
#include "pass/decide.h"

#define NOW     INT64_C(1800000000)
#define MAX_AGE 1000

/* ---- what a decision depends on */

/* INCLUDED: control plane that takes part, but for one that is excluded. */
enum kind { WORKER, CONTROL, INCLUDED, EXCLUDED, CONTROL_EXCLUDED, INCLUDED_EXCLUDED, KINDS };
enum only { CHOSEN, LEFT_OUT, ONLYS };
/* Never tried or failed; failed after a success; registered. */
enum rec { NO_RECORD, NEVER_TRIED, NEVER_DONE, LAST_FAILED, REGISTERED, RECS };
enum prim { THIS, OTHER, PRIMS };
/* The node's LAS identity and the record's: A, B, a QE ID (Q, R) or unknown (0). */
enum las { KNOWS_0_0, KNOWS_0_A, KNOWS_A_0, KNOWS_A_A, KNOWS_A_B, KNOWS_Q_A, KNOWS_Q_R, LASES };
/*
 * Where it is to be read: nowhere; each time anew; in another place than the record's; in that one;
 * in that one, where the record knows that there is none; in another, where the node knows it.
 */
enum word { NO_WORD, ASK, ANOTHER, THE_SAME, SAME_NONE, NODE_NONE, WORDS };
enum boot { BOOT_SAME, BOOT_DIFFERS, BOOT_UNKNOWN, BOOT_RECORD_WITHOUT, BOOTS };
enum may { MAY_IDENTIFY, MAY_NOT, MAYS };
enum noted { NO_CHANGE_NOTED, CHANGE_NOTED, NOTES };
/* What it was registered for: not recorded, for this release, for another. */
enum release { NOT_RECORDED, THIS_RELEASE, OTHER_RELEASE, RELEASES };
enum wish { NO_FORCE, FORCED, WISHES };
/* JUST_TRIED: and, if that failed, to be tried again later; it is fresh else. */
enum age { FRESH, EXPIRED, IN_FUTURE, TRIED_IN_FUTURE, JUST_TRIED, AGES };
enum can { FREE, BLOCKED, CANS };
enum mode { RUN, PLAN, MODES };

struct combination {
    enum kind kind;
    enum only only;
    enum rec rec;
    enum prim prim;
    enum las las;
    enum word word;
    enum boot boot;
    enum may may;
    enum noted noted;
    enum release release;
    enum wish wish;
    enum age age;
    enum can can;
    enum mode mode;
};

/* What can be said of the machine: UNREAD where its LAS was not read, but could be. */
enum seen { UNREAD, SAME, LAS_DIFFERS, QE_DIFFERS, BOOT_ID_DIFFERS, SILENT };

#define ANY (-1)
#define END (-2)
#define IN(...)                                                                                    \
    {                                                                                              \
        __VA_ARGS__, END                                                                           \
    }
#define IN_ANY                                                                                     \
    {                                                                                              \
        ANY                                                                                        \
    }

/* ---- the specification */

/* clang-format off */

/* Which machine it is. A boot ID counts only where LAS cannot tell. */
static const struct seen_row {
    int las[4], word[4], may, boot[4]; /* any of these */
    enum seen seen;
} seen_rows[] = {
    /* node's and record's LAS         its word                        look?         boot ID                                    seen */
    { IN(KNOWS_A_A),                   IN_ANY,                         ANY,          IN_ANY,                                    SAME },
    { IN(KNOWS_A_B),                   IN_ANY,                         ANY,          IN_ANY,                                    LAS_DIFFERS },
    { IN(KNOWS_Q_R),                   IN_ANY,                         ANY,          IN_ANY,                                    QE_DIFFERS },
    { IN(KNOWS_0_A),                   IN(THE_SAME),                   ANY,          IN_ANY,                                    SAME },
    { IN(KNOWS_0_0, KNOWS_0_A),        IN(ASK, ANOTHER, THE_SAME),     MAY_IDENTIFY, IN_ANY,                                    UNREAD },
    { IN_ANY,                          IN_ANY,                         ANY,          IN(BOOT_SAME),                             SAME },
    { IN_ANY,                          IN_ANY,                         ANY,          IN(BOOT_DIFFERS),                          BOOT_ID_DIFFERS },
    { IN_ANY,                          IN_ANY,                         ANY,          IN(BOOT_UNKNOWN, BOOT_RECORD_WITHOUT),     SILENT },
};

/*
 * Is it, as far as is known, another machine than the one that was registered? Of an unread one the
 * boot ID says so only where no LAS can contradict it.
 */
static const struct changed_row {
    int seen, las, word[4], boot[4], noted;
    bool changed;
} changed_rows[] = {
    /* seen             LAS        its word              boot ID             noted before   changed */
    { LAS_DIFFERS,      ANY,       IN_ANY,               IN_ANY,             ANY,           true },
    { QE_DIFFERS,       ANY,       IN_ANY,               IN_ANY,             ANY,           true },
    { BOOT_ID_DIFFERS,  ANY,       IN_ANY,               IN_ANY,             ANY,           true },
    /* what LAS once said no boot ID contradicts */
    { SAME,             KNOWS_0_A, IN(THE_SAME),         IN_ANY,             ANY,           false },
    { SAME,             KNOWS_0_A, IN_ANY,               IN_ANY,             CHANGE_NOTED,  true },
    { SAME,             KNOWS_Q_A, IN_ANY,               IN_ANY,             CHANGE_NOTED,  true },
    { SAME,             ANY,       IN_ANY,               IN_ANY,             ANY,           false },
    { UNREAD,           KNOWS_0_A, IN_ANY,               IN(BOOT_SAME),      CHANGE_NOTED,  true },
    { UNREAD,           KNOWS_0_A, IN(ANOTHER),          IN_ANY,             CHANGE_NOTED,  true },
    { UNREAD,           KNOWS_0_A, IN(ANOTHER),          IN_ANY,             ANY,           false },
    { UNREAD,           ANY,       IN_ANY,               IN(BOOT_DIFFERS),   ANY,           true },
    { UNREAD,           ANY,       IN_ANY,               IN(BOOT_SAME),      ANY,           false },
    { ANY,              ANY,       IN_ANY,               IN_ANY,             CHANGE_NOTED,  true },
    { ANY,              ANY,       IN_ANY,               IN_ANY,             ANY,           false },
};

/* What to do. `reason` of BLOCKED is the node's own. */
static const struct row {
    int only, kind, rec, prim, seen, changed, release, wish, age, can, mode;
    enum decide_action action;
    const char *reason;
} rows[] = {
    /* --only    node      record        primary  seen             changed  release        force     age      can      mode   action            reason */
    { LEFT_OUT,  ANY,      ANY,          ANY,     ANY,             ANY,     ANY,           ANY,      ANY,     ANY,     ANY,   DECIDE_SKIP,      "left-out" },
    { CHOSEN,    CONTROL,  ANY,          ANY,     ANY,             ANY,     ANY,           ANY,      ANY,     ANY,     ANY,   DECIDE_SKIP,      "control-plane" },
    { CHOSEN,    CONTROL_EXCLUDED, ANY,  ANY,     ANY,             ANY,     ANY,           ANY,      ANY,     ANY,     ANY,   DECIDE_SKIP,      "control-plane" },
    { CHOSEN,    EXCLUDED, ANY,          ANY,     ANY,             ANY,     ANY,           ANY,      ANY,     ANY,     ANY,   DECIDE_SKIP,      "pod-node-selector" },
    { CHOSEN,    INCLUDED_EXCLUDED, ANY, ANY,     ANY,             ANY,     ANY,           ANY,      ANY,     ANY,     ANY,   DECIDE_SKIP,      "pod-node-selector" },
    /* of what fails it is enough to know that it is another */
    { CHOSEN,    ANY,      LAST_FAILED,  THIS,    UNREAD,          false,   ANY,           ANY,      ANY,     ANY,     ANY,   DECIDE_IDENTIFY,  "" },
    /* what fails again and again is tried less often, unless somebody wants it */
    { CHOSEN,    ANY,      NEVER_DONE,   ANY,     ANY,             ANY,     ANY,           NO_FORCE, JUST_TRIED, FREE, ANY,   DECIDE_SKIP,      "backing-off" },
    { CHOSEN,    ANY,      LAST_FAILED,  ANY,     ANY,             ANY,     ANY,           NO_FORCE, JUST_TRIED, FREE, ANY,   DECIDE_SKIP,      "backing-off" },
    /* it is looked at where that is compared: else a pass would register a machine that it knows */
    { CHOSEN,    ANY,      REGISTERED,   THIS,    UNREAD,          ANY,     ANY,           ANY,      ANY,     ANY,     ANY,   DECIDE_IDENTIFY,  "" },
    { CHOSEN,    ANY,      LAST_FAILED,  THIS,    UNREAD,          ANY,     ANY,           ANY,      ANY,     FREE,    ANY,   DECIDE_IDENTIFY,  "" },
    /* or where it will be recorded */
    { CHOSEN,    ANY,      ANY,          ANY,     UNREAD,          ANY,     ANY,           ANY,      ANY,     FREE,    RUN,   DECIDE_IDENTIFY,  "" },
    { CHOSEN,    ANY,      NO_RECORD,    ANY,     ANY,             ANY,     ANY,           ANY,      ANY,     FREE,    ANY,   DECIDE_REGISTER,  "new" },
    { CHOSEN,    ANY,      NEVER_TRIED,  ANY,     ANY,             ANY,     ANY,           ANY,      ANY,     FREE,    ANY,   DECIDE_REGISTER,  "new" },
    { CHOSEN,    ANY,      NEVER_DONE,   ANY,     ANY,             ANY,     ANY,           ANY,      ANY,     FREE,    ANY,   DECIDE_REGISTER,  "retry" },
    { CHOSEN,    ANY,      LAST_FAILED,  ANY,     ANY,             ANY,     ANY,           ANY,      ANY,     FREE,    ANY,   DECIDE_REGISTER,  "retry" },
    { CHOSEN,    ANY,      REGISTERED,   OTHER,   ANY,             ANY,     ANY,           ANY,      ANY,     FREE,    ANY,   DECIDE_REGISTER,  "primary-changed" },
    { CHOSEN,    ANY,      REGISTERED,   THIS,    LAS_DIFFERS,     ANY,     ANY,           ANY,      ANY,     FREE,    ANY,   DECIDE_REGISTER,  "las-key-changed" },
    { CHOSEN,    ANY,      REGISTERED,   THIS,    QE_DIFFERS,      ANY,     ANY,           ANY,      ANY,     FREE,    ANY,   DECIDE_REGISTER,  "las-qe-id-changed" },
    { CHOSEN,    ANY,      REGISTERED,   THIS,    BOOT_ID_DIFFERS, ANY,     ANY,           ANY,      ANY,     FREE,    ANY,   DECIDE_REGISTER,  "boot-id-changed" },
    { CHOSEN,    ANY,      REGISTERED,   THIS,    ANY,             true,    ANY,           ANY,      ANY,     FREE,    ANY,   DECIDE_REGISTER,  "hardware-changed" },
    { CHOSEN,    ANY,      REGISTERED,   THIS,    ANY,             ANY,     OTHER_RELEASE, ANY,      ANY,     FREE,    ANY,   DECIDE_REGISTER,  "release-changed" },
    { CHOSEN,    ANY,      REGISTERED,   THIS,    ANY,             ANY,     ANY,           FORCED,   ANY,     FREE,    ANY,   DECIDE_REGISTER,  "forced" },
    { CHOSEN,    ANY,      REGISTERED,   THIS,    ANY,             ANY,     ANY,           NO_FORCE, EXPIRED, FREE,    ANY,   DECIDE_REGISTER,  "expired" },
    /* what is still to come is no age */
    { CHOSEN,    ANY,      REGISTERED,   THIS,    ANY,             ANY,     ANY,           NO_FORCE, IN_FUTURE, FREE,  ANY,   DECIDE_REGISTER,  "expired" },
    { CHOSEN,    ANY,      REGISTERED,   THIS,    ANY,             ANY,     ANY,           NO_FORCE, TRIED_IN_FUTURE, FREE, ANY, DECIDE_REGISTER, "expired" },
    /* whom nothing asks to register anew is kept, also where it could not be */
    { CHOSEN,    ANY,      REGISTERED,   THIS,    SAME,            false,   NOT_RECORDED,  NO_FORCE, FRESH,   ANY,     ANY,   DECIDE_KEEP,      "" },
    { CHOSEN,    ANY,      REGISTERED,   THIS,    SAME,            false,   THIS_RELEASE,  NO_FORCE, FRESH,   ANY,     ANY,   DECIDE_KEEP,      "" },
    { CHOSEN,    ANY,      REGISTERED,   THIS,    SILENT,          false,   NOT_RECORDED,  NO_FORCE, FRESH,   ANY,     ANY,   DECIDE_KEEP,      "" },
    { CHOSEN,    ANY,      REGISTERED,   THIS,    SILENT,          false,   THIS_RELEASE,  NO_FORCE, FRESH,   ANY,     ANY,   DECIDE_KEEP,      "" },
    { CHOSEN,    ANY,      REGISTERED,   THIS,    SAME,            false,   NOT_RECORDED,  NO_FORCE, JUST_TRIED, ANY,  ANY,   DECIDE_KEEP,      "" },
    { CHOSEN,    ANY,      REGISTERED,   THIS,    SAME,            false,   THIS_RELEASE,  NO_FORCE, JUST_TRIED, ANY,  ANY,   DECIDE_KEEP,      "" },
    { CHOSEN,    ANY,      REGISTERED,   THIS,    SILENT,          false,   NOT_RECORDED,  NO_FORCE, JUST_TRIED, ANY,  ANY,   DECIDE_KEEP,      "" },
    { CHOSEN,    ANY,      REGISTERED,   THIS,    SILENT,          false,   THIS_RELEASE,  NO_FORCE, JUST_TRIED, ANY,  ANY,   DECIDE_KEEP,      "" },
    { CHOSEN,    ANY,      ANY,          ANY,     ANY,             ANY,     ANY,           ANY,      ANY,     BLOCKED, ANY,   DECIDE_SKIP,      "unschedulable" },
};

/* clang-format on */

/* ---- looking it up */

static bool fits(int wanted, unsigned is)
{
    return wanted == ANY || wanted == (int)is;
}

static bool in(const int *wanted, unsigned is)
{
    if (wanted[0] == ANY)
        return true;
    for (; *wanted != END; wanted++)
        if (*wanted == (int)is)
            return true;
    return false;
}

/* Rows that no combination came to are too much. */
struct used {
    bool seen[ELEMENTS(seen_rows)], changed[ELEMENTS(changed_rows)], rows[ELEMENTS(rows)];
};

static enum seen look_up_seen(const struct combination *c, struct used *used)
{
    for (size_t i = 0; i < ELEMENTS(seen_rows); i++) {
        const struct seen_row *row = &seen_rows[i];

        if (in(row->las, c->las) && in(row->word, c->word) && fits(row->may, c->may) &&
            in(row->boot, c->boot)) {
            used->seen[i] = true;
            return row->seen;
        }
    }
    fail_msg("no row says what is seen");
    return SILENT;
}

static bool look_up_changed(const struct combination *c, enum seen seen, struct used *used)
{
    for (size_t i = 0; i < ELEMENTS(changed_rows); i++) {
        const struct changed_row *row = &changed_rows[i];

        if (fits(row->seen, seen) && fits(row->las, c->las) && in(row->word, c->word) &&
            in(row->boot, c->boot) && fits(row->noted, c->noted)) {
            used->changed[i] = true;
            return row->changed;
        }
    }
    fail_msg("no row says whether it changed");
    return false;
}

static const struct row *look_up(const struct combination *c, enum seen seen, bool changed,
                                 struct used *used)
{
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        const struct row *row = &rows[i];

        if (fits(row->only, c->only) && fits(row->kind, c->kind) && fits(row->rec, c->rec) &&
            fits(row->prim, c->prim) && fits(row->seen, seen) && fits(row->changed, changed) &&
            fits(row->release, c->release) && fits(row->wish, c->wish) && fits(row->age, c->age) &&
            fits(row->can, c->can) && fits(row->mode, c->mode)) {
            used->rows[i] = true;
            return row;
        }
    }
    fail_msg("no row says what to do");
    return NULL;
}

/* ---- making it */

/* NULL: unknown. */
static struct casb_identity las(const char *key)
{
    struct casb_identity identity = {0};

    (void)!identity_set(&identity, CASB_LAS_KEY, key);
    return identity;
}

static struct casb_identity qe(const char *id)
{
    struct casb_identity identity = {0};

    (void)!identity_set(&identity, CASB_LAS_QE_ID, id);
    return identity;
}

static struct casb_identity boot(const char *id)
{
    struct casb_identity identity = {0};

    (void)!identity_set(&identity, CASB_BOOT_ID, id);
    return identity;
}

static struct casb_node make_node(const struct combination *c)
{
    static const char *const words[] = {NULL, "", "pod/2", "pod/1", "pod/1", "pod/2"};

    return (struct casb_node){
        .uid = "uid",
        .name = "node",
        .machine = {.las = c->las >= KNOWS_Q_A ? qe("Q") : las(c->las >= KNOWS_A_0 ? "A" : NULL),
                    .boot = boot(c->boot == BOOT_UNKNOWN ? NULL : "boot-a")},
        .las_source = words[c->word],
        .las_none = c->word == NODE_NONE,
        .control_plane = c->kind != WORKER && c->kind != EXCLUDED,
        .excluded = c->kind >= EXCLUDED ? "pod-node-selector" : NULL,
        .blocked = c->can == BLOCKED ? "unschedulable" : NULL,
    };
}

static struct casb_record make_record(const struct combination *c)
{
    static const char *const keys[] = {NULL, "A", NULL, "A", "B", "A", NULL};
    static const char *const boots[] = {"boot-a", "boot-b", "boot-a", NULL};
    static const char *const releases[] = {NULL, "6", "5"};
    static const int64_t ages[] = {MAX_AGE, MAX_AGE + 1, -3600, MAX_AGE, MAX_AGE};
    static const enum casb_status statuses[] = {CASB_NONE, CASB_NONE, CASB_FAILED, CASB_FAILED,
                                                CASB_REGISTERED};

    return (struct casb_record){
        .uid = "uid",
        .status = statuses[c->rec],
        .primary = c->prim == THIS ? "this" : "other",
        .release = releases[c->release],
        .machine = {.las = c->las == KNOWS_Q_R ? qe("R") : las(keys[c->las]),
                    .boot = boot(boots[c->boot])},
        .las_source = "pod/1",
        .las_none = c->word == SAME_NONE,
        .registered = c->rec < LAST_FAILED ? 0 : NOW - ages[c->age],
        .attempted = c->age == TRIED_IN_FUTURE ? NOW + 3600
                     : c->age == JUST_TRIED    ? NOW - 30
                                               : 0,
        .attempts = 3,
        .changed = c->noted == CHANGE_NOTED ? NOW - 5 : 0,
    };
}

static struct decide_policy make_policy(const struct combination *c)
{
    return (struct decide_policy){
        .primary = "this",
        .release = "6",
        .include_control_plane = c->kind == INCLUDED || c->kind == INCLUDED_EXCLUDED,
        .left_out = c->only == LEFT_OUT,
        .forced = c->wish == FORCED,
        .plan = c->mode == PLAN,
        .may_identify = c->may == MAY_IDENTIFY,
        .max_age_s = MAX_AGE,
        .retry_backoff_s = 3600,
        .now_s = NOW,
    };
}

/* ---- holding it against the tables */

static void check(const struct combination *c, struct used *used)
{
    struct casb_node node = make_node(c);
    struct casb_record record = make_record(c);
    struct decide_policy policy = make_policy(c);
    struct decision d = decide(&node, c->rec == NO_RECORD ? NULL : &record, &policy);
    bool registered = c->rec >= LAST_FAILED;
    enum seen seen = look_up_seen(c, used);
    bool changed = look_up_changed(c, seen, used);
    const struct row *row = look_up(c, seen, changed, used);

    if (d.action != row->action || strcmp(d.reason, row->reason) != 0 ||
        d.selected != (c->kind == WORKER || c->kind == INCLUDED) ||
        d.changed != (registered && changed) ||
        d.holds != (registered && c->prim == THIS && !changed))
        fail_msg("kind %d only %d rec %d prim %d las %d word %d boot %d may %d noted %d wish %d "
                 "release %d age %d can %d mode %d: %d '%s' changed %d holds %d",
                 c->kind, c->only, c->rec, c->prim, c->las, c->word, c->boot, c->may, c->noted,
                 c->wish, c->release, c->age, c->can, c->mode, d.action, d.reason, d.changed,
                 d.holds);
}

/* Nothing of a record that is not there can be compared. */
static bool is_possible(const struct combination *c)
{
    return c->rec != NO_RECORD ||
           ((c->las == KNOWS_0_0 || c->las == KNOWS_A_0) && c->boot >= BOOT_UNKNOWN &&
            c->word != THE_SAME && c->word != SAME_NONE);
}

static void every_combination_follows_the_tables(void **state)
{
    static const unsigned sizes[] = {KINDS, ONLYS, RECS,     PRIMS,  LASES, WORDS, BOOTS,
                                     MAYS,  NOTES, RELEASES, WISHES, AGES,  CANS,  MODES};
    struct used used = {0};
    size_t all = 1;

    (void)state;
    for (size_t i = 0; i < ELEMENTS(sizes); i++)
        all *= sizes[i];
    for (size_t i = 0; i < all; i++) {
        unsigned at[ELEMENTS(sizes)];
        struct combination c;
        size_t n = i;

        for (size_t k = 0; k < ELEMENTS(sizes); n /= sizes[k], k++)
            at[k] = (unsigned)(n % sizes[k]);
        c = (struct combination){at[0], at[1], at[2], at[3],  at[4],  at[5],  at[6],
                                 at[7], at[8], at[9], at[10], at[11], at[12], at[13]};
        if (is_possible(&c))
            check(&c, &used);
    }
    for (size_t i = 0; i < sizeof used; i++)
        assert_true(((const bool *)&used)[i]);
}

/* ---- how long a node that failed is left alone */

static void the_wait_doubles_up_to_the_longest(void **state)
{
    static const struct {
        uint32_t attempts;
        int64_t most_s, wait_s;
    } waits[] = {{1, 3600, 60},   {2, 3600, 120},           {3, 3600, 240}, {6, 3600, 1920},
                 {7, 3600, 3600}, {UINT32_MAX, 3600, 3600}, {1, 20, 20},    {9, 90, 90}};
    const struct casb_node node = {.uid = "u", .name = "n"};
    struct casb_record record = {.uid = "u", .status = CASB_FAILED};
    struct decide_policy policy = {.primary = "this", .release = "6", .now_s = NOW};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(waits); i++) {
        record.attempts = waits[i].attempts;
        policy.retry_backoff_s = waits[i].most_s;
        record.attempted = NOW - waits[i].wait_s + 1;
        assert_int_equal(decide(&node, &record, &policy).action, DECIDE_SKIP);
        record.attempted = NOW - waits[i].wait_s;
        assert_int_equal(decide(&node, &record, &policy).action, DECIDE_REGISTER);
    }
    policy.retry_backoff_s = 0;
    record.attempted = NOW;
    assert_int_equal(decide(&node, &record, &policy).action, DECIDE_REGISTER);
}

/* ---- what is known of the machine */

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

static void what_was_read_in_the_same_place_is_known(void **state)
{
    static const struct {
        const char *shown; /* by the node; NULL: unknown */
        const char *word;
        bool node_none, record_none;
        const char *want; /* NULL: unknown */
        bool want_none;
    } cases[] = {
        {NULL, "pod/1", false, false, "A", false},  {NULL, "pod/1", false, true, NULL, true},
        {NULL, "pod/2", false, false, NULL, false}, {NULL, "pod/2", false, true, NULL, false},
        {NULL, "pod/2", true, false, NULL, true},   {NULL, "", false, false, NULL, false},
        {NULL, NULL, false, false, NULL, false},    {"C", "pod/1", false, true, "C", false},
        {"C", "pod/2", true, false, "C", false},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct casb_record record = registered;
        struct casb_node node = {.uid = "u",
                                 .name = "n",
                                 .machine.las = las(cases[i].shown),
                                 .las_source = cases[i].word,
                                 .las_none = cases[i].node_none};
        struct decision d;

        record.las_none = cases[i].record_none;
        d = decide(&node, &record, &plain);
        print_message("# %zu\n", i);
        assert_int_equal(identity_is_known(&d.machine.las), cases[i].want != NULL);
        assert_string_equal(d.machine.las.text, cases[i].want ? cases[i].want : "");
        assert_int_equal(d.las_none, cases[i].want_none);
    }
}

static void without_max_age_nothing_expires(void **state)
{
    struct casb_record old = registered;
    struct casb_node node = {.uid = "u", .name = "n"};

    (void)state;
    old.registered = 1;
    assert_int_equal(decide(&node, &old, &plain).action, DECIDE_KEEP);
    old.registered = NOW + 3600;
    assert_int_equal(decide(&node, &old, &plain).action, DECIDE_KEEP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination_follows_the_tables),
        cmocka_unit_test(the_wait_doubles_up_to_the_longest),
        cmocka_unit_test(what_was_read_in_the_same_place_is_known),
        cmocka_unit_test(without_max_age_nothing_expires),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
