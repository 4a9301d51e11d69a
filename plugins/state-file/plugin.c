/* SPDX-License-Identifier: Apache-2.0 */
/* state-file: the records in one JSON file, for passes that run on one machine. */
#include "base/text.h"
#include "state-file/state_file.h"

#include <stddef.h>

static const struct casb_option options[] = {
    {"path", CASB_STRING, offsetof(struct state_file_settings, path),
     .help = "the state file; default: INSTANCE.json in $STATE_DIRECTORY, /var/lib/cas-backup, or "
             "a user's ~/.local/state/cas-backup"},
    {NULL},
};

static void state_close(void *self)
{
    struct state_file *state = self;

    if (!state)
        return;
    closep(&state->lock_fd);
    pthread_mutex_destroy(&state->lock);
    free(state->lock_path);
    free(state->path);
    free(state);
}
DEFINE_FREEP(struct state_file *, state_close)

static int find_paths(struct state_file *state, const char *given, struct casb_error *err)
{
    int r = given ? text_dup(given, &state->path)
                  : place_default(state->host->instance, geteuid() == 0, &state->path, err);

    if (r)
        return r == CASB_ENOMEM ? err_nomem(err) : r;
    if (asprintf(&state->lock_path, "%s.lock", state->path) >= 0)
        return 0;
    state->lock_path = NULL;
    return err_nomem(err);
}

static int state_open(const struct casb_host *host, const void *settings, void **ret_self,
                      struct casb_error *err)
{
    const struct state_file_settings *given = settings;
    _cleanup_(state_closep) struct state_file *state = calloc(1, sizeof *state);
    int r;

    if (!state)
        return err_nomem(err);
    state->host = host;
    state->lock_fd = -1;
    pthread_mutex_init(&state->lock, NULL);
    r = find_paths(state, given->path, err);
    if (r)
        return r;
    *ret_self = TAKE_PTR(state);
    return 0;
}

static const struct casb_state_ops ops = {
    .size = sizeof ops,
    .lock = store_lock,
    .load = store_load,
    .store = store_store,
    .drop = store_drop,
    .unlock = store_unlock,
    .load_pass = store_load_pass,
    .store_pass = store_store_pass,
};

CASB_EXPORT const struct casb_plugin casb_plugin = {
    .abi = CASB_ABI,
    .size = sizeof casb_plugin,
    .kind = CASB_STATE,
    .name = "file",
    .version = PACKAGE_VERSION,
    .settings_size = sizeof(struct state_file_settings),
    .options = options,
    .open = state_open,
    .close = state_close,
    .check = check_state,
    .ops = &ops,
};
