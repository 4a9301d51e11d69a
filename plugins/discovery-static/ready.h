/* SPDX-License-Identifier: Apache-2.0 */
/* Is a backup CAS ready? It is where TCP connects. Thread-safe. */
#ifndef DISCOVERY_STATIC_READY_H
#define DISCOVERY_STATIC_READY_H

#include "base/error.h"

#include <cas-backup/host.h>

/*
 * Connects to HOST:PORT (an IPv6 host in brackets) until it works, and closes the connection.
 * CASB_ETIMEOUT, with what the last try met, where it does not work before the deadline.
 */
int ready_wait(const struct casb_call *call, const char *address, struct casb_error *err)
    _warn_unused_;

#endif
