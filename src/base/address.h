/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of servers: HOST or HOST:PORT. Pure and thread-safe. */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include "base/cleanup.h"
#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Splits HOST or HOST:PORT, an IPv6 host in brackets where a port follows (bare "::1" is a host
 * too). host gets no brackets; *ret_port is `default_port` where none is given, or an empty one.
 * The host must be an IP address or a DNS name (RFC 1123, and '_' as in container names), which
 * keeps its final dot. Returns 0 or CASB_EINVALID.
 */
int address_parse(const char *text, uint16_t default_port, char host[static 256],
                  uint16_t *ret_port) _warn_unused_;

/* How long it is without the final dot that a name may have. */
size_t address_host_length(const char *host);

/* Are they one host? It is written in letters of any case, and with or without a final dot. */
bool address_same_host(const char *a, const char *b);

/* Writes host:port, a host with ':' in brackets. Returns 0, or CASB_EINVALID where it is too long.
 */
int address_join(char *out, size_t size, const char *host, uint16_t port) _warn_unused_;

#endif
