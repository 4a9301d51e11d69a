/* SPDX-License-Identifier: Apache-2.0 */
/* Looks whether the commands could be run. */
#ifndef DISCOVERY_STATIC_CHECK_H
#define DISCOVERY_STATIC_CHECK_H

#include "discovery-static/commands.h"

#include <cas-backup/plugin.h>

/* Reports every program that a command names, once, and whether it is there. */
int check_programs(const struct commands *commands, const struct hosts *hosts, casb_check_fn *found,
                   void *arg, struct casb_error *err) _warn_unused_;

#endif
