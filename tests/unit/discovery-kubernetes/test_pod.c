/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/chaos.h"
#include "unit/unit.h"

#include "discovery-kubernetes/affinity.h"
#include "discovery-kubernetes/pod.h"

#include "base/jsonx.h"
#include "base/label.h"

static const struct pod_plan plan = {
    .instance = "cas",
    .holder = "pass-1",
    .namespace = "sgx",
    .image = "registry.example.com/cas:1",
    .resource = "sgx.intel.com/enclave",
    .quantity = 2,
    .las = "172.17.0.1",
    .client_port = 8081,
    .enclave_port = 18765,
    .deadline_s = 1200,
};

static json_t *parse(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);

    assert_non_null(value);
    return value;
}

static int make(const struct pod_plan *with, const char *node, json_t **ret)
{
    json_auto_t *template = NULL;
    int r = pod_template(with, &template, NULL);

    return r < 0 ? r : pod_build(with, template, node, "uid-of-it", ret, NULL);
}

static json_t *build(const struct pod_plan *with, const char *node)
{
    json_t *pod = NULL;

    assert_int_equal(make(with, node, &pod), 0);
    return pod;
}

static json_t *build_patched(const char *pod, const char *container)
{
    json_auto_t *pod_patch = pod ? parse(pod) : NULL;
    json_auto_t *container_patch = container ? parse(container) : NULL;
    struct pod_plan with = plan;

    with.pod = pod_patch;
    with.container = container_patch;
    return build(&with, "node-1");
}

static const json_t *container_of(const json_t *pod)
{
    return json_array_get(jsonx_array(pod, "spec.containers"), 0);
}

static void assert_json(const json_t *got, const char *want)
{
    json_auto_t *value = json_loads(want, JSON_DECODE_ANY, NULL);

    assert_non_null(value);
    if (!json_equal(got, value))
        fail_msg("got %s\nwant %s", json_dumps(got, JSON_ENCODE_ANY | JSON_SORT_KEYS), want);
}

static void the_generated_pod_is_this_one(void **state)
{
    json_auto_t *pod = build(&plan, "node-1");

    (void)state;
    assert_json(
        pod,
        "{\"apiVersion\": \"v1\", \"kind\": \"Pod\","
        " \"metadata\": {\"name\": \"cas-node-1\", \"namespace\": \"sgx\","
        "  \"labels\": {\"cas-backup/instance\": \"cas\","
        "   \"cas-backup/component\": \"backup-cas\","
        "   \"app.kubernetes.io/name\": \"cas-backup\","
        "   \"app.kubernetes.io/instance\": \"cas\","
        "   \"app.kubernetes.io/component\": \"backup-cas\","
        "   \"app.kubernetes.io/managed-by\": \"cas-backup\"},"
        "  \"annotations\": {\"cas-backup/node\": \"node-1\", \"cas-backup/node-uid\":"
        "   \"uid-of-it\", \"cas-backup/holder\": \"pass-1\"}},"
        " \"spec\": {\"restartPolicy\": \"Never\", \"automountServiceAccountToken\": false,"
        "  \"enableServiceLinks\": false, \"terminationGracePeriodSeconds\": 1,"
        "  \"activeDeadlineSeconds\": 1200,"
        "  \"affinity\": {\"nodeAffinity\": {\"requiredDuringSchedulingIgnoredDuringExecution\":"
        "   {\"nodeSelectorTerms\": [{\"matchFields\": [{\"key\": \"metadata.name\","
        "    \"operator\": \"In\", \"values\": [\"node-1\"]}]}]}}},"
        "  \"containers\": [{\"name\": \"backup-cas\", \"image\": \"registry.example.com/cas:1\","
        "   \"terminationMessagePolicy\": \"FallbackToLogsOnError\","
        "   \"ports\": [{\"name\": \"enclave\", \"containerPort\": 18765},"
        "             {\"name\": \"client\", \"containerPort\": 8081}],"
        "   \"env\": [{\"name\": \"SCONE_LAS_ADDR\", \"value\": \"172.17.0.1\"}],"
        "   \"resources\": {\"limits\": {\"sgx.intel.com/enclave\": \"2\"},"
        "    \"requests\": {\"sgx.intel.com/enclave\": \"2\"}},"
        "   \"readinessProbe\": {\"tcpSocket\": {\"port\": 8081}, \"periodSeconds\": 1,"
        "    \"timeoutSeconds\": 1},"
        "   \"securityContext\": {\"allowPrivilegeEscalation\": false,"
        "    \"capabilities\": {\"drop\": [\"ALL\"]},"
        "    \"seccompProfile\": {\"type\": \"RuntimeDefault\"}}}]}}");
}

static void the_las_address_may_be_the_nodes_own(void **state)
{
    struct pod_plan with = plan;
    json_auto_t *pod = NULL;

    (void)state;
    with.las = "node";
    pod = build(&with, "node-1");
    assert_json(jsonx_get(container_of(pod), "env"),
                "[{\"name\": \"SCONE_LAS_ADDR\","
                " \"valueFrom\": {\"fieldRef\": {\"fieldPath\": \"status.hostIP\"}}}]");
}

static void host_ip_asks_for_a_host_port(void **state)
{
    struct pod_plan with = plan;
    json_auto_t *pod = NULL;

    (void)state;
    with.host_port = true;
    pod = build(&with, "node-1");
    assert_json(jsonx_get(container_of(pod), "ports"),
                "[{\"name\": \"enclave\", \"containerPort\": 18765},"
                " {\"name\": \"client\", \"containerPort\": 8081, \"hostPort\": 8081}]");
}

static void the_ports_are_those_of_the_plan(void **state)
{
    struct pod_plan with = plan;
    json_auto_t *pod = NULL;

    (void)state;
    with.client_port = 9081;
    with.enclave_port = 9765;
    pod = build(&with, "node-1");
    assert_json(jsonx_get(container_of(pod), "ports"),
                "[{\"name\": \"enclave\", \"containerPort\": 9765},"
                " {\"name\": \"client\", \"containerPort\": 9081}]");
    assert_json(jsonx_get(container_of(pod), "readinessProbe.tcpSocket.port"), "9081");
}

static void without_quantity_no_resource_is_asked_for(void **state)
{
    struct pod_plan with = plan;
    json_auto_t *pod = NULL;

    (void)state;
    with.quantity = 0;
    pod = build(&with, "node-1");
    assert_null(jsonx_get(container_of(pod), "resources"));
}

static void assert_resources(const json_t *pod, const char *want)
{
    json_auto_t *resources = NULL;

    assert_int_equal(pod_resources(pod, &resources, NULL), 0);
    assert_json(resources, want);
}

static void all_extended_resources_of_the_pod_are_needed(void **state)
{
    json_auto_t *plain = build(&plan, "node-1");
    json_auto_t *more =
        build_patched(NULL, "{\"resources\": {\"limits\": {\"sgx.intel.com/epc\": \"10Mi\","
                            " \"sgx.intel.com/provision\": 1, \"cpu\": \"2\","
                            " \"kubernetes.io/batteries\": \"1\"}}}");
    json_auto_t *two = build_patched(
        "{\"spec\": {\"containers\": [{\"resources\": {\"limits\": {\"a/b\": \"1\"}}},"
        " {\"resources\": {\"limits\": {\"a/b\": \"2\", \"c/d\": \"many\"}}}, {}]}}",
        NULL);

    (void)state;
    assert_resources(plain, "{\"sgx.intel.com/enclave\": 2.0}");
    assert_resources(more, "{\"sgx.intel.com/enclave\": 2.0, \"sgx.intel.com/epc\": 10485760.0,"
                           " \"sgx.intel.com/provision\": 1.0}");
    assert_resources(two, "{\"a/b\": 3.0, \"c/d\": 0.0}");
}

static void the_passs_own_pod_becomes_the_owner(void **state)
{
    struct pod_plan with = plan;
    json_auto_t *pod = NULL, *alone = NULL;

    (void)state;
    with.owner_name = "cas-backup-1-x";
    with.owner_uid = "0815";
    pod = build(&with, "node-1");
    assert_json(jsonx_get(pod, "metadata.ownerReferences"),
                "[{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"name\": \"cas-backup-1-x\","
                " \"uid\": \"0815\", \"controller\": true}]");
    assert_string_equal(jsonx_string(pod, "metadata.name"), "cas-node-1");
    alone = build(&plan, "node-1");
    assert_null(jsonx_get(alone, "metadata.ownerReferences"));
}

static void the_users_patch_changes_the_pod(void **state)
{
    json_auto_t *pod = build_patched(
        "{\"metadata\": {\"labels\": {\"team\": \"a\"}, \"annotations\": {\"x\": \"y\"}},"
        " \"spec\": {\"tolerations\": [{\"operator\": \"Exists\"}],"
        "  \"imagePullSecrets\": [{\"name\": \"sconeapps\"}], \"enableServiceLinks\": null,"
        "  \"terminationGracePeriodSeconds\": 5, \"affinity\": {\"podAffinity\": {}}}}",
        NULL);

    (void)state;
    assert_string_equal(
        json_string_value(json_object_get(jsonx_get(pod, "metadata.labels"), "team")), "a");
    assert_string_equal(jsonx_string(pod, "metadata.annotations.x"), "y");
    assert_json(jsonx_get(pod, "spec.tolerations"), "[{\"operator\": \"Exists\"}]");
    assert_json(jsonx_get(pod, "spec.imagePullSecrets"), "[{\"name\": \"sconeapps\"}]");
    assert_null(jsonx_get(pod, "spec.enableServiceLinks"));
    assert_int_equal(jsonx_int(pod, "spec.terminationGracePeriodSeconds", 0), 5);
    assert_non_null(jsonx_get(pod, "spec.affinity.podAffinity"));
    assert_non_null(jsonx_get(pod, "spec.affinity.nodeAffinity"));
    assert_string_equal(jsonx_string(container_of(pod), "image"), "registry.example.com/cas:1");
}

static void the_users_node_affinity_counts_beside_ours(void **state)
{
    json_auto_t *pod = build_patched(
        "{\"spec\": {\"nodeSelector\": {\"a\": \"b\"}, \"affinity\": {\"nodeAffinity\":"
        " {\"requiredDuringSchedulingIgnoredDuringExecution\": {\"nodeSelectorTerms\":"
        "  [{\"matchExpressions\": [{\"key\": \"c\", \"operator\": \"Exists\"}]}]}}}}}",
        NULL);

    (void)state;
    assert_json(jsonx_get(pod, AFFINITY_TERMS),
                "[{\"matchExpressions\": [{\"key\": \"c\", \"operator\": \"Exists\"}],"
                " \"matchFields\": [{\"key\": \"metadata.name\", \"operator\": \"In\","
                "  \"values\": [\"node-1\"]}]}]");
    assert_json(jsonx_get(pod, "spec.nodeSelector"), "{\"a\": \"b\"}");
}

static void no_patch_changes_what_the_tool_relies_on(void **state)
{
    static const char *const patches[] = {
        "{\"apiVersion\": \"v2\", \"kind\": \"Job\", \"metadata\": {\"name\": \"x\","
        " \"namespace\": \"y\"}}",
        "{\"metadata\": {\"labels\": {\"app.kubernetes.io/name\": \"x\","
        " \"app.kubernetes.io/instance\": \"x\", \"app.kubernetes.io/component\": null,"
        " \"app.kubernetes.io/managed-by\": \"x\", \"cas-backup/instance\": null,"
        " \"cas-backup/component\": \"x\"},"
        " \"annotations\": {\"cas-backup/node\": \"x\", \"cas-backup/node-uid\": \"x\","
        " \"cas-backup/holder\": null}}}",
        "{\"metadata\": null}",
        "{\"metadata\": \"x\", \"spec\": {\"affinity\": 7}}",
        "{\"spec\": {\"nodeName\": \"other\"}}",
        "{\"spec\": {\"affinity\": {\"nodeAffinity\": "
        "{\"requiredDuringSchedulingIgnoredDuringExecution\": {\"nodeSelectorTerms\": []}}}}}",
    };
    json_auto_t *plain = build(&plan, "node-1");

    (void)state;
    for (size_t i = 0; i < ELEMENTS(patches); i++) {
        json_auto_t *pod = build_patched(patches[i], NULL);

        if (!json_equal(pod, plain))
            fail_msg("%s gave %s", patches[i], json_dumps(pod, JSON_SORT_KEYS));
    }
}

static void the_container_can_be_patched_alone(void **state)
{
    json_auto_t *pod = build_patched(
        NULL,
        "{\"imagePullPolicy\": \"Always\", \"securityContext\": {\"privileged\": true,"
        " \"allowPrivilegeEscalation\": null}, \"env\": [{\"name\": \"A\", \"value\": \"b\"}],"
        " \"resources\": {\"limits\": {\"sgx.intel.com/epc\": \"1Mi\"}}}");
    const json_t *container = container_of(pod);

    (void)state;
    assert_string_equal(jsonx_string(container, "imagePullPolicy"), "Always");
    assert_true(jsonx_bool(container, "securityContext.privileged", false));
    assert_null(jsonx_get(container, "securityContext.allowPrivilegeEscalation"));
    assert_json(jsonx_get(container, "resources.limits"),
                "{\"sgx.intel.com/enclave\": \"2\", \"sgx.intel.com/epc\": \"1Mi\"}");
    assert_json(jsonx_get(container, "env"),
                "[{\"name\": \"A\", \"value\": \"b\"},"
                " {\"name\": \"SCONE_LAS_ADDR\", \"value\": \"172.17.0.1\"}]");
}

static void a_las_address_of_the_users_own_stays(void **state)
{
    json_auto_t *pod =
        build_patched(NULL, "{\"env\": [{\"name\": \"SCONE_LAS_ADDR\", \"value\": \"las:1\"}]}");

    (void)state;
    assert_json(jsonx_get(container_of(pod), "env"),
                "[{\"name\": \"SCONE_LAS_ADDR\", \"value\": \"las:1\"}]");
}

static void patches_are_left_as_they_were(void **state)
{
    json_auto_t *patch = parse("{\"spec\": {\"tolerations\": [{\"key\": \"a\"}]}}");
    json_auto_t *before = json_deep_copy(patch);
    json_auto_t *first = NULL, *second = NULL;
    struct pod_plan with = plan;

    (void)state;
    with.pod = patch;
    first = build(&with, "node-1");
    second = build(&with, "node-2");
    assert_true(json_equal(patch, before));
    assert_string_equal(jsonx_string(second, "metadata.name"), "cas-node-2");
    assert_string_equal(jsonx_string(first, "metadata.name"), "cas-node-1");
}

static void long_node_names_are_shortened_but_noted_whole(void **state)
{
    const char *node = "ip-10-0-0-1.a-very-long-name-of-a-machine.eu-central-1.compute.example.com";
    json_auto_t *pod = build(&plan, node);
    const char *name = jsonx_string(pod, "metadata.name");

    (void)state;
    assert_true(label_is_valid(name));
    assert_string_equal(json_string_value(json_object_get(jsonx_get(pod, "metadata.annotations"),
                                                          "cas-backup/node")),
                        node);
}

static void no_part_is_left_out_for_lack_of_memory(void **state)
{
    json_auto_t *patch = parse("{\"spec\": {\"tolerations\": [{\"key\": \"a\"}]}}");
    json_auto_t *container = parse("{\"env\": [{\"name\": \"A\", \"value\": \"b\"}]}");
    json_auto_t *want = NULL;
    struct pod_plan with = plan;
    int failures = 0, r = CASB_ENOMEM;

    (void)state;
    with.pod = patch;
    with.container = container;
    with.host_port = true;
    with.owner_name = "pass";
    with.owner_uid = "0815";
    want = build(&with, "node-1");
    json_set_alloc_funcs(malloc, free);
    /* jansson takes some failed allocations for wrong syntax */
    for (; r == CASB_ENOMEM || r == CASB_EINVALID; failures++) {
        json_t *pod = NULL;

        chaos_left = failures;
        r = make(&with, "node-1", &pod);
        chaos_left = -1;
        assert_true(r == 0 ? json_equal(pod, want) : !pod);
        json_decref(pod);
    }
    assert_int_equal(r, 0);
    assert_true(failures > 100);
}

static void own_pods_are_told_from_others(void **state)
{
    json_auto_t *pod = build(&plan, "node-1");
    json_auto_t *bare = parse("{\"metadata\": {\"name\": \"cas-node-1\"}}");

    (void)state;
    assert_true(pod_is_ours(pod, "cas"));
    assert_false(pod_is_ours(pod, "other"));
    assert_false(pod_is_ours(bare, "cas"));
    assert_true(pod_is_of_holder(pod, "pass-1"));
    assert_false(pod_is_of_holder(pod, "pass-2"));
    assert_false(pod_is_of_holder(bare, "pass-1"));
    assert_string_equal(pod_node_uid(pod), "uid-of-it");
    assert_string_equal(pod_node_uid(bare), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_generated_pod_is_this_one),
        cmocka_unit_test(the_las_address_may_be_the_nodes_own),
        cmocka_unit_test(host_ip_asks_for_a_host_port),
        cmocka_unit_test(the_ports_are_those_of_the_plan),
        cmocka_unit_test(without_quantity_no_resource_is_asked_for),
        cmocka_unit_test(all_extended_resources_of_the_pod_are_needed),
        cmocka_unit_test(the_passs_own_pod_becomes_the_owner),
        cmocka_unit_test(the_users_patch_changes_the_pod),
        cmocka_unit_test(the_users_node_affinity_counts_beside_ours),
        cmocka_unit_test(no_patch_changes_what_the_tool_relies_on),
        cmocka_unit_test(the_container_can_be_patched_alone),
        cmocka_unit_test(a_las_address_of_the_users_own_stays),
        cmocka_unit_test(patches_are_left_as_they_were),
        cmocka_unit_test(long_node_names_are_shortened_but_noted_whole),
        cmocka_unit_test(no_part_is_left_out_for_lack_of_memory),
        cmocka_unit_test(own_pods_are_told_from_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
