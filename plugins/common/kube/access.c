/* SPDX-License-Identifier: Apache-2.0 */
#include "common/kube/access.h"

#include "common/kube/kube.h"
#include "common/kube/kubeconfig.h"

#include "base/plog.h"
#include "base/text.h"

#include <pthread.h>

/* For all who use this library in a process: where a plugin linked a copy, it would be alone. */
static struct {
    pthread_mutex_t lock; /* guards the list, and what is access.c's own in its members */
    struct access *first;
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* All that kubeconfig_load() looks at. */
static void key_of(const struct kube_settings *settings, const struct kubeconfig_env *env,
                   const char *ret[static ACCESS_KEY_TEXTS])
{
    ret[0] = settings->kubeconfig;
    ret[1] = settings->context;
    ret[2] = env->kubeconfig;
    ret[3] = env->home;
    ret[4] = env->service_host;
    ret[5] = env->service_port;
    ret[6] = env->pod_namespace;
    ret[7] = env->account_dir;
}

static bool is_same(const struct access *access, const char *const key[static ACCESS_KEY_TEXTS])
{
    for (size_t i = 0; i < ACCESS_KEY_TEXTS; i++)
        if (!text_equal(access->key[i], key[i]))
            return false;
    return true;
}

static void access_free(struct access *access)
{
    if (!access)
        return;
    auth_free(access->auth);
    kubecontext_free(access->context);
    calls_free(&access->calls);
    for (size_t i = 0; i < ACCESS_KEY_TEXTS; i++)
        free(access->key[i]);
    free(access);
}
DEFINE_FREEP(struct access *, access_free)

static int access_new(const char *const key[static ACCESS_KEY_TEXTS], struct access **ret)
{
    _cleanup_(access_freep) struct access *access = NULL;
    struct access *raw = calloc(1, sizeof *raw);
    int r = 0;

    if (!raw || calls_init(&raw->calls)) {
        free(raw);
        return CASB_ENOMEM;
    }
    access = raw;
    for (size_t i = 0; i < ACCESS_KEY_TEXTS && !r; i++)
        r = text_dup(key[i], &access->key[i]);
    if (r)
        return r;
    *ret = TAKE_PTR(access);
    return 0;
}

static int fill(struct access *access, const struct casb_host *host,
                const struct kube_settings *settings, const struct kubeconfig_env *env,
                struct casb_error *err)
{
    int r = kubeconfig_load(host, settings, env, &access->context, err);

    return r ? r : auth_new(host, access->context, &access->auth, err);
}

/* Called and left with the lock held. */
static int find_or_make(const struct casb_host *host, const struct kube_settings *settings,
                        const struct kubeconfig_env *env, struct access **ret,
                        struct casb_error *err)
{
    _cleanup_(access_freep) struct access *made = NULL;
    const char *key[ACCESS_KEY_TEXTS];
    int r;

    key_of(settings, env, key);
    for (struct access *access = shared.first; access; access = access->next) {
        if (is_same(access, key)) {
            *ret = access;
            return 0;
        }
    }
    if (access_new(key, &made))
        return err_nomem(err);
    r = fill(made, host, settings, env, err);
    if (r)
        return r;
    made->next = shared.first;
    *ret = shared.first = TAKE_PTR(made);
    return 0;
}

int access_take(const struct casb_host *host, const struct kube_settings *settings,
                const struct kubeconfig_env *env, struct access **ret, struct casb_error *err)
{
    int r;

    pthread_mutex_lock(&shared.lock);
    r = find_or_make(host, settings, env, ret, err);
    if (!r)
        (*ret)->users++;
    pthread_mutex_unlock(&shared.lock);
    return r;
}

static void unlist(const struct access *access)
{
    struct access **at = &shared.first;

    while (*at != access)
        at = &(*at)->next;
    *at = access->next;
}

static void log_calls(const struct casb_host *host, struct access *access)
{
    _cleanup_(freep) char *text = calls_dump(&access->calls);

    if (text)
        plog(host, CASB_DEBUG, NULL, "api calls: %s", text);
}

void access_give_back(const struct casb_host *host, struct access *access)
{
    _cleanup_(access_freep) struct access *unused = NULL;

    pthread_mutex_lock(&shared.lock);
    if (--access->users == 0) {
        unlist(access);
        unused = access;
    }
    pthread_mutex_unlock(&shared.lock);
    if (unused)
        log_calls(host, access);
}
