/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "fake_kube.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "discovery-kubernetes/las.h"

#include <string.h>

#define KEY   "A470CDA5245AF18EF5D8D3E1B30982A3BC74848376CA4FD03237C0F342E97239"
#define LINE  "[10000:INFO@04.05.2020/11:01:44] STARTER: SCONE QE has public key " KEY "\n"
#define KIB   1024
#define START "2020-01-01T00:00:00Z"

struct setup {
    struct kube kube;
    struct las *las;
    struct laspods *pods;
    struct casb_error err;
    struct casb_identity key;
};

static const struct casb_call call = {.deadline_ns = INT64_MAX, .cancel_fd = -1};

static int set_up(void **state)
{
    struct setup *s = calloc(1, sizeof *s);

    assert_non_null(s);
    fake_kube_init(&s->kube);
    assert_int_equal(las_new(&s->kube, "kube-system", "app=las", &s->las, NULL), 0);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct setup *s = *state;

    laspods_unref(s->pods);
    las_free(s->las);
    fake_kube_free(&s->kube);
    free(s);
    return 0;
}

static void list(struct setup *s)
{
    laspods_unref(TAKE_PTR(s->pods));
    assert_int_equal(las_list(s->las, &call, &s->pods, &s->err), 0);
}

static int read_key(struct setup *s, const char *node)
{
    return las_read(s->las, &call, node, &s->key, &s->err);
}

/* A LAS pod on `node` with one running container "las", its uid being its name. */
static json_t *make_pod(const char *name, const char *node, bool ready, const char *created)
{
    json_t *pod = json_pack(
        "{s:{s:s, s:s, s:s}, s:{s:s, s:[{s:s}]}, s:{s:[{s:s, s:s}], s:[{s:s, s:i, s:{s:{s:s}}}]}}",
        "metadata", "name", name, "uid", name, "creationTimestamp", created, "spec", "nodeName",
        node, "containers", "name", "las", "status", "conditions", "type", "Ready", "status",
        ready ? "True" : "False", "containerStatuses", "name", "las", "restartCount", 0, "state",
        "running", "startedAt", START);

    assert_non_null(pod);
    return pod;
}

static json_t *add_pod(struct setup *s, const char *name, const char *node, bool ready,
                       const char *created)
{
    json_t *pod = make_pod(name, node, ready, created);

    fake_kube_add_pod(&s->kube, pod);
    return pod;
}

static void set_deleting(json_t *pod)
{
    json_object_set_new(json_object_get(pod, "metadata"), "deletionTimestamp", json_string(START));
}

static void set_container(json_t *pod, const char *status)
{
    json_t *value = json_loads(status, 0, NULL);

    assert_non_null(value);
    json_object_set_new(json_object_get(pod, "status"), "containerStatuses", value);
}

static void set_log(struct setup *s, const char *container, const char *text)
{
    json_object_set_new(s->kube.logs, container, json_string(text));
}

/* Nobody answers for this log, and the client gives up with that class. */
static void set_unanswered(struct setup *s, const char *container, int code)
{
    json_object_set_new(s->kube.logs, container, json_integer(code));
}

/* A log of `size` bytes with `line` at its end. */
static void set_long_log(struct setup *s, const char *container, size_t size, const char *line)
{
    char *text = malloc(size + 1);

    assert_non_null(text);
    memset(text, '.', size);
    snprintf(text + size - strlen(line), strlen(line) + 1, "%s", line);
    set_log(s, container, text);
    free(text);
}

static void the_source_is_pod_and_start(void **state)
{
    struct setup *s = *state;

    add_pod(s, "a", "node-1", true, START);
    list(s);
    assert_string_equal(las_source(s->pods, "node-1"), "a/0@" START);
    assert_null(las_source(s->pods, "node-2"));
    assert_null(las_source(NULL, "node-1"));
    assert_string_equal(s->kube.query, "app=las");
}

static void the_source_changes_with_every_start(void **state)
{
    static const struct {
        const char *status, *source;
    } cases[] = {
        {"[{\"name\": \"las\", \"restartCount\": 0, \"state\": {\"running\": "
         "{\"startedAt\": \"T1\"}}}]",
         "a/0@T1"},
        {"[{\"name\": \"las\", \"restartCount\": 1, \"state\": {\"running\": "
         "{\"startedAt\": \"T2\"}}}]",
         "a/1@T2"},
        /* ended: its log can still be read, and nothing new was started */
        {"[{\"name\": \"las\", \"restartCount\": 1, \"state\": {\"terminated\": "
         "{\"startedAt\": \"T2\"}}}]",
         "a/1@T2"},
        {"[{\"name\": \"las\", \"restartCount\": 1, \"state\": {\"waiting\": {}},"
         " \"lastState\": {\"terminated\": {\"startedAt\": \"T2\"}}}]",
         "a/1@T2"},
        /* never started */
        {"[{\"name\": \"las\", \"restartCount\": 0, \"state\": {\"waiting\": {}}}]", NULL},
        {"[]", NULL},
    };
    struct setup *s = *state;
    json_t *pod = add_pod(s, "a", "node-1", true, START);

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        const char *source;

        set_container(pod, cases[i].status);
        list(s);
        source = las_source(s->pods, "node-1");
        if (cases[i].source)
            assert_string_equal(source, cases[i].source);
        else
            assert_null(source);
    }
}

static void every_container_is_part_of_the_source(void **state)
{
    struct setup *s = *state;
    json_t *pod = add_pod(s, "a", "node-1", true, START);

    json_array_append_new(json_object_get(json_object_get(pod, "spec"), "containers"),
                          json_pack("{s:s}", "name", "aesm"));
    set_container(pod, "[{\"name\": \"aesm\", \"restartCount\": 2, \"state\": {\"running\": "
                       "{\"startedAt\": \"T2\"}}}, {\"name\": \"las\", \"restartCount\": 0,"
                       " \"state\": {\"running\": {\"startedAt\": \"T1\"}}}]");
    list(s);
    assert_string_equal(las_source(s->pods, "node-1"), "a/2@T2/0@T1");
}

static void of_several_pods_the_right_one_counts(void **state)
{
    static const struct {
        const char *what;
        struct {
            bool ready, deleting;
            const char *created;
        } a, b;
        const char *want;
    } cases[] = {
        {"Ready before younger", {true, false, "1"}, {false, false, "2"}, "a"},
        {"the younger of two Ready", {true, false, "1"}, {true, false, "2"}, "b"},
        {"the younger where none is Ready", {false, false, "2"}, {false, false, "1"}, "a"},
        {"one being deleted comes last", {true, true, "2"}, {false, false, "1"}, "b"},
        {"the younger of two being deleted", {true, true, "1"}, {false, true, "2"}, "b"},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct setup *s;
        json_t *a, *b;

        tear_down(state);
        set_up(state);
        s = *state;
        a = add_pod(s, "a", "node-1", cases[i].a.ready, cases[i].a.created);
        b = add_pod(s, "b", "node-1", cases[i].b.ready, cases[i].b.created);
        if (cases[i].a.deleting)
            set_deleting(a);
        if (cases[i].b.deleting)
            set_deleting(b);
        list(s);
        if (las_source(s->pods, "node-1")[0] != cases[i].want[0])
            fail_msg("%s: %s", cases[i].what, las_source(s->pods, "node-1"));
    }
}

static void pods_without_a_place_or_a_name_are_passed_over(void **state)
{
    struct setup *s = *state;
    json_t *pod = add_pod(s, "a", "node-1", true, START);

    json_object_del(json_object_get(pod, "metadata"), "uid");
    pod = add_pod(s, "b", "node-2", true, START);
    json_object_del(json_object_get(pod, "spec"), "nodeName");
    list(s);
    assert_null(laspods_find(s->pods, "node-1"));
    assert_null(laspods_find(s->pods, "node-2"));
}

static void a_failed_list_is_an_error(void **state)
{
    struct setup *s = *state;

    s->kube.list_fails[0] = CASB_EDENIED;
    assert_int_equal(las_list(s->las, &call, &s->pods, &s->err), CASB_EDENIED);
    assert_string_equal(s->err.text, "list of the LAS pods: the list failed");
    assert_null(s->pods);
}

static void the_key_comes_from_the_pods_log(void **state)
{
    struct setup *s = *state;

    add_pod(s, "a", "node-1", true, START);
    set_log(s, "a/las", LINE);
    list(s);
    assert_int_equal(read_key(s, "node-1"), 0);
    assert_string_equal(s->key.text, KEY);
    assert_int_equal(s->kube.texts, 1);
}

static void a_key_in_the_first_64_kib_needs_one_read(void **state)
{
    struct setup *s = *state;

    add_pod(s, "a", "node-1", true, START);
    set_long_log(s, "a/las", 64 * KIB, LINE);
    list(s);
    assert_int_equal(read_key(s, "node-1"), 0);
    assert_int_equal(s->kube.texts, 1);
}

static void a_later_key_needs_a_second_read(void **state)
{
    struct setup *s = *state;

    add_pod(s, "a", "node-1", true, START);
    set_long_log(s, "a/las", 1024 * KIB, LINE);
    list(s);
    assert_int_equal(read_key(s, "node-1"), 0);
    assert_string_equal(s->key.text, KEY);
    assert_int_equal(s->kube.texts, 2);
}

static void beyond_1_mib_no_key_is_looked_for(void **state)
{
    struct setup *s = *state;

    add_pod(s, "a", "node-1", true, START);
    set_long_log(s, "a/las", 1024 * KIB + 2, LINE);
    list(s);
    assert_int_equal(read_key(s, "node-1"), CASB_ENOTFOUND);
    assert_string_equal(s->err.text, "LAS pod 'a': no identity in its log, which is "
                                     "not read again before LAS restarts");
    assert_int_equal(s->kube.texts, 2);
}

static void a_short_log_without_a_key_is_read_once(void **state)
{
    struct setup *s = *state;

    add_pod(s, "a", "node-1", true, START);
    set_log(s, "a/las", "LAS is listening\n");
    list(s);
    assert_int_equal(read_key(s, "node-1"), CASB_ENOTFOUND);
    assert_false(s->err.retry);
    assert_int_equal(s->kube.texts, 1);
    assert_string_equal(s->key.text, "");
}

static void a_las_that_was_started_lately_may_print_a_key_yet(void **state)
{
    struct setup *s = *state;
    json_t *pod = add_pod(s, "a", "node-1", true, START);
    char started[CLOCK_RFC3339_BYTES], status[256];

    clock_format(started, clock_wall_ms() - 50 * 60 * 1000, false);
    snprintf(status, sizeof status,
             "[{\"name\": \"las\", \"state\": {\"running\": {\"startedAt\": \"%s\"}}},"
             " {\"name\": \"qe\", \"state\": {\"running\": {\"startedAt\": \"" START "\"}}}]",
             started);
    set_container(pod, status);
    set_log(s, "a/las", "LAS is starting\n");
    list(s);
    assert_int_equal(read_key(s, "node-1"), CASB_ENOTFOUND);
    assert_true(s->err.retry);
    assert_string_equal(s->err.text, "LAS pod 'a': no identity in its log");
}

static void any_container_may_print_the_key(void **state)
{
    struct setup *s = *state;
    json_t *pod = add_pod(s, "a", "node-1", true, START);

    json_array_append_new(json_object_get(json_object_get(pod, "spec"), "containers"),
                          json_pack("{s:s}", "name", "qe"));
    set_container(pod, "[{\"name\": \"las\", \"state\": {\"running\": {\"startedAt\": \"T\"}}},"
                       " {\"name\": \"qe\", \"state\": {\"running\": {\"startedAt\": \"T\"}}}]");
    set_log(s, "a/qe", LINE);
    list(s);
    assert_int_equal(read_key(s, "node-1"), 0);
    assert_string_equal(s->key.text, KEY);
}

static void an_unreadable_log_is_an_error(void **state)
{
    struct setup *s = *state;

    add_pod(s, "a", "node-1", true, START);
    list(s);
    assert_int_equal(read_key(s, "node-1"), CASB_EUNREACHABLE);
    assert_string_equal(s->err.text, "LAS pod 'a': the kubelet does not answer");
    assert_int_equal(s->err.http, 502);
}

static void a_log_that_is_not_found_may_hold_the_key(void **state)
{
    struct setup *s = *state;

    add_pod(s, "a", "node-1", true, START);
    json_object_set_new(s->kube.logs, "a/las", json_null());
    list(s);
    assert_int_equal(read_key(s, "node-1"), CASB_EFAILED);
    assert_int_equal(s->err.code, CASB_EFAILED);
    assert_string_equal(s->err.text, "LAS pod 'a': the kubelet does not know the pod");
}

static void reading_ends_soon(void **state)
{
    struct setup *s = *state;
    int64_t latest;

    add_pod(s, "a", "node-1", true, START);
    set_log(s, "a/las", LINE);
    list(s);
    assert_int_equal(read_key(s, "node-1"), 0);
    latest = clock_now_ns() + 15 * CLOCK_S;
    assert_true(s->kube.text_deadline_ns <= latest);
}

static int read_often(struct setup *s, int times)
{
    int r = 0;

    for (int i = 0; i < times; i++) {
        s->err = (struct casb_error){0};
        r = read_key(s, "node-1");
    }
    return r;
}

static void where_no_kubelet_answers_reading_is_given_up(void **state)
{
    struct setup *s = *state;

    add_pod(s, "a", "node-1", true, START);
    list(s);
    set_unanswered(s, "a/las", CASB_ETIMEOUT);
    assert_int_equal(read_often(s, 15), CASB_ETIMEOUT);
    set_log(s, "a/las", LINE);
    assert_int_equal(read_often(s, 1), 0); /* one answer, and all others are hoped for again */
    set_unanswered(s, "a/las", CASB_ETIMEOUT);
    assert_int_equal(read_often(s, 100), CASB_EUNREACHABLE);
    assert_string_equal(s->err.text, "LAS pod 'a': log not read: 16 others in a row got no answer");
    assert_int_equal(s->kube.texts, 15 + 1 + 16);
}

static void where_connections_break_reading_goes_on(void **state)
{
    struct setup *s = *state;

    add_pod(s, "a", "node-1", true, START);
    list(s);
    set_unanswered(s, "a/las", CASB_EUNREACHABLE);
    assert_int_equal(read_often(s, 100), CASB_EUNREACHABLE);
    set_log(s, "a/las", LINE);
    assert_int_equal(read_often(s, 1), 0);
}

static void without_a_pod_there_is_nothing_to_read(void **state)
{
    struct setup *s = *state;

    assert_int_equal(read_key(s, "node-1"), CASB_ENOTFOUND);
    s->err = (struct casb_error){0};
    list(s);
    assert_int_equal(read_key(s, "node-1"), CASB_ENOTFOUND);
    assert_string_equal(s->err.text, "no LAS pod runs there");
    assert_int_equal(s->kube.texts, 0);
}

static void what_is_odd_about_one_pod_costs_that_one(void **state)
{
    struct setup *s = *state;
    json_t *many = json_array();

    add_pod(s, "good", "node-1", true, "1");
    json_object_set_new(json_object_get(add_pod(s, "uid", "node-2", true, "1"), "metadata"), "uid",
                        json_string("a\x1b[31m"));
    set_container(add_pod(s, "time", "node-3", true, "1"),
                  "[{\"state\": {\"running\": {\"startedAt\": \"\\u202e\"}}}]");
    for (size_t i = 0; i < 200; i++)
        json_array_append_new(many, json_pack("{s:{s:{s:s}}}", "state", "running", "startedAt",
                                              "2026-01-01T00:00:00Z"));
    json_object_set_new(json_object_get(add_pod(s, "many", "node-4", true, "1"), "status"),
                        "containerStatuses", many);
    list(s);
    assert_non_null(las_source(s->pods, "node-1"));
    assert_null(las_source(s->pods, "node-2"));
    assert_null(las_source(s->pods, "node-3"));
    assert_null(las_source(s->pods, "node-4"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_odd_about_one_pod_costs_that_one),
        TEST(the_source_is_pod_and_start),
        TEST(the_source_changes_with_every_start),
        TEST(every_container_is_part_of_the_source),
        TEST(of_several_pods_the_right_one_counts),
        TEST(pods_without_a_place_or_a_name_are_passed_over),
        TEST(a_failed_list_is_an_error),
        TEST(the_key_comes_from_the_pods_log),
        TEST(a_key_in_the_first_64_kib_needs_one_read),
        TEST(a_later_key_needs_a_second_read),
        TEST(beyond_1_mib_no_key_is_looked_for),
        TEST(a_short_log_without_a_key_is_read_once),
        TEST(a_las_that_was_started_lately_may_print_a_key_yet),
        TEST(any_container_may_print_the_key),
        TEST(an_unreadable_log_is_an_error),
        TEST(a_log_that_is_not_found_may_hold_the_key),
        TEST(reading_ends_soon),
        TEST(where_no_kubelet_answers_reading_is_given_up),
        TEST(where_connections_break_reading_goes_on),
        TEST(without_a_pod_there_is_nothing_to_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
