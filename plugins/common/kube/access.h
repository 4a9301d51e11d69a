/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access to a cluster: which, as whom, over which connections. All clients of a process with the
 * same settings have the same one, so that a kubeconfig is read, and a credential plugin run, once.
 */
#ifndef KUBE_ACCESS_H
#define KUBE_ACCESS_H

#include "common/kube/auth.h"
#include "common/kube/calls.h"
#include "common/kube/kubecontext.h"

#include <stdatomic.h>

#define ACCESS_KEY_TEXTS 8

struct kube_settings;
struct kubeconfig_env;

struct access {
    struct kubecontext *context; /* read-only */
    struct auth *auth;
    struct calls calls;
    atomic_bool json_only; /* something on the way refuses whatever names Protocol Buffers */
    /* what follows is access.c's own */
    char *key[ACCESS_KEY_TEXTS];
    unsigned users;
    struct access *next;
};

/*
 * Gives the access of those who have it with the same settings and environment, or makes it, which
 * reads files but opens no connection. The namespace of the settings makes no difference. Warnings
 * go to the host's log. *ret is given back by access_give_back(). Errors are those of
 * kubeconfig_load() and auth_new(). Thread-safe: others wait while one is made.
 */
int access_take(const struct casb_host *host, const struct kube_settings *settings,
                const struct kubeconfig_env *env, struct access **ret, struct casb_error *err)
    _warn_unused_;

/* The last one ends it, and logs its counters at debug level. */
void access_give_back(const struct casb_host *host, struct access *access);

#endif
