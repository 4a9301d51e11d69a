/* SPDX-License-Identifier: Apache-2.0 */
/* What the plugin's options fill. */
#ifndef STATE_CONFIGMAP_CONFIGMAP_SETTINGS_H
#define STATE_CONFIGMAP_CONFIGMAP_SETTINGS_H

#include <stdint.h>

struct configmap_settings {
    const char *kubeconfig;
    const char *context;
    const char *namespace;
    int64_t lease_duration_ns;
};

#endif
