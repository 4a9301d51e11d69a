/* SPDX-License-Identifier: Apache-2.0 */
/* An object of the API server of any content, taken for a node, a pod and a Lease. */
#include "base/jsonx.h"
#include "discovery-kubernetes/judge.h"
#include "discovery-kubernetes/nodes.h"
#include "state-configmap/lease_rules.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_node(const json_t *object)
{
    const struct node_needs needs = {.tolerations = json_object_get(object, "tolerations"),
                                     .selector = json_object_get(object, "selector")};
    char blocked[NODE_BLOCKED_BYTES] = "";
    struct casb_node node = {0};
    struct casb_error err = {0};
    bool odd = false;

    if (node_read(object, &needs, blocked, &node, &odd, &err) == 0 && (!node.uid || !node.name))
        abort();
}

static void take_pod(const json_t *object)
{
    struct pod_verdict verdict;

    for (int host_ip = 0; host_ip < 2; host_ip++) {
        memset(&verdict, 0, sizeof verdict);
        pod_judge(object, host_ip, &verdict);
        if ((verdict.state == POD_READY) != (verdict.ip[0] != 0))
            abort();
    }
}

static void take_lease(json_t *object)
{
    struct lease_sight sight = {0};
    struct casb_error err = {0};
    char out[200];

    (void)lease_judge(object, &sight, "me", 30, 1);
    (void)lease_judge(object, &sight, "me", 30, INT64_MAX);
    (void)lease_is_held_by(object, "me");
    lease_describe(object, out, sizeof out);
    if (json_is_object(object) && lease_stamp(object, "me", 30, 0, &err) == 0 &&
        !lease_is_held_by(object, "me"))
        abort();
    json_decref(sight.spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_auto_t *object = NULL;

    if (jsonx_parse((const char *)data, size, "object", &object, NULL))
        return 0;
    take_node(object);
    take_pod(object);
    take_lease(object);
    return 0;
}
