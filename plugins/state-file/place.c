/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/process.h"
#include "base/text.h"
#include "state-file/state_file.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static int join(char **ret, struct casb_error *err, const char *folder, size_t folder_len,
                const char *below, const char *instance)
{
    _cleanup_(buf_free) struct buf path = BUF_INIT(PATH_MAX);

    if (buf_printf(&path, "%.*s%s/%s.json", (int)folder_len, folder, below, instance))
        return err_set(err, CASB_EINVALID, "the path of the state file is too long");
    *ret = buf_take(&path);
    return *ret ? 0 : err_nomem(err);
}

static bool is_absolute(const char *path)
{
    return path && *path == '/';
}

int place_default(const char *instance, bool root, char **ret_path, struct casb_error *err)
{
    const char *folder = process_env("STATE_DIRECTORY");

    if (is_absolute(folder)) /* systemd gives several with colons between them */
        return join(ret_path, err, folder, strcspn(folder, ":"), "", instance);
    if (root)
        return join(ret_path, err, "/var/lib", strlen("/var/lib"), "/cas-backup", instance);
    folder = process_env("XDG_STATE_HOME");
    if (is_absolute(folder))
        return join(ret_path, err, folder, strlen(folder), "/cas-backup", instance);
    folder = process_env("HOME");
    if (is_absolute(folder))
        return join(ret_path, err, folder, strlen(folder), "/.local/state/cas-backup", instance);
    return err_set(err, CASB_EINVALID, "no place for the state file is known: set path or HOME");
}

int place_make_folders(const char *path, struct casb_error *err)
{
    _cleanup_(freep) char *folder = strdup(path);

    if (!folder)
        return err_nomem(err);
    for (char *slash = folder; (slash = strchr(slash + 1, '/')); *slash = '/') {
        *slash = '\0';
        if (mkdir(folder, 0700) && errno != EEXIST)
            return err_set_errno(err, errno, "make the folder '%s'", folder);
    }
    return 0;
}

/* The path's nearest folder that exists. */
static void cut_to_existing(char *path)
{
    char *slash;

    while ((slash = strrchr(path, '/'))) {
        *slash = '\0';
        if (access(*path ? path : "/", F_OK) == 0)
            return;
    }
}

static int check_folder(const struct state_file *state, casb_check_fn *found, void *arg,
                        struct casb_error *err)
{
    _cleanup_(freep) char *folder = strdup(state->path);
    char what[PATH_MAX + 64], reason[128];
    const char *name;
    bool good;

    if (!folder)
        return err_nomem(err);
    cut_to_existing(folder);
    name = *folder ? folder : "/";
    good = access(name, W_OK | X_OK) == 0;
    snprintf(what, sizeof what, "folder '%s' can be written", name);
    found(what, good, good ? NULL : strerror_r(errno, reason, sizeof reason), arg);
    return 0;
}

static int ignore_record(const struct casb_record *record, void *arg)
{
    (void)record;
    (void)arg;
    return 0;
}

int place_check(const struct state_file *state, casb_check_fn *found, void *arg,
                struct casb_error *err)
{
    struct casb_error trouble = {0};
    char what[PATH_MAX + 64];
    int r = check_folder(state, found, arg, err);

    if (r)
        return r;
    r = store_load((void *)state, NULL, ignore_record, NULL, &trouble);
    snprintf(what, sizeof what, "state file '%s' can be read", state->path);
    found(what, r == 0, r ? trouble.text : NULL, arg);
    return 0;
}
