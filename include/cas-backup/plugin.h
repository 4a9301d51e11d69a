/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The descriptor of a cas-backup plugin.
 *
 * A plugin is one shared object, KIND-NAME.so, that exports exactly one symbol: the constant
 * `casb_plugin`. The host opens it with RTLD_NOW | RTLD_LOCAL and refuses it when `abi` is not
 * its own, a size is smaller than it needs, kind or name do not match the file's name, or a
 * required slot is missing.
 *
 * Rules for both sides:
 * - Arguments live for the call only. What one side allocates the other never frees: results go
 *   to a callback or into a buffer of the caller's.
 * - Calls block and take a struct casb_call. Every slot may be called from several threads at
 *   once, but for open() and close().
 * - A plugin keeps its state behind `self`, never in static data: one pass may open it twice.
 * - A plugin neither exits, prints, changes the environment nor touches signal dispositions.
 * - On failure outputs are untouched and *err says why.
 *
 * Promise, from the first tagged version on: within one CASB_ABI structs only grow at their end,
 * and a member that is all zero means what its absence meant before.
 */
#ifndef CAS_BACKUP_PLUGIN_H
#define CAS_BACKUP_PLUGIN_H

#include <cas-backup/error.h>
#include <cas-backup/host.h>
#include <cas-backup/option.h>

#include <stdint.h>

#define CASB_ABI 2

enum casb_kind {
    CASB_DISCOVERY = 1,    /* ops is struct casb_discovery_ops */
    CASB_REGISTRATION = 2, /* ops is struct casb_registration_ops */
    CASB_STATE = 3,        /* ops is struct casb_state_ops */
};

/* One finding of check(). Strings are borrowed; detail and remedy may be NULL. */
struct casb_finding {
    const char *what;   /* what was looked at: "create pods in namespace 'default'" */
    bool good;          /* it is as it must be */
    const char *detail; /* why it is not, or what is worth a look all the same */
    const char *remedy; /* what to do where it is not: a command, or a line to add somewhere */
};

/* Receives a finding, borrowed for this call. */
typedef void casb_check_fn(const struct casb_finding *finding, void *arg);

/*
 * Makes an instance from checked settings. `settings` is filled from `options` and stays valid
 * until close(). Opens no connection that a plain --help could not afford; whatever needs the
 * other side happens in the slots. *ret_self is passed to every slot and to close().
 * Returns 0, or a class with *err set: the pass ends with exit status 2 (CASB_EINVALID) or 3.
 */
typedef int casb_open_fn(const struct casb_host *host, const void *settings, void **ret_self,
                         struct casb_error *err);

/* Frees the instance; called once, after all other calls returned. */
typedef void casb_close_fn(void *self);

/*
 * Looks at everything the plugin needs (access, permissions, programs) without changing
 * anything, and reports each finding to `found`. Returns 0 when it could look, whatever it
 * found.
 */
typedef int casb_check_slot_fn(void *self, const struct casb_call *call, casb_check_fn *found,
                               void *arg, struct casb_error *err);

/*
 * Checks what the table of options cannot say, by the settings alone: it reads no credential, runs
 * nothing and connects to nobody. CASB_EINVALID, with the setting in *err. open() refuses the same.
 */
typedef int casb_verify_fn(const struct casb_host *host, const void *settings,
                           struct casb_error *err);

struct casb_plugin {
    uint32_t abi;  /* CASB_ABI */
    uint32_t size; /* sizeof(struct casb_plugin) */
    uint32_t kind; /* enum casb_kind; these three come first and never move */
    const char *name;
    const char *version;
    size_t settings_size; /* of the struct that the options fill */
    const struct casb_option *options;
    casb_open_fn *open;
    casb_close_fn *close;
    casb_check_slot_fn *check; /* may be NULL */
    casb_verify_fn *verify;    /* may be NULL */
    const void *ops;           /* by kind; each begins with its own size */
};

/* Define it as: CASB_EXPORT const struct casb_plugin casb_plugin = {...}; */
#define CASB_EXPORT __attribute__((visibility("default")))
extern CASB_EXPORT const struct casb_plugin casb_plugin;

#endif
