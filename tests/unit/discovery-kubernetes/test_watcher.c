/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "fake_kube.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "discovery-kubernetes/watcher.h"

#include <string.h>
#include <sys/eventfd.h>

#define READY                                                                                      \
    "{\"phase\": \"Running\", \"podIP\": \"10.0.0.7\", \"conditions\": ["                          \
    "{\"type\": \"Ready\", \"status\": \"True\"}]}"
/* Enough that some are kept in the same place. */
#define OTHERS  600
#define PENDING "{\"phase\": \"Pending\"}"

struct setup {
    struct kube kube;
    struct watcher *watcher;
    struct waiter *waiter; /* of the pod "p" */
    struct casb_call call;
};

static json_t *make_pod(const char *name, const char *uid)
{
    json_t *pod = json_pack("{s:{s:s, s:s}}", "metadata", "name", name, "uid", uid);

    assert_non_null(pod);
    return pod;
}

static int set_up(void **state)
{
    struct setup *s = calloc(1, sizeof *s);
    char name[] = "p";

    assert_non_null(s);
    fake_kube_init(&s->kube);
    s->call = (struct casb_call){.deadline_ns = clock_now_ns() + 20 * CLOCK_S, .cancel_fd = -1};
    assert_int_equal(watcher_new(&fake_host, &s->kube, "sgx", "a=b", false, &s->watcher, NULL), 0);
    assert_int_equal(waiter_new(s->watcher, name, &s->waiter, NULL), 0);
    name[0] = '?'; /* a waiter may outlive its caller's buffer, so every test is with its copy */
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct setup *s = *state;

    waiter_free(s->waiter);
    watcher_free(s->watcher);
    fake_kube_free(&s->kube);
    free(s);
    return 0;
}

static void start(struct setup *s)
{
    assert_int_equal(watcher_start(s->watcher, NULL), 0);
}

/* Puts the pod "p" into the cluster and adopts it. */
static void adopt(struct setup *s, const char *uid)
{
    json_t *pod = make_pod("p", uid);

    waiter_adopt(s->waiter, pod);
    pthread_mutex_lock(&s->kube.lock);
    fake_kube_add_pod(&s->kube, pod);
    pthread_mutex_unlock(&s->kube.lock);
}

static struct pod_news await(struct setup *s, bool gone, enum pod_state state)
{
    struct pod_news news;

    for (;;) {
        assert_int_equal(waiter_look(s->waiter, &news, NULL), 0);
        if (news.gone == gone && (gone || news.verdict.state == state))
            return news;
        assert_int_equal(waiter_sleep(s->waiter, &s->call, INT64_MAX), 0);
    }
}

static void an_event_wakes_the_waiter(void **state)
{
    struct setup *s = *state;

    start(s);
    fake_kube_await_watch(&s->kube, 1);
    adopt(s, "u1");
    fake_kube_event(&s->kube, "p", READY);
    assert_string_equal(await(s, false, POD_READY).verdict.ip, "10.0.0.7");
    assert_string_equal(s->kube.query, "a=b");
}

static void the_list_tells_what_came_before_the_watch(void **state)
{
    struct setup *s = *state;

    adopt(s, "u1");
    fake_kube_event(&s->kube, "p", READY);
    start(s);
    await(s, false, POD_READY);
}

static void a_deleted_pod_is_gone(void **state)
{
    struct setup *s = *state;

    start(s);
    fake_kube_await_watch(&s->kube, 1);
    adopt(s, "u1");
    fake_kube_event(&s->kube, "p", NULL);
    await(s, true, POD_WAITING);
}

static void what_a_list_after_410_lacks_is_gone(void **state)
{
    struct setup *s = *state;

    start(s);
    fake_kube_await_watch(&s->kube, 1);
    adopt(s, "u1");
    fake_kube_lose_pod(&s->kube, "p");
    await(s, true, POD_WAITING);
    assert_int_equal(s->kube.lists, 2);
}

static void a_pod_that_is_not_adopted_yet_is_not_gone_by_a_list(void **state)
{
    struct setup *s = *state;
    struct pod_news news;

    start(s);
    fake_kube_await_watch(&s->kube, 1);
    fake_kube_lose_pod(&s->kube, "p");
    fake_kube_await_watch(&s->kube, 2);
    assert_int_equal(waiter_look(s->waiter, &news, NULL), 0);
    assert_false(news.gone);
}

static void events_of_another_pod_of_the_name_are_ignored(void **state)
{
    struct setup *s = *state;
    json_auto_t *mine = make_pod("p", "u2");
    struct pod_news news;

    start(s);
    fake_kube_await_watch(&s->kube, 1);
    waiter_adopt(s->waiter, mine);
    pthread_mutex_lock(&s->kube.lock);
    fake_kube_add_pod(&s->kube, make_pod("p", "u1"));
    pthread_mutex_unlock(&s->kube.lock);
    fake_kube_event(&s->kube, "p", READY);
    fake_kube_event(&s->kube, "p", NULL);
    fake_kube_lose_pod(&s->kube, "q");
    fake_kube_await_watch(&s->kube, 2);
    assert_int_equal(waiter_look(s->waiter, &news, NULL), 0);
    assert_int_equal(news.verdict.state, POD_WAITING);
}

static void an_event_before_the_adoption_counts(void **state)
{
    struct setup *s = *state;
    json_auto_t *answer = make_pod("p", "u1");

    start(s);
    fake_kube_await_watch(&s->kube, 1);
    pthread_mutex_lock(&s->kube.lock);
    fake_kube_add_pod(&s->kube, make_pod("p", "u1"));
    pthread_mutex_unlock(&s->kube.lock);
    fake_kube_event(&s->kube, "p", READY);
    await(s, false, POD_READY);
    waiter_adopt(s->waiter, answer);
    await(s, false, POD_READY);
}

static void after_a_reset_the_successor_counts(void **state)
{
    struct setup *s = *state;

    start(s);
    fake_kube_await_watch(&s->kube, 1);
    adopt(s, "u1");
    fake_kube_event(&s->kube, "p", NULL);
    await(s, true, POD_WAITING);
    waiter_reset(s->waiter);
    pthread_mutex_lock(&s->kube.lock);
    fake_kube_add_pod(&s->kube, make_pod("p", "u2"));
    pthread_mutex_unlock(&s->kube.lock);
    fake_kube_event(&s->kube, "p", READY);
    await(s, false, POD_READY);
}

static void a_failed_list_is_tried_again(void **state)
{
    struct setup *s = *state;

    s->kube.list_fails[0] = CASB_EUNREACHABLE;
    adopt(s, "u1");
    fake_kube_event(&s->kube, "p", READY);
    start(s);
    await(s, false, POD_READY);
    assert_int_equal(s->kube.lists, 2);
}

static void a_list_that_is_denied_again_and_again_fails_every_waiter(void **state)
{
    struct casb_error err = {0}, trouble;
    struct setup *s = *state;
    struct pod_news news;

    for (size_t i = 0; i < ELEMENTS(s->kube.list_fails); i++)
        s->kube.list_fails[i] = CASB_EDENIED;
    start(s);
    while (waiter_look(s->waiter, &news, &err) == 0)
        assert_int_equal(waiter_sleep(s->waiter, &s->call, INT64_MAX), 0);
    assert_int_equal(err.code, CASB_EDENIED);
    assert_string_equal(err.text, "watch of the backup CAS pods: the list failed");
    assert_int_equal(s->kube.lists, 4);
    waiter_trouble(s->waiter, &trouble);
    assert_string_equal(trouble.text, "the list failed");
}

static void a_denial_may_pass(void **state)
{
    struct casb_error trouble;
    struct setup *s = *state;

    s->kube.list_fails[0] = CASB_EDENIED;
    start(s);
    fake_kube_await_watch(&s->kube, 1);
    waiter_trouble(s->waiter, &trouble);
    assert_int_equal(trouble.code, 0);
}

static void sleep_ends_with_the_call(void **state)
{
    struct setup *s = *state;
    struct casb_call call = {.deadline_ns = clock_now_ns(), .cancel_fd = eventfd(1, 0)};

    assert_int_equal(waiter_sleep(s->waiter, &call, INT64_MAX), CASB_ECANCELLED);
    close(call.cancel_fd);
    call.cancel_fd = -1;
    assert_int_equal(waiter_sleep(s->waiter, &call, INT64_MAX), CASB_ETIMEOUT);
    assert_int_equal(waiter_sleep(s->waiter, &s->call, clock_now_ns()), 0);
}

static void each_waiter_has_its_own_pod(void **state)
{
    struct waiter *others[OTHERS] = {NULL};
    struct setup *s = *state;
    struct pod_news news;

    for (size_t i = 0; i < OTHERS; i++) {
        char name[16];

        snprintf(name, sizeof name, "q%zu", i);
        assert_int_equal(waiter_new(s->watcher, name, &others[i], NULL), 0);
    }
    start(s);
    fake_kube_await_watch(&s->kube, 1);
    adopt(s, "u1");
    for (size_t i = 0; i < OTHERS; i++)
        if (i % 3 == 0)
            waiter_free(TAKE_PTR(others[i]));
    fake_kube_event(&s->kube, "p", READY);
    await(s, false, POD_READY);
    for (size_t i = OTHERS; i-- > 0;) {
        if (!others[i])
            continue;
        assert_int_equal(waiter_look(others[i], &news, NULL), 0);
        assert_int_equal(news.verdict.state, POD_WAITING);
        waiter_free(others[i]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_event_wakes_the_waiter),
        TEST(the_list_tells_what_came_before_the_watch),
        TEST(a_deleted_pod_is_gone),
        TEST(what_a_list_after_410_lacks_is_gone),
        TEST(a_pod_that_is_not_adopted_yet_is_not_gone_by_a_list),
        TEST(events_of_another_pod_of_the_name_are_ignored),
        TEST(an_event_before_the_adoption_counts),
        TEST(after_a_reset_the_successor_counts),
        TEST(a_failed_list_is_tried_again),
        TEST(a_list_that_is_denied_again_and_again_fails_every_waiter),
        TEST(a_denial_may_pass),
        TEST(sleep_ends_with_the_call),
        TEST(each_waiter_has_its_own_pod),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
