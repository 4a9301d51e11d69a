/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/share_setting.h"

#include "base/cleanup.h"
#include "base/share.h"
#include "settings/options.h"

#include <string.h>

#define INDEX "JOB_COMPLETION_INDEX" /* Kubernetes, "Indexed Job" */
#define COUNT "CAS_BACKUP_SHARDS"

static int read_option(const char *shard, struct casb_share *ret, struct casb_error *err)
{
    char index[16];
    const char *slash = strchr(shard, '/');
    int r;

    if (!slash || (size_t)(slash - shard) >= sizeof index)
        return err_set(err, CASB_EINVALID, "--shard: expected I/N, got '%s'", shard);
    snprintf(index, sizeof index, "%.*s", (int)(slash - shard), shard);
    r = share_parse(index, slash + 1, ret, err);
    return r ? err_wrap(err, r, "--shard") : 0;
}

int share_setting_read(const struct request *request, char *const *env, struct casb_share *ret,
                       struct casb_error *err)
{
    const char *index = options_env(env, INDEX), *count = options_env(env, COUNT);
    int r;

    if (!request->shares)
        return 0;
    if (request->shard)
        return read_option(request->shard, ret, err);
    if (!index || !count)
        return 0;
    r = share_parse(index, count, ret, err);
    return r ? err_wrap(err, r, INDEX ", " COUNT) : 0;
}
