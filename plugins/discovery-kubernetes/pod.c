/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/pod.h"

#include "base/buf.h"
#include "base/jsonx.h"
#include "base/label.h"
#include "base/text.h"
#include "discovery-kubernetes/affinity.h"
#include "discovery-kubernetes/quantity.h"

#include <string.h>

#define COMPONENT "backup-cas"

/* A label value has at most 63 characters, a node name up to 253: hence annotations. */
#define ANNOTATION_NODE   OWNERSHIP_PREFIX "node"
#define ANNOTATION_UID    OWNERSHIP_PREFIX "node-uid"
#define ANNOTATION_HOLDER OWNERSHIP_PREFIX "holder"

#define LAS_VARIABLE "SCONE_LAS_ADDR"

char *pod_name(char out[static LABEL_BYTES], const char *instance, const char *node)
{
    return label_join(out, instance, node);
}

char *pod_selector(char out[static POD_SELECTOR_BYTES], const char *instance)
{
    return ownership_selector(out, instance, COMPONENT);
}

char *pod_selector_before(char out[static POD_SELECTOR_BYTES], const char *instance)
{
    return ownership_selector_before(out, instance, COMPONENT);
}

bool pod_is_ours(const json_t *pod, const char *instance)
{
    return ownership_is(pod, instance, COMPONENT);
}

static const char *annotation(const json_t *pod, const char *key)
{
    return json_string_value(json_object_get(jsonx_object(pod, "metadata.annotations"), key));
}

const char *pod_node_uid(const json_t *pod)
{
    const char *uid = annotation(pod, ANNOTATION_UID);

    return uid ? uid : "";
}

bool pod_is_of_holder(const json_t *pod, const char *holder)
{
    return text_equal(annotation(pod, ANNOTATION_HOLDER), holder);
}

/*
 * SCONE_LAS_ADDR is the one variable that Scontain documents for it. That the image's own command
 * then starts an unprovisioned CAS on these ports is an assumption; `container` can change it.
 */
static int build_las_variable(const struct pod_plan *plan, json_t **ret, struct casb_error *err)
{
    if (strcmp(plan->las, "node") == 0)
        return jsonx_pack(ret, err, "{s:s, s:{s:{s:s}}}", "name", LAS_VARIABLE, "valueFrom",
                          "fieldRef", "fieldPath", "status.hostIP");
    return jsonx_pack(ret, err, "{s:s, s:s}", "name", LAS_VARIABLE, "value", plan->las);
}

/* Done after the user's patch, which replaces arrays as a whole. */
static int add_las_variable(json_t *container, const struct pod_plan *plan, struct casb_error *err)
{
    json_t *env = json_object_get(container, "env"), *variable;
    size_t i;
    int r;

    json_array_foreach (env, i, variable) {
        if (text_equal(jsonx_string(variable, "name"), LAS_VARIABLE))
            return 0;
    }
    if (!json_is_array(env)) {
        env = json_array();
        if (json_object_set_new(container, "env", env) < 0)
            return err_nomem(err);
    }
    r = build_las_variable(plan, &variable, err);
    if (r < 0)
        return r;
    return json_array_append_new(env, variable) < 0 ? err_nomem(err) : 0;
}

/* Extended resources must be integers, and requests equal to limits. */
static int add_resource(json_t *container, const struct pod_plan *plan, struct casb_error *err)
{
    json_t *resources;
    char quantity[24];
    int r;

    if (plan->quantity == 0)
        return 0;
    snprintf(quantity, sizeof quantity, "%lld", (long long)plan->quantity);
    r = jsonx_pack(&resources, err, "{s:{s:s}, s:{s:s}}", "limits", plan->resource, quantity,
                   "requests", plan->resource, quantity);
    if (r < 0)
        return r;
    return json_object_set_new(container, "resources", resources) < 0 ? err_nomem(err) : 0;
}

/* So that the node's address will do, from outside the cluster too. */
static int add_port(json_t *container, const struct pod_plan *plan, struct casb_error *err)
{
    json_t *ports;
    int r;

    r = jsonx_pack(&ports, err,
                   plan->host_port ? "[{s:s, s:i}, {s:s, s:i, s:i}]" : "[{s:s, s:i}, {s:s, s:i}]",
                   "name", "enclave", "containerPort", plan->enclave_port, "name", "client",
                   "containerPort", plan->client_port, "hostPort", plan->client_port);
    if (r < 0)
        return r;
    return json_object_set_new(container, "ports", ports) < 0 ? err_nomem(err) : 0;
}

/*
 * As strict as a CAS image can take: the published ones run as root, so runAsNonRoot is left to
 * the user's patch.
 */
static int build_container(const struct pod_plan *plan, json_t **ret, struct casb_error *err)
{
    json_auto_t *container = NULL;
    int r;

    r = jsonx_pack(
        &container, err, "{s:s, s:s, s:s, s:{s:{s:i}, s:i, s:i}, s:{s:b, s:{s:[s]}, s:{s:s}}}",
        "name", COMPONENT, "image", plan->image, "terminationMessagePolicy",
        "FallbackToLogsOnError", "readinessProbe", "tcpSocket", "port", plan->client_port,
        "periodSeconds", 1, "timeoutSeconds", 1, "securityContext", "allowPrivilegeEscalation",
        false, "capabilities", "drop", "ALL", "seccompProfile", "type", "RuntimeDefault");
    if (r == 0)
        r = add_port(container, plan, err);
    if (r == 0)
        r = add_resource(container, plan, err);
    if (r == 0 && plan->container && jsonx_merge_patch(&container, plan->container) < 0)
        r = err_nomem(err);
    if (r == 0)
        r = add_las_variable(container, plan, err);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(container);
    return 0;
}

/*
 * The controller, for `kubectl drain` and cluster autoscalers evict no pod without one.
 * blockOwnerDeletion would need the right to update the owner's finalizers.
 */
static int add_owner(json_t *pod, const struct pod_plan *plan, struct casb_error *err)
{
    json_t *metadata;
    int r;

    if (!plan->owner_name || !plan->owner_uid)
        return 0;
    r = jsonx_pack(&metadata, err, "{s:[{s:s, s:s, s:s, s:s, s:b}]}", "ownerReferences",
                   "apiVersion", "v1", "kind", "Pod", "name", plan->owner_name, "uid",
                   plan->owner_uid, "controller", true);
    if (r < 0)
        return r;
    return json_object_set_new(pod, "metadata", metadata) < 0 ? err_nomem(err) : 0;
}

static int build_generated(const struct pod_plan *plan, json_t **ret, struct casb_error *err)
{
    json_auto_t *pod = NULL;
    json_t *container;
    int r;

    r = build_container(plan, &container, err);
    if (r < 0)
        return r;
    r = jsonx_pack(&pod, err, "{s:{s:s, s:b, s:b, s:i, s:I, s:[o]}}", "spec", "restartPolicy",
                   "Never", "automountServiceAccountToken", false, "enableServiceLinks", false,
                   "terminationGracePeriodSeconds", 1, "activeDeadlineSeconds",
                   (json_int_t)plan->deadline_s, "containers", container);
    if (r == 0)
        r = add_owner(pod, plan, err);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(pod);
    return 0;
}

/*
 * Node affinity as the DaemonSet controller does it, beside the user's own; spec.nodeName would go
 * past the scheduler, and so past resources and taints.
 */
static int build_fixed(const struct pod_plan *plan, const char *node, const char *node_uid,
                       json_t **ret, struct casb_error *err)
{
    json_auto_t *metadata = NULL, *labels = NULL, *terms = NULL;
    char name[LABEL_BYTES];
    int r;

    r = ownership_labels(plan->instance, COMPONENT, &labels, err);
    if (r == 0)
        r = jsonx_pack(&metadata, err, "{s:s, s:s, s:O, s:{s:s, s:s, s:s}}", "name",
                       pod_name(name, plan->instance, node), "namespace", plan->namespace, "labels",
                       labels, "annotations", ANNOTATION_NODE, node, ANNOTATION_UID, node_uid,
                       ANNOTATION_HOLDER, plan->holder);
    if (r == 0)
        r = affinity_pin(jsonx_array(plan->pod, AFFINITY_TERMS), node, &terms, err);
    if (r < 0)
        return r;
    return jsonx_pack(ret, err, "{s:s, s:s, s:O, s:{s:n, s:{s:{s:{s:O}}}}}", "apiVersion", "v1",
                      "kind", "Pod", "metadata", metadata, "spec", "nodeName", "affinity",
                      "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution",
                      "nodeSelectorTerms", terms);
}

int pod_template(const struct pod_plan *plan, json_t **ret, struct casb_error *err)
{
    json_auto_t *pod = NULL;
    int r = build_generated(plan, &pod, err);

    if (r < 0)
        return r;
    if (plan->pod && jsonx_merge_patch(&pod, plan->pod) < 0)
        return err_nomem(err);
    *ret = TAKE_PTR(pod);
    return 0;
}

int pod_build(const struct pod_plan *plan, json_t *template, const char *node, const char *node_uid,
              json_t **ret, struct casb_error *err)
{
    json_auto_t *pod = json_incref(template), *fixed = NULL;
    int r = build_fixed(plan, node, node_uid, &fixed, err);

    if (r < 0)
        return r;
    if (jsonx_merge_patch(&pod, fixed) < 0)
        return err_nomem(err);
    *ret = TAKE_PTR(pod);
    return 0;
}

/* As k8s.io/component-helpers' IsExtendedResourceName(), but for names that the API refuses. */
static bool is_extended(const char *resource)
{
    return strchr(resource, '/') && !strstr(resource, "kubernetes.io/");
}

/* YAML makes a number of what is written without quotes, and the API takes it. */
static double quantity_of(const json_t *value)
{
    double quantity = json_number_value(value);

    if (json_is_string(value) && quantity_parse(json_string_value(value), &quantity) < 0)
        return 0;
    return quantity;
}

/* Limits tell all: of an extended resource there is no request without one. */
int pod_resources(const json_t *pod, json_t **ret, struct casb_error *err)
{
    json_auto_t *sums = json_object();
    const json_t *container, *value;
    const char *name;
    size_t i;

    json_array_foreach (jsonx_array(pod, "spec.containers"), i, container) {
        const json_t *limits = jsonx_object(container, "resources.limits");

        json_object_foreach ((json_t *)(uintptr_t)limits, name, value) {
            double sum = json_number_value(json_object_get(sums, name)) + quantity_of(value);

            if (is_extended(name) && json_object_set_new(sums, name, json_real(sum)) < 0)
                return err_nomem(err);
        }
    }
    if (!sums)
        return err_nomem(err);
    *ret = TAKE_PTR(sums);
    return 0;
}

const char *pod_image(const json_t *pod)
{
    return jsonx_string(json_array_get(jsonx_array(pod, "spec.containers"), 0), "image");
}

char *pod_held(char out[static POD_HELD_BYTES], const json_t *pod)
{
    _cleanup_(buf_free) struct buf list = BUF_INIT(POD_HELD_BYTES);
    const json_t *finalizers = jsonx_array(pod, "metadata.finalizers"), *finalizer;
    char names[POD_HELD_BYTES - 32];
    size_t i;

    json_array_foreach (finalizers, i, finalizer) {
        const char *name = json_string_value(finalizer);

        buf_append_cut(&list, ", ", i > 0 ? 2 : 0);
        buf_append_cut(&list, name ? name : "", strlen(name ? name : ""));
    }
    text_clean(names, sizeof names, buf_text(&list));
    out[0] = 0;
    if (json_array_size(finalizers) > 0)
        snprintf(out, POD_HELD_BYTES, "held by finalizers '%s'", names);
    return out;
}
