/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "fake_kube.h"

#include "discovery-kubernetes/scan.h"

#include <string.h>

struct setup {
    struct kube kube;
    struct discovery_settings settings;
    struct discovery discovery;
    struct casb_error err;
    struct casb_host host;
    char log[1024];  /* the lines */
    char seen[1024]; /* "name=source;" of each node */
    int stop;        /* what the callback returns */
};

static const struct casb_call call = {.deadline_ns = INT64_MAX, .cancel_fd = -1};

static void keep_log(const struct casb_host *host, enum casb_level level, const char *node,
                     const char *text)
{
    struct setup *s = host->arg;
    size_t len = strlen(s->log);

    (void)node;
    snprintf(s->log + len, sizeof s->log - len, "%s%s\n", level == CASB_WARN ? "warn: " : "", text);
}

static int see(const struct casb_node *node, void *arg)
{
    struct setup *s = arg;
    size_t len = strlen(s->seen);

    snprintf(s->seen + len, sizeof s->seen - len, "%s=%s;", node->name,
             node->las_source ? node->las_source : "");
    return s->stop;
}

static int set_up(void **state)
{
    struct setup *s = calloc(1, sizeof *s);

    assert_non_null(s);
    fake_kube_init(&s->kube);
    s->host = (struct casb_host){.size = sizeof s->host, .arg = s, .log = keep_log};
    s->discovery = (struct discovery){.host = &s->host, .settings = &s->settings, .kube = &s->kube};
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct setup *s = *state;

    las_free(s->discovery.las);
    fake_kube_free(&s->kube);
    free(s);
    return 0;
}

static void want_las(struct setup *s)
{
    assert_int_equal(las_new(&s->kube, "default", "app=las", &s->discovery.las, NULL), 0);
}

static void add_node(struct setup *s, const char *name)
{
    json_array_append_new(s->kube.nodes,
                          json_pack("{s:{s:s, s:s}}", "metadata", "name", name, "uid", name));
}

static void add_las(struct setup *s, const char *node)
{
    fake_kube_add_pod(
        &s->kube,
        json_pack("{s:{s:s, s:s, s:s}, s:{s:s, s:[{s:s}]}, s:{s:[{s:s, s:{s:{s:s}}}]}}", "metadata",
                  "name", node, "uid", node, "creationTimestamp", "1", "spec", "nodeName", node,
                  "containers", "name", "las", "status", "containerStatuses", "name", "las",
                  "state", "running", "startedAt", "T"));
}

static int scan(struct setup *s)
{
    return scan_nodes(&s->discovery, &call, see, s, &s->err);
}

static void every_node_is_given(void **state)
{
    struct setup *s = *state;

    add_node(s, "a");
    add_node(s, "b");
    assert_int_equal(scan(s), 0);
    assert_string_equal(s->seen, "a=;b=;");
    assert_string_equal(s->log, "");
    assert_int_equal(s->kube.lists, 1);
    assert_string_equal(s->kube.query, "");
}

static void the_selector_goes_to_the_server(void **state)
{
    struct setup *s = *state;

    s->discovery.selector = (char[]){"a!=b,c in (d)"};
    assert_int_equal(scan(s), 0);
    assert_string_equal(s->kube.query, "a!=b,c in (d)");
}

static void the_callback_can_stop_the_scan(void **state)
{
    struct setup *s = *state;

    add_node(s, "a");
    add_node(s, "b");
    s->stop = 5;
    assert_int_equal(scan(s), 5);
    assert_string_equal(s->seen, "a=;");
}

static void a_failed_list_is_an_error(void **state)
{
    struct setup *s = *state;

    s->kube.list_fails[0] = CASB_EINVALID;
    assert_int_equal(scan(s), CASB_EINVALID);
    assert_string_equal(s->err.text, "list of the nodes: the list failed");
}

static void an_odd_node_costs_itself_and_a_warning(void **state)
{
    struct setup *s = *state;
    char huge[100000];

    add_node(s, "a");
    json_array_append_new(s->kube.nodes, json_object());
    json_array_append_new(s->kube.nodes,
                          json_pack("{s:{s:s, s:s}}", "metadata", "name", "odd", "uid", "a/b"));
    add_node(s, "b");
    assert_int_equal(scan(s), 0);
    assert_string_equal(s->seen, "a=;b=;");
    assert_string_equal(s->log, "warn: the API gave a node with an odd name: ''; it is left out\n"
                                "warn: the API gave node 'odd' with an odd uid: 'a/b'; it is left "
                                "out\n");
    s->log[0] = s->seen[0] = 0;
    memset(huge, 'b', sizeof huge - 1);
    huge[sizeof huge - 1] = 0;
    json_object_set_new(json_array_get(s->kube.nodes, 0), "status",
                        json_pack("{s:{s:s}}", "nodeInfo", "bootID", huge));
    assert_int_equal(scan(s), 0);
    assert_string_equal(s->seen, "a=;b=;");
    assert_non_null(strstr(s->log, "warn: its boot ID is none, and is not looked at\n"));
}

static void one_list_of_las_pods_serves_all_nodes(void **state)
{
    struct setup *s = *state;

    want_las(s);
    add_node(s, "a");
    add_node(s, "b");
    add_las(s, "a");
    add_las(s, "b");
    assert_int_equal(scan(s), 0);
    assert_string_equal(s->seen, "a=a/0@T;b=b/0@T;");
    assert_string_equal(s->log, "");
    assert_int_equal(s->kube.lists, 2);
}

static void nodes_without_las_are_named_in_one_warning(void **state)
{
    struct setup *s = *state;

    want_las(s);
    add_node(s, "a");
    add_node(s, "b");
    add_node(s, "c");
    add_las(s, "b");
    assert_int_equal(scan(s), 0);
    assert_string_equal(s->log, "warn: no LAS pod runs on a, c; boot IDs decide\n");
}

static void many_nodes_without_las_are_counted(void **state)
{
    struct setup *s = *state;

    want_las(s);
    for (int i = 0; i < 100; i++)
        add_node(s, "a-node-of-name-length-25x");
    assert_int_equal(scan(s), 0);
    assert_non_null(strstr(s->log, "a-node-of-name-length-25x and 93 more; boot IDs decide\n"));
}

static void a_control_plane_without_las_is_no_news(void **state)
{
    struct setup *s = *state;

    want_las(s);
    json_array_append_new(s->kube.nodes,
                          json_pack("{s:{s:s, s:s, s:{s:s}}}", "metadata", "name", "cp", "uid", "u",
                                    "labels", "node-role.kubernetes.io/control-plane", ""));
    assert_int_equal(scan(s), 0);
    assert_string_equal(s->seen, "cp=;");
    assert_string_equal(s->log, "");
}

static void an_excluded_node_without_las_is_no_news(void **state)
{
    struct setup *s = *state;
    json_auto_t *selector = json_pack("{s:s}", "os", "linux");

    s->discovery.needs.selector = selector;
    want_las(s);
    add_node(s, "windows");
    assert_int_equal(scan(s), 0);
    assert_string_equal(s->seen, "windows=;");
    assert_string_equal(s->log, "");
}

static void trouble_with_the_las_pods_is_a_warning(void **state)
{
    struct setup *s = *state;

    want_las(s);
    add_node(s, "a");
    s->kube.list_fails[0] = CASB_EDENIED;
    assert_int_equal(scan(s), 0);
    assert_string_equal(s->seen, "a=;");
    assert_string_equal(s->log, "warn: list of the LAS pods: the list failed; boot IDs decide\n");
}

static void cancellation_during_the_las_list_ends_the_scan(void **state)
{
    struct setup *s = *state;

    want_las(s);
    add_node(s, "a");
    s->kube.list_fails[0] = CASB_ECANCELLED;
    assert_int_equal(scan(s), CASB_ECANCELLED);
    assert_string_equal(s->seen, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_node_is_given),
        TEST(the_selector_goes_to_the_server),
        TEST(the_callback_can_stop_the_scan),
        TEST(a_failed_list_is_an_error),
        TEST(an_odd_node_costs_itself_and_a_warning),
        TEST(one_list_of_las_pods_serves_all_nodes),
        TEST(nodes_without_las_are_named_in_one_warning),
        TEST(many_nodes_without_las_are_counted),
        TEST(a_control_plane_without_las_is_no_news),
        TEST(an_excluded_node_without_las_is_no_news),
        TEST(trouble_with_the_las_pods_is_a_warning),
        TEST(cancellation_during_the_las_list_ends_the_scan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
