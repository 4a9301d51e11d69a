/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "state-configmap/lease_rules.h"

/* 2026-11-25T12:00:00.123Z */
#define NOON_MS INT64_C(1795608000123)

static json_t *lease(const char *spec)
{
    char text[1024];
    json_t *value;

    snprintf(text, sizeof text, "{'metadata':{'name':'x'},'spec':%s}", spec);
    for (char *c = text; (c = strchr(c, '\''));)
        *c = '"';
    value = json_loads(text, 0, NULL);
    assert_non_null(value);
    return value;
}

/* A lease as it is seen at one second after the other; the verdict is about the last. */
static const struct {
    const char *what;
    struct {
        int64_t at_s;
        const char *spec;
    } sights[4];
    bool contested;
    enum lease_verdict want;
} cases[] = {
    {"no holder", {{0, "{}"}}, false, LEASE_FREE},
    {"an empty holder",
     {{0, "{'holderIdentity':'','leaseDurationSeconds':30}"}},
     false,
     LEASE_FREE},
    {"ours", {{0, "{'holderIdentity':'me'}"}}, true, LEASE_MINE},
    {"somebody else's, seen once",
     {{0, "{'holderIdentity':'a','leaseDurationSeconds':5}"}},
     false,
     LEASE_WATCH},
    {"its times do not count",
     {{0, "{'holderIdentity':'a','leaseDurationSeconds':5,'renewTime':'1999-01-01T00:00:00.0Z'}"}},
     false,
     LEASE_WATCH},
    {"the same before its duration",
     {{0, "{'holderIdentity':'a','leaseDurationSeconds':5}"},
      {4, "{'holderIdentity':'a','leaseDurationSeconds':5}"}},
     false,
     LEASE_WATCH},
    {"the same for its duration",
     {{1, "{'holderIdentity':'a','leaseDurationSeconds':5}"},
      {6, "{'holderIdentity':'a','leaseDurationSeconds':5}"}},
     false,
     LEASE_FREE},
    {"without a duration ours counts",
     {{1, "{'holderIdentity':'a'}"}, {10, "{'holderIdentity':'a'}"}},
     false,
     LEASE_WATCH},
    {"without a duration ours counts to its end",
     {{1, "{'holderIdentity':'a'}"}, {11, "{'holderIdentity':'a'}"}},
     false,
     LEASE_FREE},
    {"a duration of no time counts as ours",
     {{1, "{'holderIdentity':'a','leaseDurationSeconds':0}"},
      {10, "{'holderIdentity':'a','leaseDurationSeconds':0}"}},
     false,
     LEASE_WATCH},
    {"a duration of no time counts as ours to its end",
     {{1, "{'holderIdentity':'a','leaseDurationSeconds':0}"},
      {11, "{'holderIdentity':'a','leaseDurationSeconds':0}"}},
     false,
     LEASE_FREE},
    {"a duration less than none counts as ours",
     {{1, "{'holderIdentity':'a','leaseDurationSeconds':-5}"},
      {10, "{'holderIdentity':'a','leaseDurationSeconds':-5}"}},
     false,
     LEASE_WATCH},
    {"a duration less than none counts as ours to its end",
     {{1, "{'holderIdentity':'a','leaseDurationSeconds':-5}"},
      {11, "{'holderIdentity':'a','leaseDurationSeconds':-5}"}},
     false,
     LEASE_FREE},
    {"a duration more than the API has counts as ours",
     {{1, "{'holderIdentity':'a','leaseDurationSeconds':2147483648}"},
      {10, "{'holderIdentity':'a','leaseDurationSeconds':2147483648}"}},
     false,
     LEASE_WATCH},
    {"a duration more than the API has counts as ours to its end",
     {{1, "{'holderIdentity':'a','leaseDurationSeconds':2147483648}"},
      {11, "{'holderIdentity':'a','leaseDurationSeconds':2147483648}"}},
     false,
     LEASE_FREE},
    {"a duration whose nanoseconds overflow counts as ours",
     {{1, "{'holderIdentity':'a','leaseDurationSeconds':10000000000}"},
      {10, "{'holderIdentity':'a','leaseDurationSeconds':10000000000}"}},
     false,
     LEASE_WATCH},
    {"a duration whose nanoseconds overflow counts as ours to its end",
     {{1, "{'holderIdentity':'a','leaseDurationSeconds':10000000000}"},
      {11, "{'holderIdentity':'a','leaseDurationSeconds':10000000000}"}},
     false,
     LEASE_FREE},
    {"a duration as long as can be written counts as ours",
     {{1, "{'holderIdentity':'a','leaseDurationSeconds':9223372036854775807}"},
      {10, "{'holderIdentity':'a','leaseDurationSeconds':9223372036854775807}"}},
     false,
     LEASE_WATCH},
    {"a duration as long as can be written counts as ours to its end",
     {{1, "{'holderIdentity':'a','leaseDurationSeconds':9223372036854775807}"},
      {11, "{'holderIdentity':'a','leaseDurationSeconds':9223372036854775807}"}},
     false,
     LEASE_FREE},
    {"the longest duration that the API has",
     {{1, "{'holderIdentity':'a','leaseDurationSeconds':2147483647}"},
      {99999, "{'holderIdentity':'a','leaseDurationSeconds':2147483647}"}},
     false,
     LEASE_WATCH},
    {"renewed under our eyes",
     {{0, "{'holderIdentity':'a','leaseDurationSeconds':5,'renewTime':'1'}"},
      {1, "{'holderIdentity':'a','leaseDurationSeconds':5,'renewTime':'2'}"}},
     false,
     LEASE_ALIVE},
    {"taken by a third under our eyes",
     {{0, "{'holderIdentity':'a','leaseDurationSeconds':5}"},
      {9, "{'holderIdentity':'b','leaseDurationSeconds':5}"}},
     false,
     LEASE_ALIVE},
    {"given back under our eyes",
     {{0, "{'holderIdentity':'a','leaseDurationSeconds':5}"}, {1, "{'holderIdentity':''}"}},
     false,
     LEASE_FREE},
    {"somebody was faster than we", {{0, "{'holderIdentity':'a'}"}}, true, LEASE_ALIVE},
};

static void a_lease_is_judged_by_what_was_seen_of_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct lease_sight sight = {.contested = cases[i].contested};
        enum lease_verdict verdict = LEASE_WATCH;

        print_message("# %s\n", cases[i].what);
        for (size_t k = 0; k < ELEMENTS(cases[i].sights) && cases[i].sights[k].spec; k++) {
            json_auto_t *seen = lease(cases[i].sights[k].spec);

            verdict = lease_judge(seen, &sight, "me", 10, cases[i].sights[k].at_s * CLOCK_S);
        }
        assert_int_equal(verdict, cases[i].want);
        json_decref(sight.spec);
    }
}

static void assert_stamped(const char *spec, const char *want)
{
    json_auto_t *object = lease(spec);
    json_auto_t *wanted = lease(want);

    assert_int_equal(lease_stamp(object, "me", 30, NOON_MS, NULL), 0);
    assert_true(json_equal(object, wanted));
}

static void taking_over_is_a_transition(void **state)
{
    (void)state;
    assert_stamped("{}", "{'holderIdentity':'me','leaseDurationSeconds':30,'leaseTransitions':0,"
                         "'acquireTime':'2026-11-25T12:00:00.123000Z',"
                         "'renewTime':'2026-11-25T12:00:00.123000Z'}");
    assert_stamped("{'holderIdentity':'a','leaseDurationSeconds':5,'leaseTransitions':3,"
                   "'acquireTime':'x','renewTime':'x','strategy':'kept'}",
                   "{'holderIdentity':'me','leaseDurationSeconds':30,'leaseTransitions':4,"
                   "'acquireTime':'2026-11-25T12:00:00.123000Z',"
                   "'renewTime':'2026-11-25T12:00:00.123000Z','strategy':'kept'}");
}

static void renewing_only_moves_the_renewal(void **state)
{
    (void)state;
    assert_stamped("{'holderIdentity':'me','leaseDurationSeconds':30,'leaseTransitions':3,"
                   "'acquireTime':'x','renewTime':'x'}",
                   "{'holderIdentity':'me','leaseDurationSeconds':30,'leaseTransitions':3,"
                   "'acquireTime':'x','renewTime':'2026-11-25T12:00:00.123000Z'}");
}

static void a_holder_is_described_for_people(void **state)
{
    json_auto_t *held = lease("{'holderIdentity':'pod\\t_1','acquireTime':'A','renewTime':'B'}");
    json_auto_t *odd = lease("{'holderIdentity':'pod_1'}");
    char text[200];

    (void)state;
    assert_string_equal(lease_describe(held, text, sizeof text), "'pod _1' since A, renewed B");
    assert_string_equal(lease_describe(odd, text, sizeof text),
                        "'pod_1' since unknown, renewed never");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_is_judged_by_what_was_seen_of_it),
        cmocka_unit_test(taking_over_is_a_transition),
        cmocka_unit_test(renewing_only_moves_the_renewal),
        cmocka_unit_test(a_holder_is_described_for_people),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
