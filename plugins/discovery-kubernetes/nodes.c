/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/nodes.h"

#include "base/identity.h"
#include "base/jsonx.h"
#include "base/record.h"
#include "base/text.h"
#include "discovery-kubernetes/affinity.h"
#include "discovery-kubernetes/condition.h"
#include "discovery-kubernetes/quantity.h"
#include "discovery-kubernetes/taints.h"

#include <ctype.h>
#include <string.h>

#define NAME_LENGTH   253
#define UNSCHEDULABLE "node.kubernetes.io/unschedulable"

static bool has_taint(const json_t *taints, const char *key)
{
    const json_t *taint;
    size_t i;

    json_array_foreach (taints, i, taint) {
        if (text_equal(jsonx_string(taint, "key"), key))
            return true;
    }
    return false;
}

/* The field and the taint are set one after the other, so either alone counts. */
static bool is_cordoned(const json_t *object, const json_t *tolerations)
{
    static const struct taint cordon = {.key = UNSCHEDULABLE, .value = "", .effect = "NoSchedule"};

    if (taint_is_tolerated(&cordon, tolerations))
        return false;
    return jsonx_bool(object, "spec.unschedulable", false) ||
           has_taint(jsonx_array(object, "spec.taints"), UNSCHEDULABLE);
}

static bool has_resources(const json_t *object, const json_t *needed)
{
    const json_t *allocatable = jsonx_object(object, "status.allocatable");
    const json_t *quantity;
    const char *name;

    json_object_foreach ((json_t *)(uintptr_t)needed, name, quantity) {
        const char *text = json_string_value(json_object_get(allocatable, name));
        double there;

        if (!text || quantity_parse(text, &there) < 0 || there < json_number_value(quantity))
            return false;
    }
    return true;
}

static bool is_control_plane(const json_t *object)
{
    const json_t *labels = jsonx_object(object, "metadata.labels");

    return json_object_get(labels, "node-role.kubernetes.io/control-plane") ||
           json_object_get(labels, "node-role.kubernetes.io/master");
}

static void judge(const json_t *object, const struct node_needs *needs,
                  char blocked[static NODE_BLOCKED_BYTES])
{
    const char *taint =
        taint_find_untolerated(jsonx_array(object, "spec.taints"), needs->tolerations);
    char key[NODE_BLOCKED_BYTES - 32];

    blocked[0] = 0;
    if (is_cordoned(object, needs->tolerations))
        snprintf(blocked, NODE_BLOCKED_BYTES, "unschedulable");
    else if (jsonx_string(object, "metadata.deletionTimestamp") ||
             !condition_is_true(object, "Ready"))
        snprintf(blocked, NODE_BLOCKED_BYTES, "not-ready");
    else if (taint)
        snprintf(blocked, NODE_BLOCKED_BYTES, "untolerated-taint (%s)",
                 text_clean(key, sizeof key, taint));
    else if (!has_resources(object, needs->resources))
        snprintf(blocked, NODE_BLOCKED_BYTES, "no-sgx-resource");
}

/* A DNS-1123 subdomain, as the API has it. */
static bool is_name(const char *text)
{
    static const char characters[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
    size_t len = text ? strlen(text) : 0;

    return len > 0 && len <= NAME_LENGTH && text[strspn(text, characters)] == 0 &&
           !strchr("-.", text[0]) && !strchr("-.", text[len - 1]);
}

/* A node that never was up has none. It goes into the state: nothing but what a boot ID is. */
static bool read_boot_id(const json_t *object, struct casb_identity *ret)
{
    const char *boot_id = jsonx_string(object, "status.nodeInfo.bootID");

    if (text_empty(boot_id))
        return true;
    for (const char *c = boot_id; *c; c++)
        if (!isgraph((unsigned char)*c))
            return false;
    return identity_set(ret, CASB_BOOT_ID, boot_id) == 0;
}

int node_read(const json_t *object, const struct node_needs *needs,
              char blocked[static NODE_BLOCKED_BYTES], struct casb_node *ret, bool *ret_odd,
              struct casb_error *err)
{
    const char *name = jsonx_string(object, "metadata.name");
    const char *uid = jsonx_string(object, "metadata.uid");
    char text[80];

    if (!is_name(name))
        return err_set(err, CASB_EINVALID, "the API gave a node with an odd name: '%s'",
                       text_clean(text, sizeof text, name ? name : ""));
    if (!uid || !record_is_uid(uid))
        return err_set(err, CASB_EINVALID, "the API gave node '%s' with an odd uid: '%s'", name,
                       text_clean(text, sizeof text, uid ? uid : ""));
    judge(object, needs, blocked);
    *ret = (struct casb_node){
        .uid = uid,
        .name = name,
        .control_plane = is_control_plane(object),
        .excluded =
            affinity_allows(needs->selector, needs->terms, object) ? NULL : "pod-node-selector",
        .blocked = blocked[0] ? blocked : NULL,
    };
    *ret_odd = !read_boot_id(object, &ret->machine.boot);
    return 0;
}
