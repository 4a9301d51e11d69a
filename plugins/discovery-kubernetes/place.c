/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/place.h"

#include "base/buf.h"
#include "base/identity.h"
#include "base/text.h"
#include "discovery-kubernetes/nodes.h"

#include <string.h>

#define SELECTOR_BYTES 300 /* a node's name has at most 253 */

struct look {
    const struct casb_node *node;
    bool found, same;
    struct casb_identity boot;
};

static int on_node(const json_t *object, void *arg)
{
    const struct node_needs nothing = {.resources = NULL};
    char blocked[NODE_BLOCKED_BYTES];
    struct look *look = arg;
    struct casb_node now;
    bool odd;

    if (node_read(object, &nothing, blocked, &now, &odd, NULL) < 0 ||
        strcmp(now.name, look->node->name) != 0)
        return 0;
    look->found = true;
    look->same = strcmp(now.uid, look->node->uid) == 0;
    look->boot = now.machine.boot;
    return 0;
}

int place_check(struct kube *kube, const struct casb_call *call, const struct casb_node *node,
                const char *ran_on, struct casb_identity *ret_boot, struct casb_error *err)
{
    char selector[SELECTOR_BYTES], version[KUBE_VERSION_BYTES], name[SELECTOR_BYTES];
    const struct kube_query query[] = {{"fieldSelector", selector}, {NULL, NULL}};
    struct look look = {.node = node};
    int r;

    if (strcmp(ran_on, node->name) != 0)
        return err_set(err, CASB_EFAILED, "it runs on node '%s'",
                       text_clean(name, sizeof name, ran_on));
    snprintf(selector, sizeof selector, "metadata.name=%s", node->name);
    r = kube_list(kube, call, "/api/v1/nodes", query, on_node, &look, version, err);
    if (r < 0)
        return err_wrap(err, r, "another look at the node");
    if (!look.found)
        return err_set(err, CASB_EFAILED, "node is gone");
    if (!look.same)
        return err_set(err, CASB_EFAILED, "node was replaced");
    if (identity_is_known(&look.boot))
        *ret_boot = look.boot;
    return 0;
}
