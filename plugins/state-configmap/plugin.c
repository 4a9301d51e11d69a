/* SPDX-License-Identifier: Apache-2.0 */
/* state-configmap: the records in ConfigMaps of a cluster, and a Lease as the lock. */
#include "base/clock.h"
#include "base/label.h"
#include "base/record.h"
#include "base/summary.h"
#include "common/kube/right.h"
#include "state-configmap/configmap.h"
#include "state-configmap/configmap_settings.h"
#include "state-configmap/lease.h"

#include <stddef.h>

#define LEASE_SHORTEST_NS (3 * CLOCK_S) /* there must be time to renew it */
#define LEASE_LONGEST_NS  (3600 * CLOCK_S)

struct state {
    struct kube *kube;
    struct lease *lease;
    struct configmaps maps;
};

#define AT(member) offsetof(struct configmap_settings, member)

static const struct casb_option options[] = {
    {"kubeconfig", CASB_STRING, AT(kubeconfig), .help = "kubeconfig file, in place of KUBECONFIG"},
    {"context", CASB_STRING, AT(context), .help = "context of the kubeconfig"},
    {"namespace", CASB_STRING, AT(namespace), .env = "NAMESPACE",
     .help = "where ConfigMaps and Lease go; default: the context's or the ServiceAccount's"},
    {"lease_duration", CASB_DURATION, AT(lease_duration_ns), "30s",
     .help = "how long the lock of a pass that died is respected; 3s to 1h"},
    {NULL},
};

static void state_close(void *self)
{
    struct state *state = self;

    if (!state)
        return;
    configmaps_free(&state->maps);
    lease_free(state->lease);
    kube_close(state->kube);
    free(state);
}
DEFINE_FREEP(struct state *, state_close)

static int check_settings(const struct configmap_settings *settings, struct casb_error *err)
{
    if (settings->namespace && !label_is_valid(settings->namespace))
        return err_set_setting(err, "namespace", "'%s' is not a DNS-1123 label",
                               settings->namespace);
    if (settings->lease_duration_ns < LEASE_SHORTEST_NS ||
        settings->lease_duration_ns > LEASE_LONGEST_NS)
        return err_set_setting(err, "lease_duration", "it must be from 3s to 1h");
    return 0;
}

static int state_verify(const struct casb_host *host, const void *settings, struct casb_error *err)
{
    (void)host;
    return check_settings(settings, err);
}

static int state_open(const struct casb_host *host, const void *settings, void **ret_self,
                      struct casb_error *err)
{
    const struct configmap_settings *given = settings;
    const struct kube_settings where = {given->kubeconfig, given->context, given->namespace};
    _cleanup_(state_closep) struct state *state = NULL;
    int r = check_settings(given, err);

    if (r)
        return r;
    state = calloc(1, sizeof *state);
    if (!state)
        return err_nomem(err);
    r = kube_open(host, &where, &state->kube, err);
    configmaps_init(&state->maps, host, state->kube);
    if (!r)
        r = lease_new(host, state->kube, given->lease_duration_ns, &state->lease, err);
    if (r)
        return r;
    *ret_self = TAKE_PTR(state);
    return 0;
}

/* What the slots below ask of the API: exactly the rights that a pass needs. */
static int state_check(void *self, const struct casb_call *call, casb_check_fn *found, void *arg,
                       struct casb_error *err)
{
    static const char leases[] = "coordination.k8s.io", base[] = "cronjob/base";
    struct state *state = self;
    const char *namespace = kube_namespace(state->kube), *lock = state->maps.host->instance;
    char first[SHARD_NAME_BYTES]; /* a role may be bound to names */
    const struct kube_right rights[] = {
        {"list", "", "configmaps", namespace, base},
        {"create", "", "configmaps", namespace, base},
        {"patch", "", "configmaps", namespace, base, first},
        {"list", leases, "leases", namespace, base},
        {"get", leases, "leases", namespace, base, lock},
        {"create", leases, "leases", namespace, base},
        {"update", leases, "leases", namespace, base, lock},
        {"delete", leases, "leases", namespace, base, lock},
    };
    int r = 0;

    snprintf(first, sizeof first, "%s-state", lock);
    for (size_t i = 0; i < ELEMENTS(rights) && r == 0; i++)
        r = right_check(state->kube, call, &rights[i], found, arg, err);
    return r;
}

/*
 * A command that ends by CASB_EINVALID blames the settings, and by CASB_ECONFLICT a lock that
 * another pass holds. What the API answered or refused is neither.
 */
static int settle(int r, struct casb_error *err)
{
    if (r != CASB_EINVALID && (r != CASB_ECONFLICT || !err || !err->http))
        return r;
    if (err)
        err->code = CASB_EFAILED;
    return CASB_EFAILED;
}

static int state_lock(void *self, const struct casb_call *call, casb_lost_fn *lost, void *arg,
                      struct casb_error *err)
{
    struct state *state = self;

    return settle(lease_take(state->lease, call, lost, arg, err), err);
}

static int state_load(void *self, const struct casb_call *call, casb_record_fn *each, void *arg,
                      struct casb_error *err)
{
    struct state *state = self;

    return settle(configmaps_load(&state->maps, call, each, arg, err), err);
}

static int state_store(void *self, const struct casb_call *call, const struct casb_record *records,
                       size_t count, struct casb_error *err)
{
    struct state *state = self;
    json_auto_t *changes = NULL;
    int r = lease_check(state->lease, err);

    if (!r)
        r = record_changes(records, count, &changes, err);
    return r ? r : configmaps_change(&state->maps, call, changes, NULL, err);
}

static int state_drop(void *self, const struct casb_call *call, const char *const *uids,
                      size_t count, struct casb_error *err)
{
    struct state *state = self;
    json_auto_t *changes = NULL;
    int r = lease_check(state->lease, err);

    if (!r)
        r = record_drops(uids, count, &changes, err);
    return r ? r : settle(configmaps_change(&state->maps, call, changes, NULL, err), err);
}

static int state_load_pass(void *self, const struct casb_call *call, casb_pass_fn *take, void *arg,
                           struct casb_error *err)
{
    struct state *state = self;

    return settle(configmaps_load_pass(&state->maps, call, take, arg, err), err);
}

static int state_store_pass(void *self, const struct casb_call *call, const struct casb_pass *pass,
                            struct casb_error *err)
{
    struct state *state = self;
    _cleanup_(freep) char *text = NULL;
    int r = lease_check(state->lease, err);

    if (!r)
        r = summary_to_text(pass, &text, err);
    return r ? r : configmaps_change(&state->maps, call, NULL, text, err);
}

static int state_unlock(void *self, const struct casb_call *call, struct casb_error *err)
{
    struct state *state = self;

    return lease_give_back(state->lease, call, err);
}

static const struct casb_state_ops ops = {
    .size = sizeof ops,
    .lock = state_lock,
    .load = state_load,
    .store = state_store,
    .drop = state_drop,
    .unlock = state_unlock,
    .load_pass = state_load_pass,
    .store_pass = state_store_pass,
};

CASB_EXPORT const struct casb_plugin casb_plugin = {
    .abi = CASB_ABI,
    .size = sizeof casb_plugin,
    .kind = CASB_STATE,
    .name = "configmap",
    .version = PACKAGE_VERSION,
    .settings_size = sizeof(struct configmap_settings),
    .options = options,
    .open = state_open,
    .close = state_close,
    .check = state_check,
    .verify = state_verify,
    .ops = &ops,
};
