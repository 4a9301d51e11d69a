/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long the chain lasts that is pinned for the primary: a year (FACTS: "The SCONE CLI"). Nobody
 * can verify the primary by one that has expired. Thread-safe.
 */
#ifndef CAS_CHAIN_H
#define CAS_CHAIN_H

#include "common/cas/config.h"

#include <cas-backup/plugin.h>

/*
 * The end of the pinned chain's validity in seconds since 1970, and the subject of the certificate
 * that ends then.
 */
int cas_chain_end(const struct cas_config *config, int64_t *ret_end, char *subject, size_t size,
                  struct casb_error *err) _warn_unused_;

/*
 * Has the pinned chain expired at `now`, in seconds since 1970? Then CASB_EDENIED, with since when
 * and what to do: nobody can verify the primary by it. Where it does so within 30 days *ret_soon,
 * which starts as {0} or is NULL, says when.
 */
int cas_chain_check(const struct cas_config *config, int64_t now, struct casb_error *ret_soon,
                    struct casb_error *err) _warn_unused_;

/* Warns by the host's log of a chain that has expired, or does so soon. */
void cas_chain_warn(const struct cas_config *config, const struct casb_host *host);

/* The finding about the chain, for a plugin's check(). */
void cas_chain_find(const struct cas_config *config, casb_check_fn *found, void *arg);

#endif
