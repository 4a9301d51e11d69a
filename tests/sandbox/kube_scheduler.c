/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/kube_scheduler.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonx.h"
#include "base/text.h"

#include <string.h>

#define MESSAGE_BYTES 1024

/* ---- why a pod cannot go to a node */

/* Of the operators: In, NotIn, Exists and DoesNotExist. */
static bool is_met(const json_t *requirement, const char *have)
{
    const char *operator= jsonx_string(requirement, "operator");
    bool among = false;
    const json_t *value;
    size_t i;

    json_array_foreach (jsonx_array(requirement, "values"), i, value)
        among |= text_equal(json_string_value(value), have);
    if (text_equal(operator, "In"))
        return among;
    if (text_equal(operator, "NotIn"))
        return !among;
    return text_equal(operator, "Exists") == (have != NULL);
}

static bool is_term_met(const json_t *term, const json_t *node)
{
    const json_t *requirement, *labels = jsonx_object(node, "metadata.labels");
    bool met = json_object_size(term) > 0;
    size_t i;

    json_array_foreach (jsonx_array(term, "matchFields"), i, requirement)
        met &= is_met(requirement, jsonx_string(node, "metadata.name"));
    json_array_foreach (jsonx_array(term, "matchExpressions"), i, requirement)
        met &= is_met(requirement,
                      json_string_value(json_object_get(labels, jsonx_string(requirement, "key"))));
    return met;
}

/* By its nodeSelector and required node affinity. */
static bool is_meant_for(const json_t *pod, const json_t *node)
{
    static const char path[] =
        "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
        "nodeSelectorTerms";
    const json_t *term, *labels = jsonx_object(node, "metadata.labels");
    bool meant = !jsonx_array(pod, path);
    const char *key;
    json_t *value;
    size_t i;

    json_array_foreach (jsonx_array(pod, path), i, term)
        meant |= is_term_met(term, node);
    json_object_foreach ((json_t *)(uintptr_t)jsonx_object(pod, "spec.nodeSelector"), key, value)
        meant &= json_equal(json_object_get(labels, key), value) == 1;
    return meant;
}

static bool tolerates(const json_t *toleration, const char *key, const char *value,
                      const char *effect)
{
    const char *operator= jsonx_string(toleration, "operator");
    const char *for_key = jsonx_string(toleration, "key");
    const char *for_value = jsonx_string(toleration, "value");
    const char *for_effect = jsonx_string(toleration, "effect");

    if (!text_empty(for_effect) && !text_equal(for_effect, effect))
        return false;
    if (!text_empty(for_key) && !text_equal(for_key, key))
        return false;
    return text_equal(operator, "Exists") ||
           (!text_empty(for_key) && strcmp(for_value ? for_value : "", value) == 0);
}

static bool is_tolerated(const json_t *pod, const char *key, const char *value, const char *effect)
{
    const json_t *toleration;
    size_t i;

    json_array_foreach (jsonx_array(pod, "spec.tolerations"), i, toleration) {
        if (tolerates(toleration, key, value, effect))
            return true;
    }
    return false;
}

static const json_t *untolerated_taint(const json_t *pod, const json_t *node)
{
    const json_t *taint;
    size_t i;

    json_array_foreach (jsonx_array(node, "spec.taints"), i, taint) {
        const char *value = jsonx_string(taint, "value"), *effect = jsonx_string(taint, "effect");

        if (!text_equal(effect, "PreferNoSchedule") &&
            !is_tolerated(pod, jsonx_string(taint, "key"), value ? value : "", effect))
            return taint;
    }
    return NULL;
}

/* What the containers of a pod ask for. Extended resources are whole numbers. */
static int64_t asked(const json_t *pod, const char *resource)
{
    const json_t *container;
    int64_t sum = 0;
    size_t i;

    json_array_foreach (jsonx_array(pod, "spec.containers"), i, container) {
        const char *text = json_string_value(
            json_object_get(jsonx_object(container, "resources.limits"), resource));

        sum += text ? strtoll(text, NULL, 10) : 0;
    }
    return sum;
}

static int64_t used(const struct store *store, const char *node, const char *resource)
{
    json_auto_t *pods = store_list(store, "pods/");
    const json_t *pod;
    int64_t sum = 0;
    size_t i;

    json_array_foreach (pods, i, pod) {
        const char *phase = jsonx_string(pod, "status.phase");

        if (text_equal(jsonx_string(pod, "spec.nodeName"), node) && strcmp(phase, "Failed") != 0 &&
            strcmp(phase, "Succeeded") != 0)
            sum += asked(pod, resource);
    }
    return sum;
}

/* The extended resource (its name has a '/') of which there is not enough; NULL: none. */
static const char *missing_resource(const struct store *store, const json_t *pod,
                                    const json_t *node)
{
    const json_t *container = json_array_get(jsonx_array(pod, "spec.containers"), 0);
    json_t *limits = json_object_get(json_object_get(container, "resources"), "limits"), *quantity;
    const char *resource;

    json_object_foreach (limits, resource, quantity) {
        const char *have =
            json_string_value(json_object_get(jsonx_object(node, "status.allocatable"), resource));

        if (strchr(resource, '/') &&
            asked(pod, resource) + used(store, jsonx_string(node, "metadata.name"), resource) >
                (have ? strtoll(have, NULL, 10) : 0))
            return resource;
    }
    return NULL;
}

/* Writes the reason against a node; false: there is none. */
static bool is_unfit(const struct store *store, const json_t *pod, const json_t *node,
                     struct buf *reason)
{
    const json_t *taint = untolerated_taint(pod, node);
    const char *missing, *value;

    if (!is_meant_for(pod, node))
        return buf_puts(reason, "node(s) didn't match Pod's node affinity/selector") == 0;
    if (jsonx_bool(node, "spec.unschedulable", false) &&
        !is_tolerated(pod, "node.kubernetes.io/unschedulable", "", "NoSchedule"))
        return buf_puts(reason, "node(s) were unschedulable") == 0;
    if (taint) {
        value = jsonx_string(taint, "value");
        return buf_printf(reason, "node(s) had taint {%s: %s}, that the pod didn't tolerate",
                          jsonx_string(taint, "key"), value ? value : "") == 0;
    }
    missing = missing_resource(store, pod, node);
    return missing && buf_printf(reason, "Insufficient %s", missing) == 0;
}

/* ---- what comes of it */

static void set_scheduled(json_t *pod, const char *message)
{
    json_t *condition =
        json_pack("{s:s, s:s}", "type", "PodScheduled", "status", message ? "False" : "True");
    char now[CLOCK_RFC3339_BYTES];

    if (message) {
        json_object_set_new(condition, "reason", json_string("Unschedulable"));
        json_object_set_new(condition, "message", json_string(message));
    }
    json_object_set_new(condition, "lastTransitionTime",
                        json_string(clock_format(now, clock_wall_ms(), false)));
    json_object_set_new(json_object_get(pod, "status"), "conditions", json_pack("[o]", condition));
}

static void bind_pod(struct store *store, const char *key, const char *node)
{
    json_t *pod = store_copy(store, key);

    json_object_set_new(json_object_get(pod, "spec"), "nodeName", json_string(node));
    set_scheduled(pod, NULL);
    store_put(store, key, pod);
}

static void leave_pending(struct store *store, const char *key, const json_t *reasons, size_t nodes)
{
    const json_t *condition =
        json_array_get(jsonx_array(store_get(store, key), "status.conditions"), 0);
    _cleanup_(buf_free) struct buf message = BUF_INIT(MESSAGE_BYTES);
    const char *reason, *separator = ": ";
    json_t *count, *pod;
    int bad = buf_printf(&message, "0/%zu nodes are available", nodes);

    json_object_foreach ((json_t *)reasons, reason, count) {
        bad |= buf_printf(&message, "%s%lld %s", separator, (long long)json_integer_value(count),
                          reason);
        separator = ", ";
    }
    bad |= buf_puts(&message, ".");
    if (bad || text_equal(jsonx_string(condition, "message"), buf_text(&message)))
        return;
    pod = store_copy(store, key);
    set_scheduled(pod, buf_text(&message));
    store_put(store, key, pod);
}

static void schedule(struct store *store, const json_t *pod, const json_t *nodes)
{
    json_auto_t *reasons = json_object();
    char key[STORE_KEY_BYTES];
    const json_t *node;
    size_t i;

    store_key_of(key, "pods", pod);
    json_array_foreach (nodes, i, node) {
        _cleanup_(buf_free) struct buf reason = BUF_INIT(MESSAGE_BYTES);
        const char *text;

        if (!is_unfit(store, pod, node, &reason))
            return bind_pod(store, key, jsonx_string(node, "metadata.name"));
        text = buf_text(&reason);
        json_object_set_new(reasons, text,
                            json_integer(json_integer_value(json_object_get(reasons, text)) + 1));
    }
    leave_pending(store, key, reasons, json_array_size(nodes));
}

void scheduler_run(struct store *store)
{
    json_auto_t *pods = store_list(store, "pods/"), *nodes = store_list(store, "nodes/");
    const json_t *pod;
    size_t i;

    json_array_foreach (pods, i, pod) {
        if (!jsonx_string(pod, "spec.nodeName"))
            schedule(store, pod, nodes);
    }
}
