/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/cases.h"

#include "discovery-kubernetes/judge.h"

#include "base/clock.h"

static void run(const char *name, const json_t *test)
{
    static const char *const states[] = {"waiting", "troubled", "failed", "ready"};
    const json_t *want = json_object_get(test, "want");
    const char *ip = json_string_value(json_object_get(want, "ip"));
    struct pod_verdict verdict;

    pod_judge(json_object_get(test, "pod"), json_is_true(json_object_get(test, "host_ip")),
              &verdict);
    cases_equal(name, states[verdict.state], json_string_value(json_object_get(want, "state")));
    cases_equal(name, verdict.reason, json_string_value(json_object_get(want, "reason")));
    cases_equal(name, verdict.ip, ip ? ip : "");
    if (verdict.grace_ns != json_integer_value(json_object_get(want, "grace")) * CLOCK_S)
        fail_msg("%s: grace of %lld ns", name, (long long)verdict.grace_ns);
}

static void pods_are_judged_as_the_cases_say(void **state)
{
    (void)state;
    cases_run("pods", run);
}

/* What pod_judge() gives for a trouble, without its texts' length. */
static struct pod_verdict trouble(const char *which, const char *reason, bool vague)
{
    struct pod_verdict verdict = {
        .state = POD_TROUBLED, .trouble = which, .vague = vague, .grace_ns = 15};

    snprintf(verdict.reason, sizeof verdict.reason, "%s", reason);
    return verdict;
}

static void the_same_trouble_keeps_its_beginning(void **state)
{
    const struct pod_verdict first = trouble("pull", "no answer", false);
    const struct pod_verdict second = trouble("pull", "not found", false);
    struct pod_verdict verdict = {.state = POD_WAITING};

    (void)state;
    pod_verdict_follow(&verdict, &first, 100);
    pod_verdict_follow(&verdict, &second, 200);
    assert_int_equal(verdict.since_ns, 100);
    assert_string_equal(verdict.reason, "not found");
}

static void a_vague_reason_does_not_hide_the_cause(void **state)
{
    const struct pod_verdict cause = trouble("pull", "not found", false);
    const struct pod_verdict backoff = trouble("pull", "back-off", true);
    struct pod_verdict verdict = {.state = POD_WAITING};

    (void)state;
    pod_verdict_follow(&verdict, &cause, 100);
    pod_verdict_follow(&verdict, &backoff, 200);
    assert_int_equal(verdict.since_ns, 100);
    assert_string_equal(verdict.reason, "not found");
}

static void a_vague_reason_is_better_than_none(void **state)
{
    const struct pod_verdict backoff = trouble("pull", "back-off", true);
    struct pod_verdict verdict = {.state = POD_WAITING};

    (void)state;
    pod_verdict_follow(&verdict, &backoff, 100);
    assert_string_equal(verdict.reason, "back-off");
}

static void another_trouble_begins_anew(void **state)
{
    const struct pod_verdict unschedulable = trouble("unschedulable", "full", false);
    const struct pod_verdict pull = trouble("pull", "not found", true);
    const struct pod_verdict waiting = {.state = POD_WAITING, .reason = "creating"};
    struct pod_verdict verdict = {.state = POD_WAITING};

    (void)state;
    pod_verdict_follow(&verdict, &unschedulable, 100);
    pod_verdict_follow(&verdict, &pull, 200);
    assert_int_equal(verdict.since_ns, 200);
    assert_string_equal(verdict.reason, "not found");
    pod_verdict_follow(&verdict, &waiting, 300);
    assert_int_equal(verdict.state, POD_WAITING);
    pod_verdict_follow(&verdict, &pull, 400);
    assert_int_equal(verdict.since_ns, 400);
}

static void endless_messages_are_cut(void **state)
{
    struct pod_verdict verdict;
    char message[2000];
    json_auto_t *pod = NULL;

    (void)state;
    memset(message, 'm', sizeof message - 1);
    message[sizeof message - 1] = 0;
    pod = json_pack("{s:{s:s, s:s, s:s}}", "status", "phase", "Failed", "reason", message,
                    "message", message);
    assert_non_null(pod);
    pod_judge(pod, false, &verdict);
    assert_int_equal(verdict.state, POD_FAILED);
    assert_true(strlen(verdict.reason) < sizeof verdict.reason);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pods_are_judged_as_the_cases_say),
        cmocka_unit_test(the_same_trouble_keeps_its_beginning),
        cmocka_unit_test(a_vague_reason_does_not_hide_the_cause),
        cmocka_unit_test(a_vague_reason_is_better_than_none),
        cmocka_unit_test(another_trouble_begins_anew),
        cmocka_unit_test(endless_messages_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
