/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin as the host sees it: descriptor, options, open and the slots. */
#include "unit/unit.h"

#include "fake_kube.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "discovery-kubernetes/check.h"
#include "discovery-kubernetes/discovery.h"

#define READY                                                                                      \
    "{\"phase\": \"Running\", \"podIP\": \"10.0.0.7\", \"hostIP\": \"192.0.2.1\", "                \
    "\"conditions\": [{\"type\": \"Ready\", \"status\": \"True\"}]}"

static const struct casb_call call = {.deadline_ns = INT64_MAX, .cancel_fd = -1};
static const struct casb_node node = {.name = "node-1", .uid = "u1"};

struct setup {
    struct kube kube;
    struct discovery_settings settings;
    void *self;
    struct casb_error err;
    char found[1024];
};

static int set_up(void **state)
{
    struct setup *s = calloc(1, sizeof *s);

    assert_non_null(s);
    unsetenv("POD_NAME");
    unsetenv("POD_UID");
    unsetenv("POD_NAMESPACE");
    fake_kube_init(&s->kube);
    fake_kube_to_open = &s->kube;
    s->kube.creates[0] = (struct fake_create){FAKE_CREATED, {READY}};
    s->settings = (struct discovery_settings){
        .image = "cas:1",
        .sgx_name = "sgx.intel.com/enclave",
        .sgx_quantity = 1,
        .las_namespace = "default",
        .las_address = "172.17.0.1",
        .ready_timeout_ns = 20 * CLOCK_S,
        .address = "pod-ip",
        .client_port = 8081,
        .enclave_port = 18765,
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

static void open_plugin(struct setup *s)
{
    assert_int_equal(casb_plugin.open(&fake_host, &s->settings, &s->self, &s->err), 0);
}

static void assert_not_opened(struct setup *s, const char *text)
{
    assert_int_equal(casb_plugin.open(&fake_host, &s->settings, &s->self, &s->err), CASB_EINVALID);
    assert_string_equal(s->err.text, text);
    assert_null(s->self);
}

/* Spawns the backup CAS of node-1 and gives its pod, borrowed. */
static const json_t *spawn(struct setup *s, const char *want_address)
{
    struct casb_backup backup;

    json_array_append_new(
        s->kube.nodes, json_pack("{s:{s:s, s:s}}", "metadata", "name", node.name, "uid", node.uid));
    assert_int_equal(ops()->spawn(s->self, &call, &node, &backup, &s->err), 0);
    assert_string_equal(backup.address, want_address);
    return json_object_get(s->kube.pods, "cas-node-1");
}

static void options_have_the_documented_names_and_defaults(void **state)
{
    static const struct {
        const char *env, *name, *def;
    } documented[] = {
        {"BACKUP_CAS_IMAGE", "image",
         "registry.scontain.com:5050/sconecuratedimages/services:cas-scone5"},
        {"NAMESPACE", "namespace", NULL},
        {"SCONE_LAS_ADDR", "las.address", "172.17.0.1"},
        {"SGX_RESOURCE_NAME", "sgx_resource.name", "sgx.intel.com/enclave"},
        {"SGX_RESOURCE_QUANTITY", "sgx_resource.quantity", "1"},
        {"SELECTOR_LABEL", "selector", NULL},
        {"SELECTOR_LABELS", "selector_labels", NULL},
        {"BACKUP_CAS_CLIENT_PORT", "client_port", "8081"},
        {"BACKUP_CAS_ENCLAVE_PORT", "enclave_port", "18765"},
        {"LAS_SELECTOR_LABEL", "las.selector", NULL},
        {"LAS_NAMESPACE", "las.namespace", "default"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(documented); i++) {
        const struct casb_option *option = casb_plugin.options;

        while (option->name && strcmp(option->name, documented[i].name) != 0)
            option++;
        assert_non_null(option->name);
        assert_string_equal(option->env, documented[i].env);
        if (documented[i].def)
            assert_string_equal(option->def, documented[i].def);
        else
            assert_null(option->def);
    }
}

static void every_option_has_help_and_a_place(void **state)
{
    (void)state;
    for (const struct casb_option *option = casb_plugin.options; option->name; option++) {
        assert_non_null(option->help);
        assert_true(option->offset < casb_plugin.settings_size);
    }
}

static void a_bad_namespace_is_refused(void **state)
{
    struct setup *s = *state;

    s->settings.namespace = "No Label";
    assert_not_opened(s, "namespace: 'No Label' is not a DNS-1123 label");
}

static void two_ports_that_are_one_are_refused(void **state)
{
    struct setup *s = *state;

    s->settings.enclave_port = 8081;
    assert_not_opened(s, "enclave_port: 8081 is the client_port, too");
}

static void a_bad_las_namespace_is_refused(void **state)
{
    struct setup *s = *state;

    s->settings.las_namespace = "a.b";
    assert_not_opened(s, "las.namespace: 'a.b' is not a DNS-1123 label");
}

static void without_a_cluster_it_is_not_opened(void **state)
{
    struct setup *s = *state;

    fake_kube_to_open = NULL;
    assert_not_opened(s, "no configuration has been provided");
}

static void pods_go_to_the_clients_namespace(void **state)
{
    struct setup *s = *state;
    const json_t *pod;

    open_plugin(s);
    pod = spawn(s, "10.0.0.7:8081");
    assert_string_equal(jsonx_string(pod, "metadata.namespace"), "from-context");
    assert_int_equal(jsonx_int(pod, "spec.activeDeadlineSeconds", 0), 20 + 15 * 60);
}

static void host_ip_gives_the_nodes_address(void **state)
{
    struct setup *s = *state;

    s->settings.address = "host-ip";
    open_plugin(s);
    spawn(s, "192.0.2.1:8081");
}

/* The owner of the pod that a pass in the pod "pass-x" of this namespace makes; NULL: none. */
static const json_t *owner_in(struct setup *s, const char *namespace)
{
    setenv("POD_NAME", "pass-x", 1);
    setenv("POD_UID", "0815", 1);
    setenv("POD_NAMESPACE", namespace, 1);
    open_plugin(s);
    return json_array_get(jsonx_array(spawn(s, "10.0.0.7:8081"), "metadata.ownerReferences"), 0);
}

static void the_passs_pod_owns_pods_of_its_namespace(void **state)
{
    struct setup *s = *state;

    s->kube.in_cluster = true;
    assert_string_equal(jsonx_string(owner_in(s, "from-context"), "uid"), "0815");
}

static void the_passs_pod_owns_none_in_another_namespace(void **state)
{
    struct setup *s = *state;

    s->kube.in_cluster = true;
    assert_null(owner_in(s, "other"));
}

static void the_passs_pod_owns_none_in_another_cluster(void **state)
{
    assert_null(owner_in(*state, "from-context"));
}

static int see(const struct casb_node *seen, void *arg)
{
    struct setup *s = arg;

    snprintf(s->found, sizeof s->found, "%s", seen->blocked ? seen->blocked : "free");
    return 0;
}

/* What a scan says about a cordoned node with one enclave. */
static void assert_scanned(struct setup *s, const char *want)
{
    json_array_clear(s->kube.nodes);
    json_array_append_new(
        s->kube.nodes,
        json_loads("{\"metadata\": {\"name\": \"n\", \"uid\": \"u\"}, \"spec\": {\"unschedulable\":"
                   " true}, \"status\": {\"allocatable\": {\"sgx.intel.com/enclave\": \"1\"},"
                   " \"conditions\": [{\"type\": \"Ready\", \"status\": \"True\"}]}}",
                   0, NULL));
    casb_plugin.close(TAKE_PTR(s->self));
    open_plugin(s);
    assert_int_equal(ops()->scan(s->self, &call, see, s, &s->err), 0);
    assert_string_equal(s->found, want);
}

static void tolerations_and_resources_of_the_patches_decide_about_nodes(void **state)
{
    struct setup *s = *state;
    json_auto_t *pod =
        json_loads("{\"spec\": {\"tolerations\": [{\"operator\": \"Exists\"}]}}", 0, NULL);
    json_auto_t *container =
        json_loads("{\"resources\": {\"limits\": {\"sgx.intel.com/epc\": \"1Mi\"}}}", 0, NULL);

    assert_scanned(s, "unschedulable");
    s->settings.pod = pod;
    assert_scanned(s, "free");
    s->settings.container = container;
    assert_scanned(s, "no-sgx-resource");
}

static void note(const struct casb_finding *finding, void *arg)
{
    struct setup *s = arg;
    size_t len = strlen(s->found);

    assert_true(finding->good || finding->remedy);
    snprintf(s->found + len, sizeof s->found - len, "%s%s\n", finding->good ? "" : "NO ",
             finding->what);
}

static void check_asks_for_every_permission(void **state)
{
    struct setup *s = *state;

    s->kube.denied = "watch";
    open_plugin(s);
    assert_int_equal(casb_plugin.check(s->self, &call, note, s, &s->err), 0);
    assert_string_equal(s->found, "list nodes\n"
                                  "create pods in namespace 'from-context'\n"
                                  "get pods in namespace 'from-context'\n"
                                  "list pods in namespace 'from-context'\n"
                                  "NO watch pods in namespace 'from-context'\n"
                                  "delete pods in namespace 'from-context'\n");
}

static void check_asks_for_the_logs_where_las_pods_count(void **state)
{
    struct setup *s = *state;

    s->settings.las_selector = "app=las";
    open_plugin(s);
    assert_int_equal(casb_plugin.check(s->self, &call, note, s, &s->err), 0);
    assert_non_null(strstr(s->found, "list pods in namespace 'default'\n"
                                     "get pods/log in namespace 'default'\n"));
}

static void check_asks_for_what_events_and_the_label_need(void **state)
{
    struct setup *s = *state;

    s->settings.events = s->settings.label = true;
    open_plugin(s);
    assert_int_equal(casb_plugin.check(s->self, &call, note, s, &s->err), 0);
    assert_non_null(strstr(s->found, "\npatch nodes\ncreate events in namespace 'default'\ncreate "
                                     "events in namespace 'kube-system'\n"));
}

static void check_tells_of_images_that_are_no_backup_or_too_old(void **state)
{
    static const struct {
        const char *image, *has; /* NULL: nothing is said */
        bool good;
    } rows[] = {
        {"registry.scontain.com/scone.cloud/cas:6.0.3", NULL, true},
        {"cas", NULL, true},
        {CHECK_DEFAULT_IMAGE, "this is the default", true},
        {"mirror.example/services:cas-scone5", NULL, true},
        {"registry.scontain.com/scone.cloud/cas.preprovisioned:6.0.3", "never unprovisioned",
         false},
        {"registry.scontain.com/scone.cloud/cas-preprovisioned", "never unprovisioned", false},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        bool good;
        const char *said = check_image(rows[i].image, &good);

        assert_int_equal(good, rows[i].good);
        assert_int_equal(said != NULL, rows[i].has != NULL);
        if (said)
            assert_non_null(strstr(said, rows[i].has));
    }
}

static void check_looks_at_the_image_that_the_pod_gets(void **state)
{
    struct setup *s = *state;
    json_auto_t *container = json_loads("{\"image\": \"x/cas-preprovisioned:1\"}", 0, NULL);

    s->settings.container = container;
    open_plugin(s);
    assert_int_equal(casb_plugin.check(s->self, &call, note, s, &s->err), 0);
    assert_non_null(strstr(s->found, "NO image 'x/cas-preprovisioned:1'\n"));
}

static void add_controller(struct setup *s, const char *name, const char *phase)
{
    fake_kube_add_pod(&s->kube,
                      json_pack("{s:{s:s, s:s, s:s}, s:{s:s}}", "metadata", "name", name,
                                "namespace", "scone", "uid", name, "status", "phase", phase));
}

static void check_names_other_controllers_that_run(void **state)
{
    struct setup *s = *state;

    add_controller(s, "bc-1", "Running");
    add_controller(s, "bc-0", "Succeeded");
    open_plugin(s);
    assert_int_equal(casb_plugin.check(s->self, &call, note, s, &s->err), 0);
    assert_non_null(strstr(s->found, "\nbackup controller 'scone/bc-1'\n"));
    assert_null(strstr(s->found, "bc-0"));
    assert_string_equal(s->kube.query,
                        "app.kubernetes.io/name in (bc,backup-controller,cas-backup-controller)");
    assert_int_equal(s->kube.lists, 1);
}

static void check_looks_for_them_only_where_it_may(void **state)
{
    struct setup *s = *state;

    add_controller(s, "bc-1", "Running");
    s->settings.las_selector = "app=las";
    s->kube.confined = true;
    open_plugin(s);
    assert_int_equal(casb_plugin.check(s->self, &call, note, s, &s->err), 0);
    assert_int_equal(s->kube.lists, 2); /* in the pods' namespace, and in LAS's */
    assert_non_null(strstr(s->found, "backup controller 'scone/bc-1'\n"));
    s->kube.denied = "list";
    s->kube.lists = 0;
    assert_int_equal(casb_plugin.check(s->self, &call, note, s, &s->err), 0);
    assert_int_equal(s->kube.lists, 0);
}

static void check_ends_where_the_api_fails(void **state)
{
    struct setup *s = *state;

    s->kube.list_fails[0] = CASB_EUNREACHABLE;
    open_plugin(s);
    assert_int_equal(casb_plugin.check(s->self, &call, note, s, &s->err), CASB_EUNREACHABLE);
    assert_string_equal(s->err.text, "the list failed");
}

static void without_las_pods_nothing_is_identified(void **state)
{
    struct setup *s = *state;
    struct casb_machine machine;

    open_plugin(s);
    assert_int_equal(ops()->identify(s->self, &call, &node, &machine, &s->err), CASB_ENOTFOUND);
}

static void remove_and_sweep_leave_nothing(void **state)
{
    struct setup *s = *state;
    size_t removed;

    open_plugin(s);
    spawn(s, "10.0.0.7:8081");
    assert_int_equal(ops()->remove(s->self, &call, &node, &s->err), 0);
    assert_int_equal(json_object_size(s->kube.pods), 0);
    assert_int_equal(ops()->sweep(s->self, &call, true, &removed, &s->err), 0);
    assert_int_equal(removed, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(options_have_the_documented_names_and_defaults),
        TEST(every_option_has_help_and_a_place),
        TEST(a_bad_namespace_is_refused),
        TEST(a_bad_las_namespace_is_refused),
        TEST(two_ports_that_are_one_are_refused),
        TEST(without_a_cluster_it_is_not_opened),
        TEST(pods_go_to_the_clients_namespace),
        TEST(host_ip_gives_the_nodes_address),
        TEST(the_passs_pod_owns_pods_of_its_namespace),
        TEST(the_passs_pod_owns_none_in_another_namespace),
        TEST(the_passs_pod_owns_none_in_another_cluster),
        TEST(tolerations_and_resources_of_the_patches_decide_about_nodes),
        TEST(check_asks_for_every_permission),
        TEST(check_asks_for_the_logs_where_las_pods_count),
        TEST(check_asks_for_what_events_and_the_label_need),
        TEST(check_tells_of_images_that_are_no_backup_or_too_old),
        TEST(check_looks_at_the_image_that_the_pod_gets),
        TEST(check_names_other_controllers_that_run),
        TEST(check_looks_for_them_only_where_it_may),
        TEST(check_ends_where_the_api_fails),
        TEST(without_las_pods_nothing_is_identified),
        TEST(remove_and_sweep_leave_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
