/* SPDX-License-Identifier: Apache-2.0 */
/* The state plugin "file": what its parts share, and its slots. */
#ifndef STATE_FILE_STATE_FILE_H
#define STATE_FILE_STATE_FILE_H

#include "base/cleanup.h"
#include "base/error.h"

#include <cas-backup/state.h>

#include <pthread.h>

struct state_file_settings {
    const char *path;
};

struct state_file {
    const struct casb_host *host;
    char *path;
    char *lock_path;
    pthread_mutex_t lock; /* guards lock_fd and the file's change from one version to the next */
    int lock_fd;          /* -1: the instance's lock is not held */
};

/* casb_state_ops.lock; `self` is a struct state_file, here and below. */
int store_lock(void *self, const struct casb_call *call, casb_lost_fn *lost, void *arg,
               struct casb_error *err);
/* casb_state_ops.load */
int store_load(void *self, const struct casb_call *call, casb_record_fn *each, void *arg,
               struct casb_error *err);
/* casb_state_ops.store */
int store_store(void *self, const struct casb_call *call, const struct casb_record *records,
                size_t count, struct casb_error *err);
/* casb_state_ops.drop */
int store_drop(void *self, const struct casb_call *call, const char *const *uids, size_t count,
               struct casb_error *err);
/* casb_state_ops.unlock */
int store_unlock(void *self, const struct casb_call *call, struct casb_error *err);
/* casb_state_ops.load_pass */
int store_load_pass(void *self, const struct casb_call *call, casb_pass_fn *take, void *arg,
                    struct casb_error *err);
/* casb_state_ops.store_pass */
int store_store_pass(void *self, const struct casb_call *call, const struct casb_pass *pass,
                     struct casb_error *err);

/*
 * May what stands at the state's path be the state, or is there nothing? CASB_EINVALID or
 * CASB_EDENIED where it may not, and CASB_EFAILED where it may but is another's text.
 */
int store_look(const struct state_file *state, struct casb_error *err) _warn_unused_;

/*
 * Where the file is by default, which the caller frees: in $STATE_DIRECTORY (systemd.exec(5)),
 * for root in /var/lib/cas-backup, else in $XDG_STATE_HOME/cas-backup (XDG Base Directory
 * Specification). CASB_EINVALID where no such place is known.
 */
int place_default(const char *instance, bool root, char **ret_path, struct casb_error *err)
    _warn_unused_;

/* Makes the folders that lead to `path`, for their owner only (file_give_to_folder() says whom). */
int place_make_folders(const char *path, struct casb_error *err) _warn_unused_;

/* casb_plugin.check: whether the state can be read and written. Changes nothing. */
int check_state(void *self, const struct casb_call *call, casb_check_fn *found, void *arg,
                struct casb_error *err) _warn_unused_;

#endif
