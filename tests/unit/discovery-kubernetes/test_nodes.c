/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/cases.h"

#include "base/identity.h"
#include "discovery-kubernetes/nodes.h"

static void check_member(const char *name, const json_t *want, const char *member, const char *got)
{
    const json_t *value = json_object_get(want, member);

    if (value)
        cases_equal(name, got, json_string_value(value));
}

static void run(const char *name, const json_t *test)
{
    const json_t *settings = json_object_get(test, "needs"), *want = json_object_get(test, "want");
    const char *error = json_string_value(json_object_get(test, "error"));
    const struct node_needs needs = {
        .tolerations = json_object_get(settings, "tolerations"),
        .resources = json_object_get(settings, "resources"),
        .selector = json_object_get(settings, "selector"),
        .terms = json_object_get(settings, "terms"),
    };
    char blocked[NODE_BLOCKED_BYTES] = "";
    struct casb_node node = {.name = NULL};
    struct casb_error err = {0};
    bool odd = false;
    int r = node_read(json_object_get(test, "node"), &needs, blocked, &node, &odd, &err);

    if (error) {
        assert_int_equal(r, CASB_EINVALID);
        assert_non_null(strstr(err.text, error));
        assert_null(node.name);
        return;
    }
    assert_int_equal(r, 0);
    if (odd != json_is_true(json_object_get(want, "odd")))
        fail_msg("%s: odd is %d", name, odd);
    check_member(name, want, "blocked", node.blocked);
    check_member(name, want, "excluded", node.excluded ? node.excluded : "");
    check_member(name, want, "name", node.name);
    check_member(name, want, "uid", node.uid);
    check_member(name, want, "boot_id", identity_text(&node.machine.boot, CASB_BOOT_ID));
    if (json_object_get(want, "control_plane") &&
        node.control_plane != json_is_true(json_object_get(want, "control_plane")))
        fail_msg("%s: control_plane is %d", name, node.control_plane);
    assert_false(identity_is_known(&node.machine.las));
    assert_null(node.las_source);
}

static void nodes_are_read_as_the_cases_say(void **state)
{
    (void)state;
    cases_run("nodes", run);
}

static void a_long_taint_key_is_cut(void **state)
{
    const struct node_needs needs = {.resources = NULL};
    char blocked[NODE_BLOCKED_BYTES], key[1000];
    json_auto_t *object = NULL;
    struct casb_node node;
    bool odd;

    (void)state;
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = 0;
    object = json_pack("{s:{s:s, s:s}, s:{s:[{s:s, s:s}]}, s:{s:[{s:s, s:s}]}}", "metadata", "name",
                       "n", "uid", "u", "spec", "taints", "key", key, "effect", "NoSchedule",
                       "status", "conditions", "type", "Ready", "status", "True");
    assert_non_null(object);
    assert_int_equal(node_read(object, &needs, blocked, &node, &odd, NULL), 0);
    assert_non_null(strstr(node.blocked, "k...)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_are_read_as_the_cases_say),
        cmocka_unit_test(a_long_taint_key_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
