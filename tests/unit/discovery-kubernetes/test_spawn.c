/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "fake_kube.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/label.h"
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

/* Waits between tries pass at once, too. */
static int64_t waits[64];
static size_t wait_count;

int __real_clock_sleep(const struct casb_call *call, int64_t ns);
int __wrap_clock_sleep(const struct casb_call *call, int64_t ns);

int __wrap_clock_sleep(const struct casb_call *call, int64_t ns)
{
    int64_t left_ns = call->deadline_ns - clock_now_ns();
    int r = __real_clock_sleep(call, CLOCK_MS);

    if (wait_count < ELEMENTS(waits))
        waits[wait_count++] = ns;
    atomic_fetch_add(&clock_ahead_ns, ns < left_ns ? ns : left_ns);
    return r == 0 && ns >= left_ns ? CASB_ETIMEOUT : r;
}

struct setup {
    struct kube kube;
    struct discovery_settings settings;
    struct discovery discovery;
    struct casb_call call;
    struct casb_error err;
    struct casb_backup backup;
    struct casb_host host;
    char log[CASB_ERROR_TEXT_BYTES];
};

/* Keeps the last warning. */
static void take_log(const struct casb_host *host, enum casb_level level, const char *node,
                     const char *text)
{
    struct setup *s = host->arg;

    (void)node;
    if (level == CASB_WARN)
        snprintf(s->log, sizeof s->log, "%s", text);
}

static int set_up(void **state)
{
    struct setup *s = calloc(1, sizeof *s);
    char selector[POD_SELECTOR_BYTES];

    assert_non_null(s);
    fake_kube_init(&s->kube);
    clock_step_ns = 0;
    clock_ahead_ns = 0;
    wait_count = 0;
    s->call = (struct casb_call){.deadline_ns = clock_now_ns() + 20 * CLOCK_S, .cancel_fd = -1};
    s->settings.ready_timeout_ns = 20 * CLOCK_S;
    s->host =
        (struct casb_host){.size = sizeof s->host, .instance = "cas", .log = take_log, .arg = s};
    s->discovery = (struct discovery){
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .host = &s->host,
        .settings = &s->settings,
        .kube = &s->kube,
        .plan = {.instance = "cas",
                 .client_port = 8081,
                 .enclave_port = 18765,
                 .holder = "pass-2",
                 .namespace = "sgx",
                 .image = "cas:1",
                 .resource = "sgx.intel.com/enclave",
                 .las = "node",
                 .deadline_s = 60},
    };
    assert_int_equal(pod_template(&s->discovery.plan, &s->discovery.template, NULL), 0);
    assert_int_equal(ledger_new(&s->discovery.ledger, NULL), 0);
    assert_int_equal(watcher_new(&s->host, &s->kube, "sgx", pod_selector(selector, "cas"), false,
                                 &s->discovery.watcher, NULL),
                     0);
    assert_int_equal(watcher_start(s->discovery.watcher, NULL), 0);
    fake_kube_await_watch(&s->kube, 1);
    json_array_append_new(s->kube.nodes, json_pack("{s:{s:s, s:s}}", "metadata", "name", "node-1",
                                                   "uid", "machine-1"));
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct setup *s = *state;

    watcher_free(s->discovery.watcher);
    ledger_free(s->discovery.ledger);
    json_decref(s->discovery.template);
    fake_kube_free(&s->kube);
    free(s);
    return 0;
}

static int spawn(struct setup *s)
{
    const struct casb_node node = {.name = "node-1", .uid = "machine-1"};

    return spawn_pod(&s->discovery, &s->call, &node, &s->backup, &s->err);
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
    char name[LABEL_BYTES];

    plan.instance = instance;
    plan.holder = holder;
    assert_int_equal(pod_build(&plan, s->discovery.template, "node-1", "u1", &pod, NULL), 0);
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
    assert_string_equal(s->backup.address, "");
}

static void a_pod_costs_one_create_and_one_delete(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] = (struct fake_create){FAKE_CREATED, {PENDING, READY}};
    assert_int_equal(spawn(s), 0);
    assert_string_equal(s->backup.address, "10.0.0.7:8081");
    assert_int_equal(clean(s), 0);
    assert_int_equal(count_pods(s), 0);
    assert_int_equal(s->kube.posts, 1);
    assert_int_equal(s->kube.gets, 0);
    assert_int_equal(s->kube.deletes, 1);
    assert_int_equal(s->kube.lists, 2); /* of all pods for the watch, and of the one node */
}

/* What the API says of node-1 by the time that its pod is Ready. */
static void set_node(struct setup *s, const char *name, const char *uid, const char *boot_id)
{
    pthread_mutex_lock(&s->kube.lock);
    json_array_clear(s->kube.nodes);
    json_array_append_new(s->kube.nodes,
                          json_pack("{s:{s:s, s:s}, s:{s:{s:s*}}}", "metadata", "name", name, "uid",
                                    uid, "status", "nodeInfo", "bootID", boot_id));
    pthread_mutex_unlock(&s->kube.lock);
}

static void what_is_registered_is_the_machine_as_it_is_by_then(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] = (struct fake_create){FAKE_CREATED, {PENDING, READY}};
    set_node(s, "node-1", "machine-1", "booted-again");
    assert_int_equal(spawn(s), 0);
    assert_int_equal(s->backup.boot.kind, CASB_BOOT_ID);
    assert_string_equal(s->backup.boot.text, "booted-again");
    assert_string_equal(s->kube.query, "metadata.name=node-1");
}

static void another_machine_is_not_the_one_that_was_meant(void **state)
{
    static const struct {
        const char *name, *uid, *bound_to, *text;
    } cases[] = {
        {"node-1", "machine-3", NULL, "pod 'cas-node-1': node was replaced"},
        {"node-3", "machine-1", NULL, "pod 'cas-node-1': node is gone"},
        {"node-1", "", NULL, "pod 'cas-node-1': node is gone"},
        {"node-1", "machine-1", "node-2", "pod 'cas-node-1': it runs on node 'node-2'"},
        {"node-1", "machine-1", "", "pod 'cas-node-1': it runs on node ''"},
    };
    struct setup *s = *state;

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        s->kube.creates[s->kube.posts] = (struct fake_create){FAKE_CREATED, {PENDING, READY}};
        s->kube.bound_to = cases[i].bound_to;
        set_node(s, cases[i].name, cases[i].uid, "b");
        assert_failed(s, spawn(s), CASB_EFAILED, cases[i].text);
        s->err = (struct casb_error){0};
        assert_int_equal(clean(s), 0);
        assert_int_equal(count_pods(s), 0);
        s->kube.posts = 0;
    }
}

static void a_node_that_cannot_be_looked_at_again_is_not_registered(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] = (struct fake_create){FAKE_CREATED, {PENDING, READY}};
    s->kube.list_fails[1] = CASB_EDENIED;
    assert_failed(s, spawn(s), CASB_EDENIED,
                  "pod 'cas-node-1': another look at the node: the list failed");
}

static void an_ipv6_address_gets_brackets(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] = (struct fake_create){FAKE_CREATED, {READY_IPV6}};
    assert_int_equal(spawn(s), 0);
    assert_string_equal(s->backup.address, "[fd00::7]:8081");
}

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
    assert_string_equal(s->backup.address, "10.0.0.7:8081");
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
    return json_pack("{s:{s:s, s:s, s:s*, s:{s:s}}}", "metadata", "name", name, "uid", name,
                     "deletionTimestamp", deletion, "labels", "cas-backup/instance", "cas");
}

static void sweep_deletes_what_is_not_being_deleted(void **state)
{
    struct setup *s = *state;
    size_t removed = 77;

    fake_kube_add_pod(&s->kube, named("a", NULL));
    fake_kube_add_pod(&s->kube, named("b", "2026-01-01T00:00:00Z"));
    fake_kube_add_pod(&s->kube, named("c", NULL));
    assert_int_equal(remove_all(&s->discovery, &s->call, false, &removed, &s->err), 0);
    assert_int_equal(removed, 2);
    assert_int_equal(s->kube.deletes, 2);
    assert_string_equal(s->kube.query_before,
                        "cas-backup/instance=cas,cas-backup/component=backup-cas");
}

static bool has_node(const struct casb_host *host, const char *uid)
{
    (void)host;
    return strcmp(uid, "mine") == 0 || strcmp(uid, "") == 0;
}

static void add_of_node(struct setup *s, const char *name, const char *uid)
{
    json_t *pod = named(name, NULL);

    json_object_set_new(json_object_get(pod, "metadata"), "annotations",
                        json_pack("{s:s*}", "cas-backup/node-uid", uid));
    fake_kube_add_pod(&s->kube, pod);
}

static void sweep_leaves_alone_the_pods_of_other_shares(void **state)
{
    struct setup *s = *state;
    size_t removed = 77;

    s->host.has_node = has_node;
    add_of_node(s, "a", "mine");
    add_of_node(s, "b", "other");
    add_of_node(s, "c", NULL); /* made before pods said whose they are */
    assert_int_equal(remove_all(&s->discovery, &s->call, true, &removed, &s->err), 0);
    assert_int_equal(removed, 2);
}

/* With the deletion's time in the form that the API has. */
static void add_held(struct setup *s, const char *name, const char *deletion, const char *finalizer)
{
    fake_kube_add_pod(&s->kube, named(name, deletion));
    if (finalizer)
        fake_kube_hold_pod(&s->kube, name, finalizer);
}

static void sweep_warns_about_what_should_long_be_gone(void **state)
{
    char now[CLOCK_RFC3339_BYTES];
    struct setup *s = *state;
    size_t removed = 77;

    add_held(s, "a", "2026-01-01T00:00:00Z", "x.example/y");
    add_held(s, "b", "2026-01-01T00:00:00Z", NULL);
    add_held(s, "c", clock_format(now, clock_wall_ms(), false), "x.example/y");
    add_held(s, "d", "some time", "x.example/y");
    assert_int_equal(remove_all(&s->discovery, &s->call, false, &removed, &s->err), 0);
    assert_int_equal(removed, 0);
    assert_string_equal(s->log, "2 backup CAS pods were deleted and do not go: 'a' (held by "
                                "finalizers 'x.example/y'), 'b' (its node does not end it)");
}

static void sweep_waits_until_all_are_gone_where_it_is_to(void **state)
{
    struct setup *s = *state;
    size_t removed = 77;

    fake_kube_add_pod(&s->kube, named("a", NULL));
    fake_kube_add_pod(&s->kube, named("b", NULL));
    assert_int_equal(remove_all(&s->discovery, &s->call, true, &removed, &s->err), 0);
    assert_int_equal(removed, 2);
    assert_int_equal(s->kube.deletes, 2);
    assert_int_equal(wait_count, 1);
}

static void sweep_names_what_does_not_go(void **state)
{
    struct setup *s = *state;
    size_t removed = 77;

    s->call.deadline_ns = clock_now_ns() + 300 * CLOCK_S;
    s->kube.stubborn = true;
    add_held(s, "a", NULL, "x.example/y");
    add_held(s, "b", "2026-01-01T00:00:00Z", NULL);
    assert_int_equal(remove_all(&s->discovery, &s->call, true, &removed, &s->err), CASB_EFAILED);
    assert_string_equal(s->err.text, "2 backup CAS pods do not go: 'a' (held by finalizers "
                                     "'x.example/y'), 'b' (its node does not end it)");
    assert_int_equal(removed, 77);
    assert_int_equal(s->kube.deletes, 1);
    assert_in_range(wait_count, 30, 50);
}

static void sweep_counts_what_does_not_go_where_that_is_much(void **state)
{
    struct setup *s = *state;
    char name[16];
    size_t removed;

    s->call.deadline_ns = clock_now_ns() + 300 * CLOCK_S;
    for (int i = 10; i < 40; i++) {
        snprintf(name, sizeof name, "pod-%d", i);
        add_held(s, name, "2026-01-01T00:00:00Z", NULL);
    }
    assert_int_equal(remove_all(&s->discovery, &s->call, true, &removed, &s->err), CASB_EFAILED);
    assert_non_null(strstr(s->err.text, "30 backup CAS pods do not go: 'pod-10' (its"));
    assert_non_null(strstr(s->err.text, " more"));
}

static void sweep_deletes_pods_of_the_version_before(void **state)
{
    json_t *old = json_pack("{s:{s:s, s:s}}", "metadata", "name", "old", "uid", "o");
    struct setup *s = *state;
    size_t removed = 77;

    fake_kube_add_pod(&s->kube, old);
    assert_int_equal(remove_all(&s->discovery, &s->call, false, &removed, &s->err), 0);
    assert_int_equal(removed, 1);
    assert_string_equal(s->kube.query,
                        "app.kubernetes.io/instance=cas,app.kubernetes.io/managed-by=cas-backup,"
                        "app.kubernetes.io/component=backup-cas,!cas-backup/instance");
}

static void a_conflict_that_is_not_about_the_uid_is_a_failure(void **state)
{
    struct setup *s = *state;

    s->kube.creates[0] = (struct fake_create){FAKE_CREATED, {READY}};
    assert_int_equal(spawn(s), 0);
    s->kube.delete_fails = CASB_ECONFLICT;
    assert_int_equal(clean(s), CASB_ECONFLICT);
    assert_string_equal(s->err.text, "pod 'cas-node-1': no");
}

static void sweep_goes_on_after_a_failure_and_reports_it(void **state)
{
    struct setup *s = *state;
    size_t removed = 77;

    fake_kube_add_pod(&s->kube, named("a", NULL));
    fake_kube_add_pod(&s->kube, named("b", NULL));
    s->kube.delete_fails = CASB_EUNREACHABLE;
    assert_int_equal(remove_all(&s->discovery, &s->call, false, &removed, &s->err),
                     CASB_EUNREACHABLE);
    assert_int_equal(s->kube.deletes, 2);
    assert_string_equal(s->err.text, "pod 'a': no");
    assert_int_equal(removed, 77);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pod_costs_one_create_and_one_delete),
        TEST(what_is_registered_is_the_machine_as_it_is_by_then),
        TEST(another_machine_is_not_the_one_that_was_meant),
        TEST(a_node_that_cannot_be_looked_at_again_is_not_registered),
        TEST(an_ipv6_address_gets_brackets),
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
        TEST(a_leftover_that_finalizers_hold_is_given_up_by_name),
        TEST(a_leftover_that_goes_unseen_is_not_waited_for),
        TEST(somebody_elses_pod_is_left_alone),
        TEST(the_successor_of_our_pod_is_left_alone),
        TEST(a_pass_removes_no_other_passs_pod),
        TEST(a_failed_delete_is_an_error_and_can_be_repeated),
        TEST(sweep_deletes_what_is_not_being_deleted),
        TEST(sweep_leaves_alone_the_pods_of_other_shares),
        TEST(sweep_warns_about_what_should_long_be_gone),
        TEST(sweep_waits_until_all_are_gone_where_it_is_to),
        TEST(sweep_names_what_does_not_go),
        TEST(sweep_counts_what_does_not_go_where_that_is_much),
        TEST(sweep_deletes_pods_of_the_version_before),
        TEST(a_conflict_that_is_not_about_the_uid_is_a_failure),
        TEST(sweep_goes_on_after_a_failure_and_reports_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
