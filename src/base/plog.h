/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin's log lines: formatted, then handed to the host. Thread-safe. */
#ifndef BASE_PLOG_H
#define BASE_PLOG_H

#include "base/cleanup.h"

#include <cas-backup/host.h>

/* `node` names the node that the line is about, or is NULL. See casb_host.log. */
void plog(const struct casb_host *host, enum casb_level level, const char *node, const char *format,
          ...) _printf_(4, 5);

#endif
