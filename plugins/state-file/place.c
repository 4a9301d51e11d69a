/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/file.h"
#include "base/process.h"
#include "state-file/state_file.h"

#include <errno.h>
#include <fcntl.h>
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

static int make_folder(const char *folder)
{
    _cleanup_(closep) int fd = -1;

    if (mkdir(folder, 0700))
        return errno == EEXIST ? 0 : errno;
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0)
        file_give_to_folder(fd, folder);
    return 0;
}

int place_make_folders(const char *path, struct casb_error *err)
{
    _cleanup_(freep) char *folder = strdup(path);

    if (!folder)
        return err_nomem(err);
    for (char *slash = folder; (slash = strchr(slash + 1, '/')); *slash = '/') {
        int failed;

        *slash = '\0';
        failed = make_folder(folder);
        if (failed)
            return err_set_errno(err, failed, "make the folder '%s'", folder);
    }
    return 0;
}
