/* SPDX-License-Identifier: Apache-2.0 */
/* What a pass has to do with the registration plugin besides registering. */
#ifndef CAS_BACKUP_REGISTRAR_H
#define CAS_BACKUP_REGISTRAR_H

#include "pass/turn.h"

/*
 * Has the plugin look at its settings before anything is spawned. CASB_EINVALID: the other side
 * does not take them. Nothing where it is not open: then nothing is registered either.
 */
int registrar_prepare(struct pass *pass, struct casb_error *err) _warn_unused_;

/* Notes in the report what registers, unless the pass is over. */
void registrar_describe(struct pass *pass);

#endif
