/* SPDX-License-Identifier: Apache-2.0 */
/* Which share of the nodes a command works on: by its option, or by the pod of an indexed Job. */
#ifndef CAS_BACKUP_SHARE_SETTING_H
#define CAS_BACKUP_SHARE_SETTING_H

#include "base/error.h"
#include "settings/request.h"

#include <cas-backup/host.h>

/*
 * --shard I/N, else JOB_COMPLETION_INDEX and CAS_BACKUP_SHARDS where both are set; all nodes where
 * neither is, or where the command does not share them. CASB_EINVALID, naming where it came from.
 */
int share_setting_read(const struct request *request, char *const *env, struct casb_share *ret,
                       struct casb_error *err) _warn_unused_;

#endif
