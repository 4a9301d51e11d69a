/* SPDX-License-Identifier: Apache-2.0 */
/* The instance's lock. */
#include "base/file.h"
#include "state-file/file_lock.h"
#include "state-file/state_file.h"

/* The kernel keeps it: it is never lost. */
int store_lock(void *self, const struct casb_call *call, casb_lost_fn *lost, void *arg,
               struct casb_error *err)
{
    struct state_file *state = self;
    int r;

    (void)call;
    (void)lost;
    (void)arg;
    pthread_mutex_lock(&state->lock);
    r = store_look(state, err); /* beside what is no state nothing is made or removed */
    if (!r)
        r = place_make_folders(state->path, err);
    if (!r && state->lock_fd >= 0)
        r = err_set(err, CASB_EINVALID, "the lock is held already");
    if (!r)
        r = file_lock_take(state->lock_path, state->host->holder, &state->lock_fd, err);
    if (!r)
        file_remove_leftovers(state->path);
    pthread_mutex_unlock(&state->lock);
    return r;
}

int store_unlock(void *self, const struct casb_call *call, struct casb_error *err)
{
    struct state_file *state = self;

    (void)call;
    (void)err;
    pthread_mutex_lock(&state->lock);
    closep(&state->lock_fd);
    state->lock_fd = -1;
    pthread_mutex_unlock(&state->lock);
    return 0;
}
