/* SPDX-License-Identifier: Apache-2.0 */
/* What the API says to a pod, and whose pods are in its way. */
#include "spawning.h"

#include <sys/eventfd.h>

/* The Status of a pod that is forbidden, for that reason. */
#define FORBIDDEN(reason)                                                                          \
    FAKE_REFUSE(                                                                                   \
        403,                                                                                       \
        "{\"reason\": \"Forbidden\", \"message\": \"pods \\\"cas-node-1\\\" is forbidden: " reason \
        "\"}")
#define QUOTA    FORBIDDEN("exceeded quota: q")
#define SECURITY FORBIDDEN("violates PodSecurity \\\"baseline\\\"")
#define WEBHOOK  FAKE_REFUSE(500, "{\"message\": \"failed calling webhook\"}")
#define CONFLICT FAKE_REFUSE(409, "{\"message\": \"the quota has been modified\"}")

static void a_refused_pod_gives_the_apis_reason(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] = SECURITY;
    assert_failed(s, spawn(s), CASB_EDENIED,
                  "pod 'cas-node-1': pods \"cas-node-1\" is forbidden: "
                  "violates PodSecurity \"baseline\"");
    assert_int_equal(s->err.http, 403);
    assert_int_equal(wait_count, 0);
    s->err = (struct casb_error){0};
    assert_int_equal(clean(s), 0);
    assert_int_equal(s->kube.deletes, 0);
    assert_int_equal(s->kube.gets, 0);
}

/* What the first pod was told is not asked for again. */
static void assert_refused_for_all(struct setup *s, const char *text)
{
    const struct casb_node other = {.name = "node-2", .uid = "machine-2"};

    assert_true(spawn(s) < 0);
    s->err = (struct casb_error){0};
    assert_true(spawn_pod(&s->discovery, &s->call, &other, &s->backup, &s->err) < 0);
    assert_string_equal(s->err.text, text);
    assert_int_equal(s->kube.posts, 1);
}

static void what_podsecurity_refuses_is_asked_for_once(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] = SECURITY;
    assert_refused_for_all(s, "pod 'cas-node-2': violates PodSecurity \"baseline\"");
    assert_int_equal(s->err.http, 403);
}

static void a_namespace_that_ends_takes_no_pod(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] =
        FAKE_REFUSE(403, "{\"message\": \"pods x is forbidden: unable to create new content\","
                         " \"details\": {\"causes\": [{\"reason\": \"NamespaceTerminating\"}]}}");
    assert_refused_for_all(s, "pod 'cas-node-2': unable to create new content");
}

static void a_namespace_that_is_none_takes_no_pod(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] = FAKE_REFUSE(404, "{\"message\": \"namespaces sgx not found\","
                                          " \"details\": {\"kind\": \"namespaces\"}}");
    assert_refused_for_all(s, "pod 'cas-node-2': namespaces sgx not found");
}

static void a_quota_is_waited_for(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] = s->kube.creates[1] = s->kube.creates[2] = QUOTA;
    s->kube.creates[3] = (struct fake_create){FAKE_CREATED, {READY}};
    assert_int_equal(spawn(s), 0);
    assert_int_equal(s->kube.posts, 4);
    assert_int_equal(s->kube.gets, 0);
    assert_int_equal(wait_count, 3);
    assert_in_range(waits[0], 250 * CLOCK_MS, 500 * CLOCK_MS);
    assert_in_range(waits[2], CLOCK_S, 2 * CLOCK_S);
}

static void a_quota_that_stays_fails_with_the_apis_text(void **state)
{
    struct setup *s = *state;

    for (size_t i = 0; i < ELEMENTS(s->kube.creates); i++)
        s->kube.creates[i] = QUOTA;
    assert_failed(s, spawn(s), CASB_EDENIED,
                  "pod 'cas-node-1': not created after 20 s: pods \"cas-node-1\" is forbidden: "
                  "exceeded quota: q");
    assert_in_range(s->kube.posts, 5, 30);
    for (size_t i = 0; i < wait_count; i++)
        assert_in_range(waits[i], 0, 5 * CLOCK_S);
    s->err = (struct casb_error){0};
    assert_int_equal(clean(s), 0);
    assert_int_equal(s->kube.gets, 0);
}

static void a_service_account_that_is_not_there_yet_is_waited_for_briefly(void **state)
{
    struct setup *s = *state;

    s->settings.ready_timeout_ns = s->call.deadline_ns = 300 * CLOCK_S;
    s->call.deadline_ns = clock_now_ns() + 300 * CLOCK_S;
    for (size_t i = 0; i < ELEMENTS(s->kube.creates); i++)
        s->kube.creates[i] = FORBIDDEN("error looking up service account sgx/default");
    assert_int_equal(spawn(s), CASB_EDENIED);
    assert_in_range(clock_ahead_ns, 15 * CLOCK_S, 30 * CLOCK_S);
}

static void a_webhook_that_fails_is_waited_for(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] = s->kube.creates[1] = WEBHOOK;
    s->kube.creates[2] = (struct fake_create){FAKE_CREATED, {READY}};
    assert_int_equal(spawn(s), 0);
    assert_int_equal(s->kube.posts, 3);
    assert_int_equal(wait_count, 2);
}

static void a_webhook_that_never_works_fails_with_the_apis_text(void **state)
{
    struct setup *s = *state;

    for (size_t i = 0; i < ELEMENTS(s->kube.creates); i++)
        s->kube.creates[i] = WEBHOOK;
    assert_failed(s, spawn(s), CASB_EUNREACHABLE,
                  "pod 'cas-node-1': not created after 20 s: failed calling webhook");
    assert_in_range(s->kube.posts, 5, 30);
}

static void what_went_wrong_first_is_said_beside_the_last(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] = WEBHOOK;
    s->kube.creates[1] = FAKE_REFUSE(422, "{\"message\": \"spec is invalid\"}");
    assert_failed(s, spawn(s), CASB_EINVALID,
                  "pod 'cas-node-1': spec is invalid; before that: failed calling webhook");
}

static void nobody_waits_for_a_quota_once_the_pass_is_cancelled(void **state)
{
    struct setup *s = *state;

    s->call.cancel_fd = eventfd(1, 0);
    s->kube.creates[0] = QUOTA;
    assert_int_equal(spawn(s), CASB_ECANCELLED);
    assert_int_equal(s->kube.posts, 1);
    close(s->call.cancel_fd);
}

static void a_pod_that_admission_takes_from_us_fails_and_goes(void **state)
{
    struct setup *s = *state;

    s->kube.stripped = "cas-backup/instance";
    s->kube.creates[0] = (struct fake_create){FAKE_CREATED, {PENDING}};
    assert_failed(s, spawn(s), CASB_EFAILED,
                  "pod 'cas-node-1': admission changed 'cas-backup/instance', by which it is found "
                  "again");
    s->err = (struct casb_error){0};
    assert_int_equal(clean(s), 0);
    assert_int_equal(count_pods(s), 0);
}

static void a_pod_that_admission_renames_fails_and_goes(void **state)
{
    static const struct {
        int delete_fails;
        size_t left;
        const char *log;
    } rows[] = {
        {0, 0, ""},
        {CASB_EDENIED, 1, "pod 'other' is left for the next pass to remove: no"},
    };
    struct setup *s = *state;

    s->kube.renamed = "other";
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        s->kube.delete_fails = rows[i].delete_fails;
        s->kube.creates[i] = (struct fake_create){FAKE_CREATED, {PENDING, READY}};
        s->err = (struct casb_error){0};
        assert_failed(s, spawn(s), CASB_EFAILED,
                      "pod 'cas-node-1': admission changed its name to 'other'");
        assert_int_equal(count_pods(s), rows[i].left);
        assert_string_equal(s->log, rows[i].log);
        s->err = (struct casb_error){0};
        assert_int_equal(clean(s), 0); /* there is nothing under our name */
    }
}

static void a_create_that_was_cut_off_is_removed_when_it_appears(void **state)
{
    struct setup *s = *state;
    int cancel_fd = eventfd(0, 0);

    s->call.cancel_fd = cancel_fd;
    s->kube.cancel_fd = cancel_fd;
    s->kube.creates[0].answer = FAKE_CANCELLED;
    assert_failed(s, spawn(s), CASB_ECANCELLED, "pod 'cas-node-1': cancelled");
    assert_int_equal(count_pods(s), 0);
    s->call.cancel_fd = -1;
    s->err = (struct casb_error){0};
    assert_int_equal(clean(s), 0);
    assert_int_equal(count_pods(s), 0);
    assert_int_equal(s->kube.deletes, 1);
    close(cancel_fd);
}

/* Its creation is cut off, and the pod comes with that many looks at it. */
static void cut_off(struct setup *s, int gets)
{
    int cancel_fd = eventfd(0, 0);

    s->call.cancel_fd = cancel_fd;
    s->kube.cancel_fd = cancel_fd;
    s->kube.late_gets = gets;
    s->kube.creates[0].answer = FAKE_CANCELLED;
    assert_int_equal(spawn(s), CASB_ECANCELLED);
    close(cancel_fd);
    s->call.cancel_fd = -1;
    s->err = (struct casb_error){0};
}

static void a_create_that_is_slow_is_waited_for(void **state)
{
    struct setup *s = *state;

    cut_off(s, 36); /* 9 s */
    assert_int_equal(clean(s), 0);
    assert_int_equal(count_pods(s), 0);
    assert_int_equal(s->kube.deletes, 1);
}

static void a_create_that_stays_away_is_not_forgotten(void **state)
{
    struct setup *s = *state;

    cut_off(s, 50);
    assert_int_equal(clean(s), CASB_ETIMEOUT);
    assert_string_equal(s->err.text, "pod 'cas-node-1': its creation may still be on its way");
    s->err = (struct casb_error){0};
    assert_int_equal(clean(s), 0);
    assert_int_equal(s->kube.deletes, 1);
}

static void an_error_of_the_api_server_itself_leaves_nothing_on_its_way(void **state)
{
    static const struct {
        struct fake_create answer;
        int code;
        bool waits;
    } rows[] = {
        {WEBHOOK, 0, false},
        {FAKE_REFUSE(500, "{\"message\": \"etcdserver: request timed out\"}"), CASB_ETIMEOUT, true},
        {FAKE_REFUSE(500, NULL), CASB_ETIMEOUT, true}, /* of a proxy in between */
        {FAKE_REFUSE(504, "{\"message\": \"timeout\"}"), CASB_ETIMEOUT, true},
    };

    for (size_t row = 0; row < ELEMENTS(rows); row++) {
        struct setup *s = *state;

        s->err = (struct casb_error){0};
        s->call.deadline_ns = clock_now_ns() + 20 * CLOCK_S;
        for (size_t i = 0; i < ELEMENTS(s->kube.creates); i++)
            s->kube.creates[i] = rows[row].answer;
        assert_int_not_equal(spawn(s), 0);
        s->err = (struct casb_error){0};
        s->call.deadline_ns = clock_now_ns() + 20 * CLOCK_S;
        wait_count = 0;
        assert_int_equal(clean(s), rows[row].code);
        assert_int_equal(wait_count > 0, rows[row].waits);
    }
}

static void a_lost_answer_is_settled_by_a_look(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] = (struct fake_create){FAKE_LOST, {PENDING, READY}};
    assert_int_equal(spawn(s), 0);
    assert_int_equal(s->kube.posts, 1);
    assert_int_equal(s->kube.gets, 1);
    assert_int_equal(clean(s), 0);
    assert_int_equal(count_pods(s), 0);
}

static void a_dropped_request_is_repeated(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0].answer = FAKE_DROPPED;
    s->kube.creates[1] = (struct fake_create){FAKE_CREATED, {READY}};
    assert_int_equal(spawn(s), 0);
    assert_int_equal(s->kube.posts, 2);
}

static void a_conflict_without_a_pod_is_repeated_but_not_for_ever(void **state)
{
    struct setup *s = *state;

    for (size_t i = 0; i < ELEMENTS(s->kube.creates); i++)
        s->kube.creates[i] = CONFLICT;
    assert_failed(s, spawn(s), CASB_ECONFLICT,
                  "pod 'cas-node-1': not created after 20 s: the quota has been modified");
    assert_in_range(s->kube.posts, 5, 30);
}

static void a_leftover_is_removed_and_replaced(void **state)
{
    struct setup *s = *state;

    add_pod(s, "cas", "pass-1", false);
    s->kube.creates[1] = (struct fake_create){FAKE_CREATED, {READY}};
    assert_int_equal(spawn(s), 0);
    assert_int_equal(s->kube.posts, 2);
    assert_int_equal(s->kube.deletes, 1);
    assert_int_equal(count_pods(s), 1);
    assert_int_equal(clean(s), 0);
    assert_int_equal(count_pods(s), 0);
}

static void a_leftover_that_stays_is_a_timeout(void **state)
{
    struct setup *s = *state;

    s->settings.ready_timeout_ns = 20 * CLOCK_MS;
    s->kube.stubborn = true;
    add_pod(s, "cas", "pass-2", true);
    assert_failed(s, spawn(s), CASB_ETIMEOUT,
                  "pod 'cas-node-1': the pod before it is not gone yet; before that: "
                  "AlreadyExists");
}

static void a_leftover_that_finalizers_hold_is_given_up_by_name(void **state)
{
    struct setup *s = *state;

    clock_step_ns = 3 * CLOCK_S;
    clock_ahead_ns = -300 * CLOCK_S;
    s->settings.ready_timeout_ns = 3600 * CLOCK_S;
    s->call.deadline_ns = clock_now_ns() + 7200 * CLOCK_S;
    s->kube.stubborn = true;
    add_pod(s, "cas", "pass-1", true);
    fake_kube_hold_pod(&s->kube, "cas-node-1", "a.example/x");
    fake_kube_hold_pod(&s->kube, "cas-node-1", "b\x1b[31m");
    assert_failed(s, spawn(s), CASB_EFAILED,
                  "pod 'cas-node-1': the pod before it does not go: held by finalizers "
                  "'a.example/x, b'; before that: AlreadyExists");
}

static void a_leftover_that_goes_unseen_is_not_waited_for(void **state)
{
    struct setup *s = *state;

    clock_step_ns = 3 * CLOCK_S;
    clock_ahead_ns = -60 * CLOCK_S; /* poll() goes by the true clock: nothing is waited for */
    s->kube.secretive = true;
    add_pod(s, "cas", "pass-1", false);
    s->kube.creates[1] = (struct fake_create){FAKE_CREATED, {READY}};
    assert_int_equal(spawn(s), 0);
    assert_int_equal(s->kube.gets, 2); /* whose it is, and whether it is gone */
    assert_int_equal(clean(s), 0);
}

static void somebody_elses_pod_is_left_alone(void **state)
{
    struct setup *s = *state;

    add_pod(s, "other", "pass-2", false);
    assert_failed(s, spawn(s), CASB_ECONFLICT,
                  "pod 'cas-node-1': there is a pod of that name that is not of 'cas'; "
                  "before that: AlreadyExists");
    s->err = (struct casb_error){0};
    assert_int_equal(clean(s), 0);
    assert_int_equal(count_pods(s), 1);
    assert_int_equal(s->kube.deletes, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_refused_pod_gives_the_apis_reason),
        TEST(what_podsecurity_refuses_is_asked_for_once),
        TEST(a_namespace_that_ends_takes_no_pod),
        TEST(a_namespace_that_is_none_takes_no_pod),
        TEST(a_quota_is_waited_for),
        TEST(a_quota_that_stays_fails_with_the_apis_text),
        TEST(a_service_account_that_is_not_there_yet_is_waited_for_briefly),
        TEST(a_webhook_that_fails_is_waited_for),
        TEST(a_webhook_that_never_works_fails_with_the_apis_text),
        TEST(what_went_wrong_first_is_said_beside_the_last),
        TEST(nobody_waits_for_a_quota_once_the_pass_is_cancelled),
        TEST(a_pod_that_admission_takes_from_us_fails_and_goes),
        TEST(a_pod_that_admission_renames_fails_and_goes),
        TEST(a_create_that_was_cut_off_is_removed_when_it_appears),
        TEST(a_create_that_is_slow_is_waited_for),
        TEST(a_create_that_stays_away_is_not_forgotten),
        TEST(an_error_of_the_api_server_itself_leaves_nothing_on_its_way),
        TEST(a_lost_answer_is_settled_by_a_look),
        TEST(a_dropped_request_is_repeated),
        TEST(a_conflict_without_a_pod_is_repeated_but_not_for_ever),
        TEST(a_leftover_is_removed_and_replaced),
        TEST(a_leftover_that_stays_is_a_timeout),
        TEST(a_leftover_that_finalizers_hold_is_given_up_by_name),
        TEST(a_leftover_that_goes_unseen_is_not_waited_for),
        TEST(somebody_elses_pod_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
