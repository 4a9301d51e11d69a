/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "fake_kube.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "discovery-kubernetes/remove.h"
#include "discovery-kubernetes/spawn.h"

#include <stdatomic.h>
#include <sys/eventfd.h>

#define PENDING "{\"phase\": \"Pending\"}"
#define READY                                                                                      \
    "{\"phase\": \"Running\", \"podIP\": \"10.0.0.7\", \"conditions\": ["                          \
    "{\"type\": \"Ready\", \"status\": \"True\"}]}"
#define READY_IPV6                                                                                 \
    "{\"phase\": \"Running\", \"podIP\": \"fd00::7\", \"conditions\": ["                           \
    "{\"type\": \"Ready\", \"status\": \"True\"}]}"
#define WAITS(reason, message)                                                                     \
    "{\"phase\": \"Pending\", \"containerStatuses\": [{\"name\": \"backup-cas\", \"state\":"       \
    " {\"waiting\": {\"reason\": \"" reason "\", \"message\": \"" message "\"}}}]}"

/* What each look at the clock adds to it: graces of many seconds pass at once. */
static _Atomic int64_t clock_step_ns, clock_ahead_ns;

int64_t __real_clock_now_ns(void);
int64_t __wrap_clock_now_ns(void);

int64_t __wrap_clock_now_ns(void)
{
    return __real_clock_now_ns() + atomic_fetch_add(&clock_ahead_ns, clock_step_ns);
}

struct setup {
    struct kube kube;
    struct discovery_settings settings;
    struct discovery discovery;
    struct casb_call call;
    struct casb_error err;
    char address[CASB_ADDRESS_LENGTH + 1];
};

static void ignore_log(const struct casb_host *host, enum casb_level level, const char *node,
                       const char *text)
{
    (void)host;
    (void)level;
    (void)node;
    (void)text;
}

static const struct casb_host host = {.size = sizeof host, .instance = "cas", .log = ignore_log};

static int set_up(void **state)
{
    struct setup *s = calloc(1, sizeof *s);
    char selector[POD_SELECTOR_BYTES];

    assert_non_null(s);
    fake_kube_init(&s->kube);
    clock_step_ns = 0;
    clock_ahead_ns = 0;
    s->call = (struct casb_call){.deadline_ns = clock_now_ns() + 20 * CLOCK_S, .cancel_fd = -1};
    s->settings.ready_timeout_ns = 20 * CLOCK_S;
    s->discovery = (struct discovery){
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .host = &host,
        .settings = &s->settings,
        .kube = &s->kube,
        .plan = {.instance = "cas",
                 .holder = "pass-2",
                 .namespace = "sgx",
                 .image = "cas:1",
                 .resource = "sgx.intel.com/enclave",
                 .las = "node",
                 .deadline_s = 60},
    };
    assert_int_equal(ledger_new(&s->discovery.ledger, NULL), 0);
    assert_int_equal(watcher_new(&host, &s->kube, "sgx", pod_selector(selector, "cas"), false,
                                 &s->discovery.watcher, NULL),
                     0);
    assert_int_equal(watcher_start(s->discovery.watcher, NULL), 0);
    fake_kube_await_watch(&s->kube, 1);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct setup *s = *state;

    watcher_free(s->discovery.watcher);
    ledger_free(s->discovery.ledger);
    fake_kube_free(&s->kube);
    free(s);
    return 0;
}

static int spawn(struct setup *s)
{
    return spawn_pod(&s->discovery, &s->call, "node-1", s->address, &s->err);
}

static int clean(struct setup *s)
{
    return remove_pod(&s->discovery, &s->call, "node-1", &s->err);
}

/* A pod under node-1's name, made by another pass or by somebody else. */
static void add_pod(struct setup *s, const char *instance, const char *holder, bool deleting)
{
    struct pod_plan plan = s->discovery.plan;
    json_t *pod = NULL, *metadata;
    char name[TEXT_LABEL_BYTES];

    plan.instance = instance;
    plan.holder = holder;
    assert_int_equal(pod_build(&plan, "node-1", &pod, NULL), 0);
    metadata = json_object_get(pod, "metadata");
    json_object_set_new(metadata, "uid", json_string("old"));
    json_object_set_new(metadata, "name", json_string(pod_name(name, "cas", "node-1")));
    if (deleting)
        json_object_set_new(metadata, "deletionTimestamp", json_string("2026-01-01T00:00:00Z"));
    pthread_mutex_lock(&s->kube.lock);
    fake_kube_add_pod(&s->kube, pod);
    pthread_mutex_unlock(&s->kube.lock);
}

static size_t count_pods(struct setup *s)
{
    size_t count;

    pthread_mutex_lock(&s->kube.lock);
    count = json_object_size(s->kube.pods);
    pthread_mutex_unlock(&s->kube.lock);
    return count;
}

static void assert_failed(struct setup *s, int r, int code, const char *text)
{
    assert_int_equal(r, code);
    assert_int_equal(s->err.code, code);
    assert_string_equal(s->err.text, text);
    assert_string_equal(s->address, "");
}

static void a_pod_costs_one_create_and_one_delete(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] = (struct fake_create){FAKE_CREATED, {PENDING, READY}};
    assert_int_equal(spawn(s), 0);
    assert_string_equal(s->address, "10.0.0.7:8081");
    assert_int_equal(clean(s), 0);
    assert_int_equal(count_pods(s), 0);
    assert_int_equal(s->kube.posts, 1);
    assert_int_equal(s->kube.gets, 0);
    assert_int_equal(s->kube.deletes, 1);
    assert_int_equal(s->kube.lists, 1);
}

static void an_ipv6_address_gets_brackets(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] = (struct fake_create){FAKE_CREATED, {READY_IPV6}};
    assert_int_equal(spawn(s), 0);
    assert_string_equal(s->address, "[fd00::7]:8081");
}

static void a_refused_pod_gives_the_apis_reason(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0].answer = FAKE_FORBIDDEN;
    assert_failed(s, spawn(s), CASB_EDENIED,
                  "pod 'cas-node-1': pods \"cas-node-1\" is forbidden: "
                  "violates PodSecurity \"baseline\"");
    assert_int_equal(s->err.http, 403);
    s->err = (struct casb_error){0};
    assert_int_equal(clean(s), 0);
    assert_int_equal(s->kube.deletes, 0);
}

static void what_podsecurity_refuses_is_asked_for_once(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0].answer = FAKE_FORBIDDEN;
    assert_int_equal(spawn(s), CASB_EDENIED);
    s->err = (struct casb_error){0};
    assert_int_equal(spawn_pod(&s->discovery, &s->call, "node-2", s->address, &s->err),
                     CASB_EDENIED);
    assert_int_equal(s->err.http, 403);
    assert_string_equal(s->err.text, "pod 'cas-node-2': violates PodSecurity \"baseline\"");
    assert_int_equal(s->kube.posts, 1);
}

static void what_a_quota_refuses_is_asked_for_again(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0].answer = FAKE_QUOTA;
    s->kube.creates[1] = (struct fake_create){FAKE_CREATED, {READY}};
    assert_int_equal(spawn(s), CASB_EDENIED);
    s->err = (struct casb_error){0};
    assert_int_equal(spawn(s), 0);
}

static void a_pod_that_cannot_start_fails_at_once(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] =
        (struct fake_create){FAKE_CREATED, {PENDING, WAITS("InvalidImageName", "no such form")}};
    assert_failed(s, spawn(s), CASB_EFAILED,
                  "pod 'cas-node-1': image name is not valid: no such form");
    assert_int_equal(clean(s), 0);
    assert_int_equal(count_pods(s), 0);
}

static void an_image_that_stays_away_fails_with_its_first_message(void **state)
{
    struct setup *s = *state;

    clock_step_ns = 20 * CLOCK_S;
    s->kube.creates[0] = (struct fake_create){
        FAKE_CREATED, {WAITS("ErrImagePull", "not found"), WAITS("ImagePullBackOff", "back-off")}};
    assert_failed(s, spawn(s), CASB_EFAILED, "pod 'cas-node-1': image cannot be pulled: not found");
}

static void trouble_that_heals_is_forgotten(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] =
        (struct fake_create){FAKE_CREATED, {WAITS("ErrImagePull", "503"), PENDING, READY}};
    assert_int_equal(spawn(s), 0);
}

#define REJECTED                                                                                   \
    "{\"phase\": \"Failed\", \"reason\": \"UnexpectedAdmissionError\", \"message\": \"no "         \
    "device\"}"

static void a_pod_that_its_kubelet_rejects_is_replaced_once(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] = (struct fake_create){FAKE_CREATED, {PENDING, REJECTED}};
    s->kube.creates[1] = (struct fake_create){FAKE_CREATED, {PENDING, READY}};
    assert_int_equal(spawn(s), 0);
    assert_string_equal(s->address, "10.0.0.7:8081");
    assert_int_equal(s->kube.posts, 2);
    assert_true(s->kube.delete_deadline_ns <= clock_now_ns() + 10 * CLOCK_S);
    assert_int_equal(clean(s), 0);
    assert_int_equal(count_pods(s), 0);
}

static void a_rejected_pod_that_stays_fails_for_the_kubelets_reason(void **state)
{
    struct setup *s = *state;

    s->settings.ready_timeout_ns = 20 * CLOCK_MS;
    s->kube.stubborn = true;
    s->kube.creates[0] = (struct fake_create){FAKE_CREATED, {PENDING, REJECTED}};
    assert_failed(s, spawn(s), CASB_EFAILED,
                  "pod 'cas-node-1': UnexpectedAdmissionError: no device");
    assert_int_equal(s->kube.posts, 1);
}

static void a_kubelet_that_rejects_again_is_believed(void **state)
{
    struct setup *s = *state;

    for (size_t i = 0; i < ELEMENTS(s->kube.creates); i++)
        s->kube.creates[i] = (struct fake_create){FAKE_CREATED, {PENDING, REJECTED}};
    assert_failed(s, spawn(s), CASB_EFAILED,
                  "pod 'cas-node-1': UnexpectedAdmissionError: no device");
    assert_int_equal(s->kube.posts, 2);
    assert_int_equal(clean(s), 0);
    assert_int_equal(count_pods(s), 0);
}

static void a_pod_that_somebody_deletes_fails(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] = (struct fake_create){FAKE_CREATED, {PENDING, "gone"}};
    assert_failed(s, spawn(s), CASB_EFAILED, "pod 'cas-node-1': deleted by somebody else");
    assert_int_equal(clean(s), 0);
}

static void ready_timeout_names_the_last_state(void **state)
{
    struct setup *s = *state;

    s->settings.ready_timeout_ns = CLOCK_S;
    s->kube.creates[0] =
        (struct fake_create){FAKE_CREATED, {WAITS("ContainerCreating", "volume not mounted")}};
    assert_int_equal(spawn(s), CASB_ETIMEOUT);
    assert_non_null(strstr(s->err.text, "pod 'cas-node-1': not ready after "));
    assert_non_null(strstr(s->err.text, " s: ContainerCreating: volume not mounted"));
}

static void a_cancelled_wait_ends(void **state)
{
    struct setup *s = *state;

    s->call.cancel_fd = eventfd(1, 0);
    s->kube.creates[0] = (struct fake_create){FAKE_CREATED, {PENDING}};
    assert_int_equal(spawn(s), CASB_ECANCELLED);
    close(s->call.cancel_fd);
    s->call.cancel_fd = -1;
    s->err = (struct casb_error){0};
    assert_int_equal(clean(s), 0);
    assert_int_equal(count_pods(s), 0);
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
        s->kube.creates[i].answer = FAKE_CONFLICT;
    assert_int_equal(spawn(s), CASB_ECONFLICT);
    assert_true(s->kube.posts > 1);
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
                  "pod 'cas-node-1': the pod before it is not gone yet");
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
                  "pod 'cas-node-1': there is a pod of that name that is not of 'cas'");
    s->err = (struct casb_error){0};
    assert_int_equal(clean(s), 0);
    assert_int_equal(count_pods(s), 1);
    assert_int_equal(s->kube.deletes, 0);
}

static void the_successor_of_our_pod_is_left_alone(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] = (struct fake_create){FAKE_CREATED, {READY}};
    assert_int_equal(spawn(s), 0);
    fake_kube_lose_pod(&s->kube, "cas-node-1");
    add_pod(s, "cas", "pass-3", false);
    assert_int_equal(clean(s), 0);
    assert_int_equal(count_pods(s), 1);
}

static void a_pass_removes_no_other_passs_pod(void **state)
{
    struct setup *s = *state;

    add_pod(s, "cas", "pass-3", false);
    assert_int_equal(clean(s), 0); /* nothing was spawned here */
    assert_int_equal(ledger_note(s->discovery.ledger, "cas-node-1", NULL, NULL), 0);
    assert_int_equal(clean(s), 0); /* or it may have been */
    assert_int_equal(count_pods(s), 1);
    assert_int_equal(s->kube.deletes, 0);
}

static void a_failed_delete_is_an_error_and_can_be_repeated(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] = (struct fake_create){FAKE_CREATED, {READY}};
    assert_int_equal(spawn(s), 0);
    s->kube.delete_fails = CASB_EDENIED;
    assert_int_equal(clean(s), CASB_EDENIED);
    assert_string_equal(s->err.text, "pod 'cas-node-1': no");
    s->kube.delete_fails = 0;
    s->err = (struct casb_error){0};
    assert_int_equal(clean(s), 0);
    assert_int_equal(count_pods(s), 0);
}

static json_t *named(const char *name, const char *deletion)
{
    return json_pack("{s:{s:s, s:s, s:s*}}", "metadata", "name", name, "uid", name,
                     "deletionTimestamp", deletion);
}

static void sweep_deletes_what_is_not_being_deleted(void **state)
{
    struct setup *s = *state;
    size_t removed = 77;

    fake_kube_add_pod(&s->kube, named("a", NULL));
    fake_kube_add_pod(&s->kube, named("b", "2026-01-01T00:00:00Z"));
    fake_kube_add_pod(&s->kube, named("c", NULL));
    assert_int_equal(remove_all(&s->discovery, &s->call, &removed, &s->err), 0);
    assert_int_equal(removed, 2);
    assert_int_equal(s->kube.deletes, 2);
    assert_string_equal(s->kube.query,
                        "app.kubernetes.io/instance=cas,app.kubernetes.io/managed-by=cas-backup,"
                        "app.kubernetes.io/component=backup-cas");
}

static void sweep_goes_on_after_a_failure_and_reports_it(void **state)
{
    struct setup *s = *state;
    size_t removed = 77;

    fake_kube_add_pod(&s->kube, named("a", NULL));
    fake_kube_add_pod(&s->kube, named("b", NULL));
    s->kube.delete_fails = CASB_EUNREACHABLE;
    assert_int_equal(remove_all(&s->discovery, &s->call, &removed, &s->err), CASB_EUNREACHABLE);
    assert_int_equal(s->kube.deletes, 2);
    assert_string_equal(s->err.text, "pod 'a': no");
    assert_int_equal(removed, 77);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pod_costs_one_create_and_one_delete),
        TEST(an_ipv6_address_gets_brackets),
        TEST(a_refused_pod_gives_the_apis_reason),
        TEST(what_podsecurity_refuses_is_asked_for_once),
        TEST(what_a_quota_refuses_is_asked_for_again),
        TEST(a_pod_that_cannot_start_fails_at_once),
        TEST(an_image_that_stays_away_fails_with_its_first_message),
        TEST(trouble_that_heals_is_forgotten),
        TEST(a_pod_that_its_kubelet_rejects_is_replaced_once),
        TEST(a_rejected_pod_that_stays_fails_for_the_kubelets_reason),
        TEST(a_kubelet_that_rejects_again_is_believed),
        TEST(a_pod_that_somebody_deletes_fails),
        TEST(ready_timeout_names_the_last_state),
        TEST(a_cancelled_wait_ends),
        TEST(a_create_that_was_cut_off_is_removed_when_it_appears),
        TEST(a_lost_answer_is_settled_by_a_look),
        TEST(a_dropped_request_is_repeated),
        TEST(a_conflict_without_a_pod_is_repeated_but_not_for_ever),
        TEST(a_leftover_is_removed_and_replaced),
        TEST(a_leftover_that_stays_is_a_timeout),
        TEST(a_leftover_that_goes_unseen_is_not_waited_for),
        TEST(somebody_elses_pod_is_left_alone),
        TEST(the_successor_of_our_pod_is_left_alone),
        TEST(a_pass_removes_no_other_passs_pod),
        TEST(a_failed_delete_is_an_error_and_can_be_repeated),
        TEST(sweep_deletes_what_is_not_being_deleted),
        TEST(sweep_goes_on_after_a_failure_and_reports_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
