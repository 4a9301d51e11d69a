/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the list of machines from the settings and a hosts file. */
#ifndef DISCOVERY_STATIC_HOSTS_LOAD_H
#define DISCOVERY_STATIC_HOSTS_LOAD_H

#include "discovery-static/hosts.h"

/*
 * Reads `list` (objects with name, address, and an argument list for each command; may be NULL;
 * borrowed as long as the hosts live) and the file at `path` (may be NULL): a machine a line, name
 * and address, then KEY=LIST for commands, the list in JSON; '#' begins a comment. CASB_EINVALID
 * with "hosts[INDEX]" or "FILE:LINE:COLUMN" in front, also for a name given twice. The caller
 * frees *ret by hosts_free().
 */
int hosts_load(const json_t *list, const char *path, struct hosts *ret, struct casb_error *err)
    _warn_unused_;

#endif
