/* SPDX-License-Identifier: Apache-2.0 */
/* The settings below `metrics`: where the metrics of a pass go. */
#ifndef CAS_BACKUP_METRICS_SETTINGS_H
#define CAS_BACKUP_METRICS_SETTINGS_H

#include "settings/options.h"

/* Strings are borrowed from the settings. */
struct metrics_settings {
    const char *file;     /* NULL: none is written */
    const char *push_url; /* of a Pushgateway; NULL: nothing is pushed */
    const char *push_job;
    bool per_node;
    const char *cr_name, *cr_namespace; /* of the SCONE Operator's CAS resource; NULL, both: none */
};

/* The table of these settings. */
extern const struct casb_option metrics_options[];

/*
 * Fills *ret from the map that `origin` names, as options_fill() has it, and checks what no type
 * says. CASB_EINVALID names the place.
 */
int metrics_settings_read(const struct options_origin *origin, json_t *trees,
                          struct metrics_settings *ret, struct casb_error *err) _warn_unused_;

#endif
