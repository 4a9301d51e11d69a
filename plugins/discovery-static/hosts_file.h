/* SPDX-License-Identifier: Apache-2.0 */
/* The hosts file: a machine a line. */
#ifndef DISCOVERY_STATIC_HOSTS_FILE_H
#define DISCOVERY_STATIC_HOSTS_FILE_H

#include "discovery-static/hosts.h"

/* Adds the machines of the file at `path`. CASB_EINVALID with "FILE:LINE:COLUMN" in front. */
int hosts_file_load(struct hosts *hosts, const char *path, struct casb_error *err) _warn_unused_;

#endif
