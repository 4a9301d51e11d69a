/* SPDX-License-Identifier: Apache-2.0 */
/* Pods are removed, and those that were left behind. */
#include "spawning.h"

#include "base/clock.h"
#include "discovery-kubernetes/remove.h"

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
    assert_int_equal(remove_all(&s->discovery, &s->call, true, &removed, &s->err),
                     CASB_EUNREACHABLE);
    assert_int_equal(s->kube.deletes, 2);
    assert_string_equal(s->err.text, "pod 'a': no");
    assert_int_equal(removed, 77);
}

static void sweep_of_a_pass_warns_of_what_cannot_be_deleted(void **state)
{
    static const int classes[] = {CASB_EDENIED, CASB_EUNREACHABLE, CASB_ECONFLICT, CASB_EFAILED};
    struct setup *s = *state;

    fake_kube_add_pod(&s->kube, named("a", NULL));
    for (size_t i = 0; i < ELEMENTS(classes); i++) {
        size_t removed = 77;

        *s->log = '\0';
        s->kube.delete_fails = classes[i];
        assert_int_equal(remove_all(&s->discovery, &s->call, false, &removed, &s->err), 0);
        assert_int_equal(removed, 0);
        assert_string_equal(s->log, "left for the next pass to remove: pod 'a': no");
    }
}

static void sweep_fails_where_nothing_can_be_listed(void **state)
{
    struct setup *s = *state;
    size_t removed = 77;

    for (size_t i = 0; i < ELEMENTS(s->kube.list_fails); i++)
        s->kube.list_fails[i] = CASB_EDENIED;
    assert_int_equal(remove_all(&s->discovery, &s->call, false, &removed, &s->err), CASB_EDENIED);
    assert_int_equal(removed, 77);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        TEST(sweep_of_a_pass_warns_of_what_cannot_be_deleted),
        TEST(sweep_fails_where_nothing_can_be_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
