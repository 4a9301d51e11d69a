/* SPDX-License-Identifier: Apache-2.0 */
/* From the pod that was made to the machine that is registered. */
#include "spawning.h"

#include <sys/eventfd.h>

#define READY_IPV6                                                                                 \
    "{\"phase\": \"Running\", \"podIP\": \"fd00::7\", \"conditions\": ["                           \
    "{\"type\": \"Ready\", \"status\": \"True\"}]}"
#define WAITS(reason, message)                                                                     \
    "{\"phase\": \"Pending\", \"containerStatuses\": [{\"name\": \"backup-cas\", \"state\":"       \
    " {\"waiting\": {\"reason\": \"" reason "\", \"message\": \"" message "\"}}}]}"

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

/* As behind a proxy that holds the watch back. */
static void what_the_watch_did_not_show_is_asked_for_before_it_counts(void **state)
{
    static const struct {
        const char *unseen, *failure; /* NULL: it is ready */
    } rows[] = {
        {READY, NULL},
        {WAITS("InvalidImageName", "no such form"),
         "pod 'cas-node-1': image name is not valid: no such form"},
        {WAITS("ContainerCreating", "volume not mounted"),
         "pod 'cas-node-1': not ready after 1 s: ContainerCreating: volume not mounted"},
    };
    struct setup *s = *state;

    s->settings.ready_timeout_ns = CLOCK_S;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        s->kube.creates[i] = (struct fake_create){FAKE_CREATED, {PENDING}};
        s->kube.unseen = rows[i].unseen;
        s->kube.gets = 0;
        s->err = (struct casb_error){0};
        assert_int_equal(spawn(s) == 0, !rows[i].failure);
        assert_string_equal(s->err.text, rows[i].failure ? rows[i].failure : "");
        assert_int_equal(s->kube.gets, 1);
        assert_int_equal(clean(s), 0);
    }
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pod_costs_one_create_and_one_delete),
        TEST(what_is_registered_is_the_machine_as_it_is_by_then),
        TEST(another_machine_is_not_the_one_that_was_meant),
        TEST(a_node_that_cannot_be_looked_at_again_is_not_registered),
        TEST(an_ipv6_address_gets_brackets),
        TEST(a_pod_that_cannot_start_fails_at_once),
        TEST(an_image_that_stays_away_fails_with_its_first_message),
        TEST(trouble_that_heals_is_forgotten),
        TEST(a_pod_that_its_kubelet_rejects_is_replaced_once),
        TEST(a_rejected_pod_that_stays_fails_for_the_kubelets_reason),
        TEST(a_kubelet_that_rejects_again_is_believed),
        TEST(a_pod_that_somebody_deletes_fails),
        TEST(ready_timeout_names_the_last_state),
        TEST(what_the_watch_did_not_show_is_asked_for_before_it_counts),
        TEST(a_cancelled_wait_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
