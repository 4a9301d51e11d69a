/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything a command works with: the settings and the plugins they name, opened. src/ knows
 * no Kubernetes and no CAS; it only calls these slots.
 */
#ifndef CAS_BACKUP_TOOL_H
#define CAS_BACKUP_TOOL_H

#include "base/error.h"
#include "base/text.h"
#include "settings.h"

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
    bool open;
};

/* Opened plugins point into it: it must stay where it is until tool_close(). */
struct tool {
    const struct settings *settings;
    char instance[TEXT_LABEL_BYTES];
    char holder[256]; /* who this pass is: POD_NAME or the host's name, with POD_UID or pid */
    struct casb_primary primary;
    struct plugin registration;
    struct plugin state;
    struct plugin *sources;
    size_t n_sources;
};

/*
 * Loads and opens: registration first, since it knows the primary from whose address the
 * instance's name is made (until then host->instance is ""); then sources and state. CASB_EINVALID:
 * the settings are wrong (exit 2); other classes: exit 3.
 */
int tool_open(const struct settings *settings, struct tool *ret, struct casb_error *err)
    _warn_unused_;

/* Closes what is open. */
void tool_close(struct tool *tool);

/* The slots of an opened source. */
const struct casb_discovery_ops *tool_discovery(const struct plugin *source);

/* The slots of the registration plugin. */
const struct casb_registration_ops *tool_registration(const struct tool *tool);

/* The slots of the state plugin. */
const struct casb_state_ops *tool_state(const struct tool *tool);

#endif
