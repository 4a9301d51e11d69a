/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SCONE CLI's configuration file (FACTS: "The SCONE CLI"), from which both registration
 * plugins learn who the primary is and act as its owner. It holds the owner's private key and
 * other secrets, which never appear in an error. Immutable once loaded, so any thread may read it.
 */
#ifndef CAS_CONFIG_H
#define CAS_CONFIG_H

#include "base/buf.h"
#include "base/error.h"

#include <cas-backup/host.h>
#include <cas-backup/registration.h>

#define CAS_CLIENT_PORT 8081 /* of a CAS's client API, where an address names none */

struct cas_config {
    struct buf text;    /* the whole file as it was read: secret */
    struct buf secrets; /* for secrets_mask() */
    char *name;         /* the primary's key in `cas_db` */
    char *url;          /* https://host:port/path without a slash at the end */
    char *dial;         /* host:port to connect to in place of the URL's; NULL: the URL's */
    char *chain;        /* PEM: the primary's CA certificate and its root */
    char *cert;         /* PEM: the owner's certificate */
    char *key;          /* PEM: the owner's private key, secret */
    struct casb_primary primary;
};

/*
 * Where the configuration is: `given`; for NULL ~/.cas/config.json, or ~/.cas/config where only
 * that exists. The caller frees *ret. CASB_EINVALID where $HOME is needed and unset.
 */
int cas_config_path(const char *given, char **ret, struct casb_error *err) _warn_unused_;

/*
 * Reads the file at `path`. `cas` is the primary's name in `cas_db`, or its address as its URL
 * has it; NULL is `default_cas`. With `dial` any other address is one to connect to in place of
 * the default CAS's own; without, it is an error. The primary's id is SHA-256 over its pinned
 * chain. The caller frees *ret. Errors are CASB_EINVALID, also for a file that cannot be read or
 * that trust_check() refuses, and name the file and the key in it; or CASB_ENOMEM.
 */
int cas_config_load(const char *path, const char *cas, bool dial, struct cas_config **ret,
                    struct casb_error *err) _warn_unused_;

/* Warns where everybody on the machine can read the file. */
void cas_config_warn(const struct casb_host *host, const char *path);

/* Wipes and frees the configuration; NULL is fine. */
void cas_config_free(struct cas_config *config);
DEFINE_FREEP(struct cas_config *, cas_config_free)

/*
 * The primary that a session (POLICY/SERVICE) registers with: its id is SHA-256 over
 * "host:port\0policy", since whom the session trusts is fixed in its policy. The services of one
 * policy, register and upgrade, have one owner and one primary (FACTS: "SCONE 6 and 7").
 * CASB_EINVALID where the address is none or too long, or the session has no service.
 */
int cas_session_primary(const char *address, const char *session, struct casb_primary *ret,
                        struct casb_error *err) _warn_unused_;

#endif
