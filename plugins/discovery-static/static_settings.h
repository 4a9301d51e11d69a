/* SPDX-License-Identifier: Apache-2.0 */
/* What the plugin's options fill. */
#ifndef DISCOVERY_STATIC_STATIC_SETTINGS_H
#define DISCOVERY_STATIC_STATIC_SETTINGS_H

#include "discovery-static/hosts.h"

struct static_settings {
    const json_t *hosts;
    const char *hosts_file;
    const json_t *commands[COMMANDS];
    int64_t ready_timeout_ns;
    int64_t command_timeout_ns;
};

#endif
