/* SPDX-License-Identifier: Apache-2.0 */
/* discovery-kubernetes: the nodes of a cluster, and a pod as the backup CAS on each. */
#include "base/clock.h"
#include "base/jsonx.h"
#include "base/process.h"
#include "base/text.h"
#include "discovery-kubernetes/discovery.h"
#include "discovery-kubernetes/remove.h"
#include "discovery-kubernetes/scan.h"
#include "discovery-kubernetes/spawn.h"

#include <stddef.h>
#include <string.h>

/* How long a pod may live on after ready_timeout, should nobody be left to delete it. */
#define POD_LIFE_S (15 * 60)

#define AT(member) offsetof(struct discovery_settings, member)

static const struct casb_option options[] = {
    {"kubeconfig", CASB_STRING, AT(kubeconfig), .help = "kubeconfig file, in place of KUBECONFIG"},
    {"context", CASB_STRING, AT(context), .help = "context of the kubeconfig"},
    {"namespace", CASB_STRING, AT(namespace), .env = "NAMESPACE",
     .help = "where backup CAS pods go; default: the context's or the ServiceAccount's"},
    {"selector", CASB_STRING, AT(selector), .env = "SELECTOR_LABEL",
     .help = "label selector of the nodes; default: all nodes"},
    {"image", CASB_STRING, AT(image),
     "registry.scontain.com:5050/sconecuratedimages/services:cas-scone5", "BACKUP_CAS_IMAGE",
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
    {"pod", CASB_MAP, AT(pod), .help = "merge patch (RFC 7386) over the generated pod"},
    {"container", CASB_MAP, AT(container), .help = "merge patch over the pod's container"},
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

static struct pod_plan make_plan(const struct discovery *d)
{
    const struct discovery_settings *s = d->settings;
    struct pod_plan plan = {
        .instance = d->host->instance,
        .holder = d->host->holder,
        .namespace = kube_namespace(d->kube),
        .image = s->image,
        .resource = s->sgx_name,
        .quantity = s->sgx_quantity,
        .las = s->las_address,
        .host_port = is_host_ip(s),
        .deadline_s = s->ready_timeout_ns / CLOCK_S + POD_LIFE_S,
        .pod = s->pod,
        .container = s->container,
    };

    find_owner(d->kube, &plan);
    return plan;
}

static int check_settings(const struct discovery_settings *s, struct casb_error *err)
{
    if (s->namespace && !text_is_label(s->namespace))
        return err_set_setting(err, "namespace", "'%s' is not a DNS-1123 label", s->namespace);
    if (!text_is_label(s->las_namespace))
        return err_set_setting(err, "las.namespace", "'%s' is not a DNS-1123 label",
                               s->las_namespace);
    return 0;
}

/* The parts that need the plan. */
static int open_parts(struct discovery *d, struct casb_error *err)
{
    const struct discovery_settings *s = d->settings;
    char selector[POD_SELECTOR_BYTES];
    int r;

    r = pod_build(&d->plan, "sample", &d->sample, err);
    if (r == 0)
        r = pod_resources(d->sample, &d->resources, err);
    if (r < 0)
        return r;
    d->needs = (struct node_needs){
        .tolerations = jsonx_array(d->sample, "spec.tolerations"),
        .resources = d->resources,
    };
    if (s->las_selector) {
        r = las_new(d->kube, s->las_namespace, s->las_selector, &d->las, err);
        if (r < 0)
            return r;
    }
    r = ledger_new(&d->ledger, err);
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
    las_free(d->las);
    json_decref(d->resources);
    json_decref(d->sample);
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
    d->plan = make_plan(d);
    r = open_parts(d, err);
    if (r < 0)
        return r;
    *ret_self = TAKE_PTR(d);
    return 0;
}

struct need {
    const char *verb, *resource;
    const char *namespace; /* NULL: of the cluster */
};

static int check_need(const struct discovery *d, const struct casb_call *call,
                      const struct need *need, casb_check_fn *found, void *arg,
                      struct casb_error *err)
{
    char what[160];
    bool allowed;
    int r;

    r = kube_allowed(d->kube, call, need->verb, "", need->resource, need->namespace, NULL, &allowed,
                     err);
    if (r < 0)
        return r;
    if (need->namespace)
        snprintf(what, sizeof what, "%s %s in namespace '%s'", need->verb, need->resource,
                 need->namespace);
    else
        snprintf(what, sizeof what, "%s %s", need->verb, need->resource);
    found(what, allowed, allowed ? NULL : "the API server does not allow it", arg);
    return 0;
}

static int discovery_check(void *self, const struct casb_call *call, casb_check_fn *found,
                           void *arg, struct casb_error *err)
{
    const struct discovery *d = self;
    const char *pods = d->plan.namespace, *las = d->settings->las_namespace;
    const struct need needs[] = {
        {"list", "nodes", NULL}, {"create", "pods", pods}, {"get", "pods", pods},
        {"list", "pods", pods},  {"watch", "pods", pods},  {"delete", "pods", pods},
        {"list", "pods", las},   {"get", "pods/log", las},
    };
    size_t count = ELEMENTS(needs) - (d->las ? 0 : 2);
    int r = 0;

    for (size_t i = 0; i < count && r == 0; i++)
        r = check_need(d, call, &needs[i], found, arg, err);
    return r;
}

static int discovery_identify(void *self, const struct casb_call *call,
                              const struct casb_node *node, struct casb_identity *ret_identity,
                              struct casb_error *err)
{
    const struct discovery *d = self;
    struct casb_identity identity = {.las_key = ""};
    int r;

    if (!d->las)
        return err_set(err, CASB_ENOTFOUND, "LAS pods are not looked at");
    r = las_read_key(d->las, call, node->name, identity.las_key, err);
    if (r < 0)
        return r;
    *ret_identity = identity;
    return 0;
}

static int discovery_spawn(void *self, const struct casb_call *call, const struct casb_node *node,
                           char ret_address[static CASB_ADDRESS_LENGTH + 1], struct casb_error *err)
{
    return spawn_pod(self, call, node->name, ret_address, err);
}

static int discovery_remove(void *self, const struct casb_call *call, const struct casb_node *node,
                            struct casb_error *err)
{
    return remove_pod(self, call, node->name, err);
}

static int discovery_sweep(void *self, const struct casb_call *call, size_t *ret_removed,
                           struct casb_error *err)
{
    return remove_all(self, call, ret_removed, err);
}

static const struct casb_discovery_ops ops = {
    .size = sizeof ops,
    .scan = scan_nodes,
    .identify = discovery_identify,
    .spawn = discovery_spawn,
    .remove = discovery_remove,
    .sweep = discovery_sweep,
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
    .check = discovery_check,
    .ops = &ops,
};
