/* SPDX-License-Identifier: Apache-2.0 */
/* A right that a plugin needs of the Kubernetes API, for its check(). Thread-safe. */
#ifndef KUBE_RIGHT_H
#define KUBE_RIGHT_H

#include "common/kube/kube.h"

#include <cas-backup/plugin.h>

/* Strings are borrowed. */
struct kube_right {
    const char *verb, *group, *resource; /* as in RBAC; group "": core */
    const char *namespace;               /* NULL: of the cluster */
    const char *kustomization;           /* what grants it: "cronjob/base" */
    const char *name;                    /* of the object; NULL: any */
};

/*
 * Asks the API whether we have it, and reports that; where we have not, with what grants it as the
 * remedy.
 */
int right_check(struct kube *kube, const struct casb_call *call, const struct kube_right *right,
                casb_check_fn *found, void *arg, struct casb_error *err) _warn_unused_;

#endif
