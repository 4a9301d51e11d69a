/* SPDX-License-Identifier: Apache-2.0 */
/* discovery-kubernetes: the nodes of a cluster, and a pod as the backup CAS on each. */
#include "base/clock.h"
#include "base/jsonx.h"
#include "base/label.h"
#include "base/process.h"
#include "base/text.h"
#include "discovery-kubernetes/affinity.h"
#include "discovery-kubernetes/check.h"
#include "discovery-kubernetes/discovery.h"
#include "discovery-kubernetes/remove.h"
#include "discovery-kubernetes/scan.h"
#include "discovery-kubernetes/selector.h"
#include "discovery-kubernetes/spawn.h"
#include "discovery-kubernetes/tell.h"
#include "discovery-kubernetes/unblock.h"
#include "discovery-kubernetes/words.h"

#include <stddef.h>
#include <string.h>

/* How long a pod may live on after ready_timeout, should nobody be left to delete it. */
#define POD_LIFE_S (15 * 60)

#define CAS_PORT "8081" /* FACTS: "The SCONE CLI"; so is the one for enclaves */

#define AT(member) offsetof(struct discovery_settings, member)

static const struct casb_option options[] = {
    {"kubeconfig", CASB_STRING, AT(kubeconfig), .help = "kubeconfig file, in place of KUBECONFIG"},
    {"context", CASB_STRING, AT(context), .help = "context of the kubeconfig"},
    {"namespace", CASB_STRING, AT(namespace), .env = "NAMESPACE",
     .help = "where backup CAS pods go; default: the context's or the ServiceAccount's"},
    {"selector", CASB_STRING, AT(selector), .env = "SELECTOR_LABEL",
     .help = "label selector of the nodes; default: all nodes"},
    {"selector_labels", CASB_MAP, AT(selector_labels), .env = "SELECTOR_LABELS",
     .help = "labels that a node must all have, in place of `selector`"},
    {"image", CASB_STRING, AT(image), CHECK_DEFAULT_IMAGE, "BACKUP_CAS_IMAGE",
     .help = "image of the backup CAS"},
    {"sgx_resource.name", CASB_STRING, AT(sgx_name), "sgx.intel.com/enclave", "SGX_RESOURCE_NAME",
     .help = "extended resource that gives a pod SGX"},
    {"sgx_resource.quantity", CASB_INT, AT(sgx_quantity), "1", "SGX_RESOURCE_QUANTITY",
     .help = "how much of it; 0: none, where `pod` mounts the device from the host",
     .max = INT64_C(1000000000)},
    {"las.selector", CASB_STRING, AT(las_selector), .env = "LAS_SELECTOR_LABEL",
     .help = "label selector of the LAS pods whose keys identify machines; default: boot IDs do"},
    {"las.namespace", CASB_STRING, AT(las_namespace), "default", "LAS_NAMESPACE",
     .help = "namespace of the LAS pods"},
    {"las.address", CASB_ADDRESS, AT(las_address), "172.17.0.1", "SCONE_LAS_ADDR",
     .help = "LAS address for the backup CAS; node: its node's address"},
    {"ready_timeout", CASB_DURATION, AT(ready_timeout_ns), "5m",
     .help = "how long a backup CAS may take until it is ready"},
    {"address", CASB_STRING, AT(address), "pod-ip", .choices = "pod-ip|host-ip",
     .help = "how the backup CAS is reached; host-ip: by a hostPort, from outside the cluster"},
    {"client_port", CASB_INT, AT(client_port), CAS_PORT, "BACKUP_CAS_CLIENT_PORT",
     .help = "port of the backup CAS's client API", .min = 1, .max = UINT16_MAX},
    {"enclave_port", CASB_INT, AT(enclave_port), "18765", "BACKUP_CAS_ENCLAVE_PORT",
     .help = "port of the backup CAS for enclaves", .min = 1, .max = UINT16_MAX},
    {"pod", CASB_MAP, AT(pod), .help = "merge patch (RFC 7386) over the generated pod"},
    {"container", CASB_MAP, AT(container), .help = "merge patch over the pod's container"},
    {"events", CASB_BOOL, AT(events), "false",
     .help = "tell what becomes of a node by Events, which kubectl describe node shows"},
    {"label", CASB_BOOL, AT(label), "false",
     .help = "keep the label cas-backup/INSTANCE=true on protected nodes, and on no other"},
    {NULL},
};

static bool is_host_ip(const struct discovery_settings *settings)
{
    return strcmp(settings->address, "host-ip") == 0;
}

/*
 * An owner in another namespace, or in another cluster, does not exist for the garbage collector,
 * which would delete the pod at once.
 */
static void find_owner(const struct kube *kube, struct pod_plan *plan)
{
    const char *name = process_env("POD_NAME"), *uid = process_env("POD_UID");

    if (text_empty(name) || text_empty(uid) || !kube_is_in_cluster(kube) ||
        !text_equal(process_env("POD_NAMESPACE"), plan->namespace))
        return;
    plan->owner_name = name;
    plan->owner_uid = uid;
}

static struct pod_plan plan_for(const struct casb_host *host, const struct discovery_settings *s,
                                const char *namespace)
{
    return (struct pod_plan){
        .instance = host->instance,
        .holder = host->holder,
        .namespace = namespace,
        .image = s->image,
        .resource = s->sgx_name,
        .quantity = s->sgx_quantity,
        .las = s->las_address,
        .host_port = is_host_ip(s),
        .client_port = (uint16_t)s->client_port,
        .enclave_port = (uint16_t)s->enclave_port,
        .deadline_s = s->ready_timeout_ns / CLOCK_S + POD_LIFE_S,
        .pod = s->pod,
        .container = s->container,
    };
}

static int check_settings(const struct discovery_settings *s, struct casb_error *err)
{
    if (s->namespace && !label_is_valid(s->namespace))
        return err_set_setting(err, "namespace", "'%s' is not a DNS-1123 label", s->namespace);
    if (!label_is_valid(s->las_namespace))
        return err_set_setting(err, "las.namespace", "'%s' is not a DNS-1123 label",
                               s->las_namespace);
    if (s->client_port == s->enclave_port)
        return err_set_setting(err, "enclave_port", "%lld is the client_port, too",
                               (long long)s->enclave_port);
    return 0;
}

/* What all pods begin as, and one as it will be made, which tells whether one can be. */
static int make_sample(const struct pod_plan *plan, json_t **ret_template, json_t **ret_sample,
                       struct casb_error *err)
{
    int r = pod_template(plan, ret_template, err);

    return r < 0 ? r : pod_build(plan, *ret_template, "sample", "", ret_sample, err);
}

/* The parts that need the plan. */
static int open_parts(struct discovery *d, struct casb_error *err)
{
    const struct discovery_settings *s = d->settings;
    char selector[POD_SELECTOR_BYTES];
    int r;

    r = selector_make(s->selector, s->selector_labels, &d->selector, err);
    if (r == 0)
        r = make_sample(&d->plan, &d->template, &d->sample, err);
    if (r == 0)
        r = pod_resources(d->sample, &d->resources, err);
    if (r < 0)
        return r;
    d->needs = (struct node_needs){
        .tolerations = jsonx_array(d->sample, "spec.tolerations"),
        .resources = d->resources,
        .selector = jsonx_object(d->sample, "spec.nodeSelector"),
        .terms = jsonx_array(s->pod, AFFINITY_TERMS),
    };
    if (s->las_selector) {
        r = las_new(d->kube, s->las_namespace, s->las_selector, &d->las, err);
        if (r < 0)
            return r;
    }
    r = ledger_new(&d->ledger, err);
    if (r == 0)
        r = events_new(d->host, d->kube, d->plan.namespace, &d->events, err);
    if (r == 0)
        r = marks_new(d->host, d->kube, &d->marks, err);
    if (r < 0)
        return r;
    return watcher_new(d->host, d->kube, d->plan.namespace,
                       pod_selector(selector, d->plan.instance), is_host_ip(s), &d->watcher, err);
}

static void discovery_close(void *self)
{
    struct discovery *d = self;

    if (!d)
        return;
    watcher_free(d->watcher);
    ledger_free(d->ledger);
    events_free(d->events);
    marks_free(d->marks);
    las_free(d->las);
    json_decref(d->resources);
    json_decref(d->sample);
    json_decref(d->template);
    free(d->selector);
    kube_close(d->kube);
    pthread_mutex_destroy(&d->lock);
    free(d);
}
DEFINE_FREEP(struct discovery *, discovery_close)

static int discovery_open(const struct casb_host *host, const void *settings, void **ret_self,
                          struct casb_error *err)
{
    _cleanup_(discovery_closep) struct discovery *d = calloc(1, sizeof *d);
    const struct discovery_settings *s = settings;
    int r;

    if (!d)
        return err_nomem(err);
    pthread_mutex_init(&d->lock, NULL);
    r = check_settings(s, err);
    if (r < 0)
        return r;
    d->host = host;
    d->settings = s;
    r = kube_open(host,
                  &(struct kube_settings){
                      .kubeconfig = s->kubeconfig,
                      .context = s->context,
                      .namespace = s->namespace,
                  },
                  &d->kube, err);
    if (r < 0)
        return r;
    d->plan = plan_for(host, s, kube_namespace(d->kube));
    find_owner(d->kube, &d->plan);
    r = open_parts(d, err);
    if (r < 0)
        return r;
    *ret_self = TAKE_PTR(d);
    return 0;
}

static int discovery_verify(const struct casb_host *host, const void *settings,
                            struct casb_error *err)
{
    const struct discovery_settings *s = settings;
    const struct pod_plan plan = plan_for(host, s, s->namespace ? s->namespace : "default");
    json_auto_t *template = NULL, *sample = NULL, *resources = NULL;
    _cleanup_(freep) char *selector = NULL;
    int r = check_settings(s, err);

    if (r == 0)
        r = selector_make(s->selector, s->selector_labels, &selector, err);
    if (r == 0)
        r = make_sample(&plan, &template, &sample, err);
    return r == 0 ? pod_resources(sample, &resources, err) : r;
}

static int discovery_identify(void *self, const struct casb_call *call,
                              const struct casb_node *node, struct casb_machine *ret_machine,
                              struct casb_error *err)
{
    const struct discovery *d = self;

    if (!d->las)
        return err_set(err, CASB_ENOTFOUND, "LAS pods are not looked at");
    return las_read(d->las, call, node->name, &ret_machine->las, err);
}

static int discovery_spawn(void *self, const struct casb_call *call, const struct casb_node *node,
                           struct casb_backup *ret_backup, struct casb_error *err)
{
    return spawn_pod(self, call, node, ret_backup, err);
}

static int discovery_remove(void *self, const struct casb_call *call, const struct casb_node *node,
                            struct casb_error *err)
{
    return remove_pod(self, call, node->name, err);
}

static int discovery_sweep(void *self, const struct casb_call *call, bool until_gone,
                           size_t *ret_removed, struct casb_error *err)
{
    return remove_all(self, call, until_gone, ret_removed, err);
}

static const char *discovery_image(void *self)
{
    const struct discovery *d = self;

    return pod_image(d->sample);
}

static const struct casb_discovery_ops ops = {
    .size = sizeof ops,
    .scan = scan_nodes,
    .identify = discovery_identify,
    .spawn = discovery_spawn,
    .remove = discovery_remove,
    .sweep = discovery_sweep,
    .image = discovery_image,
    .tell = tell_news,
    .settle = tell_settle,
    .unblock = unblock_node,
    .last_words = words_log,
};

CASB_EXPORT const struct casb_plugin casb_plugin = {
    .abi = CASB_ABI,
    .size = sizeof casb_plugin,
    .kind = CASB_DISCOVERY,
    .name = "kubernetes",
    .version = PACKAGE_VERSION,
    .settings_size = sizeof(struct discovery_settings),
    .options = options,
    .open = discovery_open,
    .close = discovery_close,
    .check = check_discovery,
    .verify = discovery_verify,
    .ops = &ops,
};
