/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything a command works with: the settings and the plugins they name, opened. src/ knows
 * no Kubernetes and no CAS; it only calls these slots.
 */
#ifndef CAS_BACKUP_PLUGINS_H
#define CAS_BACKUP_PLUGINS_H

#include "base/error.h"
#include "base/label.h"
#include "settings/settings.h"

#include <cas-backup/discovery.h>
#include <cas-backup/registration.h>
#include <cas-backup/state.h>

/* One opened plugin. */
struct plugin {
    const struct casb_plugin *descriptor;
    struct casb_host host;
    void *self;
    void *values;  /* its settings struct, filled from its option table */
    json_t *trees; /* what `values` points into besides the settings file */
    char *release; /* of a source: what its machines are registered for */
    bool open;
};

/* Opened plugins point into it: it must stay where it is until plugins_close(). */
struct plugins {
    const struct settings *settings;
    char instance[LABEL_BYTES];
    char holder[256]; /* who this pass is: POD_NAME or the host's name, with POD_UID or pid */
    struct casb_primary primary;
    struct plugin registration;
    struct plugin state;
    struct plugin *sources;
    size_t n_sources;
};

/* What the plugins are opened for. */
enum plugins_use {
    PLUGINS_ALL,
    PLUGINS_KNOWN, /* nothing is registered: what the state knows will do */
};

/*
 * Loads all and opens them. With PLUGINS_KNOWN the registration plugin, which may want the owner's
 * key, is left closed and `primary` empty, but where `settings` has neither `instance` nor the
 * `cas` from which that is made: then, as with PLUGINS_ALL, it is opened first, since it knows the
 * primary from whose address the instance's name is made (until then host->instance is "").
 * CASB_EINVALID: the settings are wrong (exit 2); other classes: exit 3.
 */
int plugins_open(const struct settings *settings, enum plugins_use use, struct plugins *ret,
                 struct casb_error *err) _warn_unused_;

/* Is told of one plugin's settings: err->code is 0 where they are right. All borrowed. */
typedef void plugins_verified_fn(enum casb_kind kind, const struct plugin_ref *ref,
                                 const struct casb_error *err, void *arg);

/*
 * Looks at the settings of every plugin that they name, and at the options that are for plugins,
 * and tells `each`. No plugin is opened: there is no connection, no key and no program.
 */
void plugins_verify(const struct settings *settings, plugins_verified_fn *each, void *arg);

/* Opens the registration plugin that PLUGINS_KNOWN left closed, and asks it for the primary. */
int plugins_open_registration(struct plugins *plugins, struct casb_error *err) _warn_unused_;

/* Closes what is open. */
void plugins_close(struct plugins *plugins);

/* The opened source of this name; NULL: none. */
struct plugin *plugins_source(const struct plugins *plugins, const char *name);

/* The slots of an opened source. */
const struct casb_discovery_ops *plugins_discovery(const struct plugin *source);

/* The slots of the registration plugin, which may be closed. */
const struct casb_registration_ops *plugins_registration(const struct plugins *plugins);

/* The slots of the state plugin. */
const struct casb_state_ops *plugins_state(const struct plugins *plugins);

#endif
