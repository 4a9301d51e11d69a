/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/unblock.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

/* By the words of nodes.c: what comes before the node's name, and after it. */
static const struct {
    const char *word, *before, *after;
} remedies[] = {
    {"unschedulable", "kubectl uncordon ", ""},
    {"not-ready", "kubectl describe node ", ""},
    {"untolerated-taint", "kubectl describe node ",
     ", and take the taint off, or set a toleration in `pod: {spec: {tolerations: [...]}}`"},
    {"no-sgx-resource", "kubectl describe node ",
     ", and see that a device plugin gives it what `sgx_resource` and `container` ask for"},
    {"pod-node-selector", "kubectl get node ",
     " --show-labels, and compare with the nodeSelector and node affinity in `pod`"},
};

void unblock_node(void *self, const struct casb_node *node, char *ret, size_t size)
{
    const char *reason = node->excluded ? node->excluded : node->blocked;

    (void)self;
    ret[0] = '\0';
    for (size_t i = 0; reason && i < ELEMENTS(remedies); i++)
        if (strncmp(reason, remedies[i].word, strlen(remedies[i].word)) == 0)
            snprintf(ret, size, "%s%s%s", remedies[i].before, node->name, remedies[i].after);
}
