/* SPDX-License-Identifier: Apache-2.0 */
/* What check() looks at: permissions, the image, and who else may be at work. */
#ifndef DISCOVERY_KUBERNETES_CHECK_H
#define DISCOVERY_KUBERNETES_CHECK_H

#include "base/cleanup.h"

#include <cas-backup/plugin.h>

/* The image that is taken where none is set; the original controller's. */
#define CHECK_DEFAULT_IMAGE "registry.scontain.com:5050/sconecuratedimages/services:cas-scone5"

/* casb_plugin.check. */
int check_discovery(void *self, const struct casb_call *call, casb_check_fn *found, void *arg,
                    struct casb_error *err) _warn_unused_;

/*
 * What is to be said of the image of the backup CAS; NULL: nothing. *ret_good is false where it
 * cannot be one (FACTS: "SCONE 6 and 7"). Static, pure.
 */
const char *check_image(const char *image, bool *ret_good);

#endif
