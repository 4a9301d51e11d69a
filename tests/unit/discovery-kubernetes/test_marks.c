/* SPDX-License-Identifier: Apache-2.0 */
/* The label of protected nodes: who gets it, who loses it, and that nothing else is written. */
#include "unit/unit.h"

#include "fake_kube.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "discovery-kubernetes/discovery.h"

#include <string.h>

static const struct casb_call call = {.deadline_ns = INT64_MAX, .cancel_fd = -1};

struct setup {
    struct kube kube;
    struct discovery_settings settings;
    void *self;
    struct casb_error err;
    char changes[512];     /* since the last look */
    const char *protected; /* "u1 u2": the nodes that are */
};

static int set_up(void **state)
{
    struct setup *s = calloc(1, sizeof *s);

    assert_non_null(s);
    fake_kube_init(&s->kube);
    fake_kube_to_open = &s->kube;
    s->settings = (struct discovery_settings){
        .image = "cas:1",
        .sgx_name = "sgx.intel.com/enclave",
        .las_namespace = "default",
        .las_address = "172.17.0.1",
        .ready_timeout_ns = 20 * CLOCK_S,
        .address = "pod-ip",
        .client_port = 8081,
        .enclave_port = 18765,
        .label = true,
    };
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct setup *s = *state;

    casb_plugin.close(s->self);
    fake_kube_free(&s->kube);
    free(s);
    return 0;
}

static const struct casb_discovery_ops *ops(void)
{
    return casb_plugin.ops;
}

/* "u1" is node-1 and so on; a value of NULL: it has no such label. */
static void add_node(json_t *to, const char *uid, const char *value)
{
    char name[16];

    snprintf(name, sizeof name, "node-%s", uid + 1);
    json_array_append_new(to, json_pack("{s:{s:s, s:s, s:{s:s, s:s*}}}", "metadata", "name", name,
                                        "uid", uid, "labels", "a", "b", "cas-backup/cas", value));
}

static int take(const struct casb_node *node, void *arg)
{
    (void)node;
    (void)arg;
    return 0;
}

/* Opens the plugin anew and scans, as a pass does. */
static void begin(struct setup *s)
{
    casb_plugin.close(s->self);
    s->self = NULL;
    assert_int_equal(casb_plugin.open(&fake_host, &s->settings, &s->self, &s->err), 0);
    assert_int_equal(ops()->scan(s->self, &call, take, NULL, &s->err), 0);
    s->kube.lists = 0;
}

static bool is_protected(const char *uid, void *arg)
{
    const struct setup *s = arg;

    return strstr(s->protected, uid) != NULL;
}

/* "+node-1 -node-2 ": what was changed since the last look. */
static const char *changes(struct setup *s)
{
    const json_t *patch;
    size_t i, len = 0;

    s->changes[0] = 0;
    json_array_foreach (s->kube.marked, i, patch) {
        const json_t *labels = jsonx_object(patch, "body.metadata.labels");

        assert_int_equal(json_object_size(labels), 1);
        assert_int_equal(json_object_size(jsonx_object(patch, "body")), 1);
        assert_int_equal(json_object_size(jsonx_object(patch, "body.metadata")), 2);
        assert_non_null(jsonx_string(patch, "body.metadata.uid"));
        assert_non_null(json_object_get(labels, "cas-backup/cas"));
        len += (size_t)snprintf(s->changes + len, sizeof s->changes - len, "%c%s ",
                                json_is_null(json_object_get(labels, "cas-backup/cas")) ? '-' : '+',
                                jsonx_string(patch, "path") + strlen("/api/v1/nodes/"));
    }
    json_array_clear(s->kube.marked);
    return s->changes;
}

static const char *settle(struct setup *s, const char *protected)
{
    s->protected = protected;
    assert_int_equal(ops()->settle(s->self, &call, is_protected, s, &s->err), 0);
    return changes(s);
}

static void only_what_is_not_as_it_should_be_is_written(void **state)
{
    struct setup *s = *state;

    add_node(s->kube.nodes, "u1", NULL);
    add_node(s->kube.nodes, "u2", "true");
    add_node(s->kube.nodes, "u3", "true");
    add_node(s->kube.nodes, "u4", NULL);
    add_node(s->kube.nodes, "u5", "false"); /* somebody else's idea */
    add_node(s->kube.nodes, "u6", "false");
    begin(s);
    assert_string_equal(settle(s, "u1 u2 u5"), "+node-1 -node-3 +node-5 -node-6 ");
    assert_string_equal(settle(s, "u1 u2 u5"), "");
    assert_int_equal(s->kube.lists, 0);
}

static void what_a_selector_leaves_out_is_found_by_the_label(void **state)
{
    struct setup *s = *state;

    s->settings.selector = "pool=sgx";
    add_node(s->kube.nodes, "u1", "true");
    add_node(s->kube.strays, "u2", "true"); /* it left the selection, or its record is lost */
    add_node(s->kube.strays, "u3", "true"); /* it is another source's */
    begin(s);
    assert_string_equal(settle(s, "u1 u3"), "-node-2 ");
    assert_int_equal(s->kube.lists, 1);
    assert_string_equal(s->kube.query, "cas-backup/cas");
}

static const char *tell(struct setup *s, const char *uid, enum casb_outcome outcome)
{
    char name[16];
    const struct casb_news news = {
        .uid = uid, .name = name, .outcome = outcome, .message = "", .count = 1};

    snprintf(name, sizeof name, "node-%s", uid + 1);
    assert_int_equal(ops()->tell(s->self, &call, &news, &s->err), 0);
    return changes(s);
}

static void what_became_of_a_node_shows_at_once(void **state)
{
    struct setup *s = *state;

    add_node(s->kube.nodes, "u1", "true");
    add_node(s->kube.nodes, "u2", "true");
    begin(s);
    assert_string_equal(tell(s, "u1", CASB_OUTCOME_HARDWARE_CHANGED), "-node-1 ");
    assert_string_equal(tell(s, "u1", CASB_OUTCOME_FAILED), "");
    assert_string_equal(tell(s, "u1", CASB_OUTCOME_REGISTERED), "+node-1 ");
    assert_string_equal(tell(s, "u1", CASB_OUTCOME_REGISTERED), "");
    assert_string_equal(tell(s, "u1", CASB_OUTCOME_UNPROTECTED), "-node-1 ");
    assert_string_equal(tell(s, "u2", CASB_OUTCOME_FAILED), ""); /* the one before may hold */
    assert_string_equal(tell(s, "u2", CASB_OUTCOME_DROPPED), "-node-2 ");
    assert_string_equal(tell(s, "u3", CASB_OUTCOME_DROPPED), "-node-3 "); /* no scan found it */
    assert_string_equal(settle(s, ""), "");
}

static void a_cleanup_takes_it_from_all_whatever_the_settings_say(void **state)
{
    struct setup *s = *state;

    s->settings.label = false;
    add_node(s->kube.strays, "u1", "true");
    add_node(s->kube.strays, "u2", "true");
    begin(s);
    assert_string_equal(settle(s, "u1"), "");
    assert_int_equal(s->kube.lists, 0);
    assert_int_equal(ops()->settle(s->self, &call, NULL, NULL, &s->err), 0);
    assert_string_equal(changes(s), "-node-1 -node-2 ");

    s->settings.label = true; /* and where nothing was scanned */
    casb_plugin.close(s->self);
    assert_int_equal(casb_plugin.open(&fake_host, &s->settings, &s->self, &s->err), 0);
    assert_int_equal(ops()->settle(s->self, &call, NULL, NULL, &s->err), 0);
    assert_string_equal(changes(s), "-node-1 -node-2 ");
}

static void a_node_that_is_gone_is_no_trouble(void **state)
{
    struct setup *s = *state;

    add_node(s->kube.nodes, "u1", "true");
    begin(s);
    s->kube.tell_fails = CASB_ENOTFOUND;
    assert_string_equal(settle(s, ""), "");
}

static void what_would_fail_for_all_is_tried_once(void **state)
{
    struct setup *s = *state;

    s->protected = "";
    add_node(s->kube.nodes, "u1", "true");
    add_node(s->kube.nodes, "u2", "true");
    begin(s);
    s->kube.tell_fails = CASB_EINVALID; /* of one node, as an admission policy has it */
    assert_int_equal(ops()->settle(s->self, &call, is_protected, s, &s->err), CASB_EINVALID);
    assert_string_equal(s->err.text, "label of node 'node-1': no");
    s->err = (struct casb_error){0};
    s->kube.tell_fails = CASB_EDENIED;
    assert_int_equal(ops()->settle(s->self, &call, is_protected, s, &s->err), CASB_EDENIED);
    assert_string_equal(s->err.text,
                        "label of node 'node-1': no; no further one is changed in this pass");
    assert_int_equal(ops()->settle(s->self, &call, is_protected, s, &s->err), 0);
}

static void without_the_settings_nothing_is_written(void **state)
{
    struct setup *s = *state;

    s->settings.label = false;
    add_node(s->kube.nodes, "u1", "true");
    begin(s);
    assert_string_equal(tell(s, "u1", CASB_OUTCOME_HARDWARE_CHANGED), "");
    assert_string_equal(settle(s, ""), "");
    assert_int_equal(json_array_size(s->kube.told), 0);
    s->settings.events = true;
    assert_string_equal(tell(s, "u1", CASB_OUTCOME_HARDWARE_CHANGED), "");
    assert_int_equal(json_array_size(s->kube.told), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_what_is_not_as_it_should_be_is_written),
        TEST(what_a_selector_leaves_out_is_found_by_the_label),
        TEST(what_became_of_a_node_shows_at_once),
        TEST(a_cleanup_takes_it_from_all_whatever_the_settings_say),
        TEST(a_node_that_is_gone_is_no_trouble),
        TEST(what_would_fail_for_all_is_tried_once),
        TEST(without_the_settings_nothing_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
