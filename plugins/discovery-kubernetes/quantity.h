/* SPDX-License-Identifier: Apache-2.0 */
/* Kubernetes quantities. Pure and thread-safe. */
#ifndef DISCOVERY_KUBERNETES_QUANTITY_H
#define DISCOVERY_KUBERNETES_QUANTITY_H

#include "base/cleanup.h"

/*
 * Reads a quantity: "20", "1k", "0.5", "93Mi", "1e3", "500m"
 * (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/). Exact for
 * whole numbers below 2^53. Returns 0 or CASB_EINVALID.
 */
int quantity_parse(const char *text, double *ret) _warn_unused_;

#endif
