/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/check.h"

#include "base/jsonx.h"
#include "base/text.h"
#include "common/kube/right.h"
#include "discovery-kubernetes/api.h"
#include "discovery-kubernetes/discovery.h"

#include <string.h>

static int check_needs(const struct discovery *d, const struct casb_call *call,
                       casb_check_fn *found, void *arg, struct casb_error *err)
{
    static const char base[] = "cronjob/base", of_las[] = "cronjob/las",
                      of_events[] = "cronjob/events",
                      of_label[] = "FOLDER with the component cronjob/label";
    const char *pods = d->plan.namespace, *las = d->settings->las_namespace;
    const bool by_las = d->las != NULL, events = d->settings->events, label = d->settings->label;
    const struct {
        struct kube_right right;
        bool wanted; /* by the settings */
    } needs[] = {
        {{"list", "", "nodes", NULL, base}, true},
        {{"create", "", "pods", pods, base}, true},
        {{"get", "", "pods", pods, base}, true},
        {{"list", "", "pods", pods, base}, true},
        {{"watch", "", "pods", pods, base}, true},
        {{"delete", "", "pods", pods, base}, true},
        {{"list", "", "pods", las, of_las}, by_las},
        {{"get", "", "pods/log", las, of_las}, by_las},
        {{"patch", "", "nodes", NULL, of_label}, label},
        {{"create", EVENTS_GROUP, "events", EVENTS_NAMESPACE, of_events}, events},
        {{"create", EVENTS_GROUP, "events", EVENTS_BEFORE, of_events}, events},
    };
    int r = 0;

    for (size_t i = 0; i < ELEMENTS(needs) && r == 0; i++)
        if (needs[i].wanted)
            r = right_check(d->kube, call, &needs[i].right, found, arg, err);
    return r;
}

const char *check_image(const char *image, bool *ret_good)
{
    *ret_good = true;
    if (strstr(image, "cas.preprovisioned") || strstr(image, "cas-preprovisioned")) {
        *ret_good = false;
        return "a preprovisioned CAS is never unprovisioned, so it cannot be a backup: set `image` "
               "to the primary's own";
    }
    if (text_equal(image, CHECK_DEFAULT_IMAGE))
        return "this is the default, a SCONE 5, which stopped attesting at the end of October "
               "2025: "
               "set `image` to the primary's own";
    return NULL;
}

/* Says something only where there is something to say. */
static void find_image(const struct discovery *d, casb_check_fn *found, void *arg)
{
    const char *image = pod_image(d->sample), *said;
    char what[320];
    struct casb_finding finding = {
        .what = what, .remedy = "set `image` (BACKUP_CAS_IMAGE) to the primary's own image"};

    said = image ? check_image(image, &finding.good) : NULL;
    if (!said)
        return;
    snprintf(what, sizeof what, "image '%s'", image);
    finding.detail = said;
    found(&finding, arg);
}

/* Whom the findings about other controllers go to. */
struct rivals {
    casb_check_fn *found;
    void *arg;
};

static int on_rival(const json_t *pod, void *arg)
{
    const struct rivals *rivals = arg;
    const char *phase = jsonx_string(pod, "status.phase");
    char what[600];

    if (text_equal(phase, "Succeeded") || text_equal(phase, "Failed"))
        return 0;
    snprintf(what, sizeof what, "backup controller '%s/%s'",
             jsonx_string(pod, "metadata.namespace"), jsonx_string(pod, "metadata.name"));
    rivals->found(
        &(struct casb_finding){
            .what = what,
            .good = true,
            .detail = "it and cas-backup must not both work for one primary: stop one"},
        rivals->arg);
    return 0;
}

/*
 * Names the pods of the original controller in a namespace; NULL: in all of them. *ret_looked is
 * false where we may not list pods.
 */
static int find_rivals_in(const struct discovery *d, const struct casb_call *call,
                          const char *namespace, struct rivals *rivals, bool *ret_looked,
                          struct casb_error *err)
{
    static const struct kube_query query[] = {
        {"labelSelector", "app.kubernetes.io/name in (bc,backup-controller,cas-backup-controller)"},
        {NULL, NULL}};
    _cleanup_(freep) char *path = NULL;
    char version[KUBE_VERSION_BYTES];
    int r;

    r = kube_allowed(d->kube, call, "list", "", "pods", namespace, NULL, ret_looked, err);
    if (r < 0 || !*ret_looked)
        return r;
    if (namespace)
        r = api_pods_path(namespace, NULL, NULL, &path, err);
    if (r < 0)
        return r;
    return kube_list(d->kube, call, namespace ? path : "/api/v1/pods", query, on_rival, rivals,
                     version, err);
}

/* Looks where we may look: nobody needs more rights for this. */
static int find_rivals(const struct discovery *d, const struct casb_call *call,
                       casb_check_fn *found, void *arg, struct casb_error *err)
{
    const char *pods = d->plan.namespace, *las = d->settings->las_namespace;
    struct rivals rivals = {found, arg};
    bool looked;
    int r;

    r = find_rivals_in(d, call, NULL, &rivals, &looked, err);
    if (r < 0 || looked)
        return r;
    r = find_rivals_in(d, call, pods, &rivals, &looked, err);
    if (r < 0 || !d->las || text_equal(pods, las))
        return r;
    return find_rivals_in(d, call, las, &rivals, &looked, err);
}

int check_discovery(void *self, const struct casb_call *call, casb_check_fn *found, void *arg,
                    struct casb_error *err)
{
    const struct discovery *d = self;
    int r;

    find_image(d, found, arg);
    r = check_needs(d, call, found, arg, err);
    return r < 0 ? r : find_rivals(d, call, found, arg, err);
}
