/* SPDX-License-Identifier: Apache-2.0 */
#include "common/kube/right.h"

#include <stdio.h>

#define PLACE_BYTES  320
#define WHAT_BYTES   400
#define REMEDY_BYTES 640

int right_check(struct kube *kube, const struct casb_call *call, const struct kube_right *right,
                casb_check_fn *found, void *arg, struct casb_error *err)
{
    char place[PLACE_BYTES] = "", what[WHAT_BYTES], remedy[REMEDY_BYTES];
    struct casb_finding finding = {.what = what};
    int r = kube_allowed(kube, call, right->verb, right->group, right->resource, right->namespace,
                         right->name, &finding.good, err);

    if (r)
        return r;
    if (right->namespace)
        snprintf(place, sizeof place, " in namespace '%s'", right->namespace);
    snprintf(what, sizeof what, "%s %s%s", right->verb, right->resource, place);
    snprintf(remedy, sizeof remedy,
             "kubectl apply -k %s, or add to a %s%s: {apiGroups: [\"%s\"], resources: [%s], "
             "verbs: [%s]}",
             right->kustomization, right->namespace ? "Role" : "ClusterRole", place, right->group,
             right->resource, right->verb);
    if (!finding.good) {
        finding.detail = "the API server does not allow it";
        finding.remedy = remedy;
    }
    found(&finding, arg);
    return 0;
}
