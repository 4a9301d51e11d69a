/* SPDX-License-Identifier: Apache-2.0 */
/* What the API server wants of an Event. */
#ifndef SANDBOX_KUBE_EVENT_H
#define SANDBOX_KUBE_EVENT_H

#include <jansson.h>

/*
 * What is wrong with a new events.k8s.io/v1 Event, static; NULL: nothing (Kubernetes,
 * pkg/apis/core/validation/events.go).
 */
const char *event_fault(const json_t *event);

#endif
